/** An example of an operation as the reference shows it; a test runs each against the real system, in this order. */
export type Example = Readonly<{
  operationId: string;
  says: string;
  /** For a shell that has `$api`, and the variables that examples before it have set. */
  curl: string;
  status: number;
  /** The variable that the `id` of the answer is kept in, for those after it. */
  keeps?: "task" | "series" | "reminder";
}>;

type Request = Readonly<{
  method?: "POST" | "PATCH" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
  headers?: readonly string[];
  open?: boolean;
}>;

function curl({ method, path, body, headers = [], open = false }: Request): string {
  const lines = [
    `curl -s ${method === undefined || (method === "POST" && body !== undefined) ? "" : `-X ${method} `}"$api${path}"`,
    ...(open ? [] : ['-H "authorization: Bearer $token"']),
    ...(body === undefined ? [] : ["-H 'content-type: application/json'"]),
    ...headers.map((header) => `-H '${header}'`),
    ...(body === undefined ? [] : [`-d '${spelt(body)}'`]),
  ];
  return lines.join(" \\\n  ");
}

/** On one line where it fits. */
function spelt(body: unknown): string {
  const line = JSON.stringify(body);
  return line.length <= 70 ? line : JSON.stringify(body, null, 2).replaceAll("\n", "\n  ");
}

export const examples: readonly Example[] = [
  {
    operationId: "createSession",
    says: "In development anybody signs in by name. The answer's `token` is what the other examples send.",
    curl: curl({ path: "/v1/session", body: { user: "ada" }, open: true }),
    status: 201,
  },
  {
    operationId: "createTask",
    says: "A task with reminders at its due time, an hour before, and on the evening before. With an Idempotency-Key it can be sent again.",
    curl: curl({
      path: "/v1/tasks",
      body: { title: "Take the cake out", due_date: "2030-01-01T17:00:00Z", remind: ["PT0S", "PT1H", "P1D@18:00"] },
      headers: ["idempotency-key: 4b7d1c52"],
    }),
    status: 201,
    keeps: "task",
  },
  {
    operationId: "createTask",
    says: "A template: the last Friday of every month at 17:00 in Berlin, missed ones made up for, at most two open at a time.",
    curl: curl({
      path: "/v1/tasks",
      body: {
        title: "Send the invoices",
        recurrence_pattern: {
          rrule: "FREQ=MONTHLY;BYDAY=-1FR",
          tz: "Europe/Berlin",
          start: "2030-01-25T17:00",
          exdate: ["2030-03-29T17:00"],
          anchor: "schedule",
          month_end: "skip",
          catch_up: "all",
          max_open: 2,
        },
      },
    }),
    status: 201,
    keeps: "series",
  },
  {
    operationId: "updateTask",
    says: "Null clears a field; what is not there stays. With If-Match nothing newer is overwritten.",
    curl: curl({
      method: "PATCH",
      path: "/v1/tasks/$task",
      body: { due_date: null, priority: "High" },
      headers: ['if-match: "1"'],
    }),
    status: 200,
  },
  {
    operationId: "quickAddTask",
    says: "As people type it. `understood` says what each piece was taken for.",
    curl: curl({
      path: "/v1/quick-add",
      body: { text: "Water the plants every other Saturday at 10, remind me 30 minutes before #home p1" },
    }),
    status: 201,
  },
  {
    operationId: "listTasks",
    says: "The ten newest that are open; `next_cursor` is the `cursor` of the next page.",
    curl: curl({ path: "/v1/tasks?status=open&limit=10" }),
    status: 200,
  },
  {
    operationId: "listTasks",
    says: "What is to be done today, the most urgent first: `today | overdue`, encoded.",
    curl: curl({ path: "/v1/tasks?filter=today%20%7C%20overdue&sort=priority&count=true" }),
    status: 200,
  },
  {
    operationId: "createTaskReminder",
    says: "A reminder of your own, dropped where it would fire more than two hours late.",
    curl: curl({
      path: "/v1/tasks/$task/reminders",
      body: { remind_at: "2029-12-31T09:00:00+01:00", drop_after: "PT2H" },
    }),
    status: 201,
    keeps: "reminder",
  },
  {
    operationId: "listSeriesOccurrences",
    says: "The next three dates of a series.",
    curl: curl({ path: "/v1/series/$series/occurrences?limit=3" }),
    status: 200,
  },
  {
    operationId: "skipSeriesRange",
    says: "Nothing in the holidays.",
    curl: curl({
      path: "/v1/series/$series/skip",
      body: { from: "2030-07-01T00:00:00+02:00", to: "2030-08-15T00:00:00+02:00" },
    }),
    status: 200,
  },
  {
    operationId: "putPreferences",
    says:
      "Quiet nights, and a webhook that falls back to e-mail when it has finally failed. The secret is `whsec_` and 24 to 64 random bytes in " +
      "base64.",
    curl: curl({
      method: "PUT",
      path: "/v1/preferences",
      body: {
        tz: "Europe/Berlin",
        quiet_hours: { from: "22:00", to: "07:00" },
        channels: [
          { type: "in-app" },
          {
            type: "webhook",
            url: "https://example.org/taskwire",
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            else: { type: "email", to: "ada@example.org" },
          },
        ],
      },
    }),
    status: 200,
  },
  {
    operationId: "pollChanges",
    says: "Where your changes stand now; ask again with `since` and the cursor of the answer.",
    curl: curl({ path: "/v1/sync?wait=0" }),
    status: 200,
  },
];
