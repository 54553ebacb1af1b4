import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../support/until.ts";
import { backlog, big, exdate, hourly, manyOut, rare, tz } from "./hostile-rules.ts";
import { notifications, preferences, reminders, series, tasks } from "./asked-roles.ts";
import type { Send, Sent, ServingRole } from "./route-world.ts";

/** A request that is valid and costs as much as one can; `send` may be called again and then costs the same. */
export type HostileRequest = Readonly<{
  role: ServingRole;
  /** As the role's OpenAPI names it: `GET /v1/tasks/{id}`. */
  route: string;
  what: string;
  /** What has to be so before it, at no account. */
  prepare?: () => Promise<unknown>;
  send: () => Promise<Sent>;
}>;

/** Makes what they are about, and gives them, for every route of every role that people ask. */
export async function makeHostileRequests(
  as: (user: string) => Promise<Send>,
  say: (line: string) => void,
): Promise<readonly HostileRequest[]> {
  const [many, one, long] = [await as("many"), await as("one"), await as("long")];
  const [fired, tester] = [await as("fired"), await as("tester")];
  const make = async (send: Send, body: object): Promise<string> => {
    const { status, body: made } = await send(tasks, "POST", "/v1/tasks", { title: "costly", ...body });
    if (status !== 201) throw new Error(`not made: ${status} ${JSON.stringify(made)}`);
    return made.id;
  };
  const inBatches = async (count: number, work: (n: number) => Promise<unknown>) => {
    for (let n = 0; n < count; n += 8)
      await Promise.all(Array.from({ length: Math.min(8, count - n) }, (_, of) => work(n + of)));
  };
  const seriesOf = async (send: Send, id: string) =>
    await until(`series ${id}`, async () => (await send(series, "GET", `/v1/series/${id}`)).status === 200, {
      timeoutMs: 240_000,
    });
  const openOf = async (send: Send, id: string, count: number): Promise<readonly string[]> =>
    await until(
      `${count} open occurrences`,
      async () => {
        const { body } = await send(tasks, "GET", "/v1/tasks?status=open&limit=200");
        const mine = body.items.filter((task: { template_id: string }) => task.template_id === id);
        return mine.length >= count && mine.toReversed().map((task: { id: string }) => task.id);
      },
      { timeoutMs: 240_000 },
    );

  say("  makes 200 series and 200 large tasks");
  await inBatches(100, () => make(many, { recurrence_pattern: rare }));
  await inBatches(100, (n) =>
    make(many, {
      recurrence_pattern: {
        ...manyOut,
        start: `2030-01-01T09:${String(n % 60).padStart(2, "0")}`,
        exdate: exdate.map((each) => each.replace("09:00", `09:${String(n % 60).padStart(2, "0")}`)),
      },
    }),
  );
  const zones = Intl.supportedValuesOf("timeZone");
  await inBatches(200, (n) =>
    make(many, { ...big, due_date: "2030-01-01T09:00:00Z", due_tz: zones[n % zones.length] }),
  );
  const rareOne = await make(one, { recurrence_pattern: rare });
  const hourlyOne = await make(one, { recurrence_pattern: hourly });
  const counted = await make(one, { recurrence_pattern: { ...hourly, rrule: `${hourly.rrule};COUNT=1000` } });
  const fromCompletion = await make(one, {
    recurrence_pattern: { ...hourly, rrule: "FREQ=DAILY;INTERVAL=7", anchor: "completion" },
  });
  const full = await make(one, { recurrence_pattern: manyOut });
  const bigTask = await make(one, { ...big, due_date: "2040-01-01T09:00:00Z" });
  for (const id of [rareOne, hourlyOne, counted, fromCompletion, full]) await seriesOf(one, id);
  await until("200 series", async () => (await many(series, "GET", "/v1/series?limit=200")).body.items.length === 200, {
    timeoutMs: 240_000,
    everyMs: 1000,
  });

  /** A series with a hundred open occurrences, and 366 skipped ones ahead; a new one each time. */
  const makeLong = async () => {
    const id = await make(long, { recurrence_pattern: backlog() });
    await seriesOf(long, id);
    const open = await openOf(long, id, 100);
    const from = Date.now() + 3 * 86_400_000;
    const time = { from: new Date(from).toISOString(), to: new Date(from + 366 * 3_600_000).toISOString() };
    const { status, body } = await long(series, "POST", `/v1/series/${id}/skip`, time);
    if (status !== 200) throw new Error(`not skipped: ${status} ${JSON.stringify(body)}`);
    return { id, open };
  };
  let at = { id: "", open: [] as readonly string[] };
  const anew = async () => void (at = await makeLong());
  const skipTime = { from: "2028-03-01T00:00:00Z", to: "2028-03-16T00:00:00Z" };
  const onLong = (route: string, what: string, send: () => Promise<Sent>): HostileRequest => ({
    role: tasks,
    route,
    what,
    prepare: anew,
    send,
  });

  say("  has 200 reminders fire");
  await inBatches(4, async () => {
    const task = await make(fired, { due_date: "2040-01-01T09:00:00Z", remind: [] });
    await inBatches(50, (n) =>
      fired(reminders, "POST", `/v1/tasks/${task}/reminders`, {
        remind_at: new Date(Date.now() + 3000 + n).toISOString(),
      }),
    );
  });
  const notified = await until(
    "notifications",
    async () => {
      const { body } = await fired(notifications, "GET", "/v1/notifications?limit=200");
      // Those that can be read first.
      const sorted = body.items.toSorted((a: { channel: string }) => (a.channel === "in-app" ? -1 : 1));
      return body.items.length >= 190 && sorted.map((each: { id: string }) => each.id);
    },
    { timeoutMs: 240_000, everyMs: 500 },
  );
  const reminderOf = async () => {
    const { body } = await one(reminders, "POST", `/v1/tasks/${bigTask}/reminders`, {
      remind_at: new Date(Date.now() + 86_400_000 + Math.floor(Math.random() * 1e9)).toISOString(),
    });
    reminder = body.id;
  };
  const on = (role: ServingRole, route: string, what: string, send: HostileRequest["send"]): HostileRequest => ({
    role,
    route,
    what,
    send,
  });
  const onReminder = (route: string, send: HostileRequest["send"]): HostileRequest => ({
    ...on(reminders, route, "one", send),
    prepare: reminderOf,
  });
  let [reminder, task] = ["", ""];
  let batched: string[] = [];
  const dueCreate = { op: "create", task: { title: "x", due_date: "2040-01-01T09:00:00Z", remind: big.remind } };
  const webhook = { type: "webhook", url: "http://127.0.0.1:9/", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
  await tester(preferences, "PUT", "/v1/preferences", { channels: [webhook] });
  const endpoint: string = (await tester(notifications, "GET", "/v1/notifications/endpoints")).body.items[0].id;
  const junk = JSON.stringify({ title: "x", tags: Array.from({ length: 200_000 }, () => "a") });

  return [
    {
      role: tasks,
      route: "POST /v1/tasks",
      what: "366 dates left out, 1,000 counted, all fields full",
      send: () => one(tasks, "POST", "/v1/tasks", { title: "x", ...big, recurrence_pattern: manyOut }),
    },
    {
      role: tasks,
      route: "POST /v1/tasks",
      what: "every hour of every day of every month",
      send: () => one(tasks, "POST", "/v1/tasks", { title: "x", recurrence_pattern: hourly }),
    },
    {
      role: tasks,
      route: "POST /v1/tasks",
      what: "a rule that never comes",
      send: () =>
        one(tasks, "POST", "/v1/tasks", {
          title: "x",
          recurrence_pattern: { ...rare, rrule: "FREQ=DAILY;INTERVAL=7;BYDAY=TU", start: "1970-01-05T09:00" },
        }),
    },
    { role: tasks, route: "POST /v1/tasks", what: "200,000 tags", send: () => one(tasks, "POST", "/v1/tasks", junk) },
    {
      role: tasks,
      route: "GET /v1/tasks",
      what: "200 with all fields full",
      send: () => many(tasks, "GET", "/v1/tasks?limit=200"),
    },
    {
      role: tasks,
      route: "GET /v1/tasks/{id}",
      what: "all fields full",
      send: () => one(tasks, "GET", `/v1/tasks/${bigTask}`),
    },
    {
      role: tasks,
      route: "PATCH /v1/tasks/{id}",
      what: "a template's pattern",
      send: () =>
        one(tasks, "PATCH", `/v1/tasks/${full}`, {
          ...big,
          description: String(Math.random()),
          recurrence_pattern: { ...manyOut, max_open: 1 + Math.floor(Math.random() * 90) },
        }),
    },
    onLong("PATCH /v1/tasks/{id}", "scope=all over 100 open ones, all fields full", () =>
      long(tasks, "PATCH", `/v1/tasks/${at.open[50]}?scope=all`, big),
    ),
    onLong("PATCH /v1/tasks/{id}", "scope=future in the middle, 366 skipped beyond", () =>
      long(tasks, "PATCH", `/v1/tasks/${at.open[50]}?scope=future`, {
        title: "y",
        recurrence_pattern: { rrule: hourly.rrule },
      }),
    ),
    onLong("PATCH /v1/tasks/{id}", "made plain, 100 open ones", () =>
      long(tasks, "PATCH", `/v1/tasks/${at.id}`, { recurrence_pattern: null }),
    ),
    onLong("DELETE /v1/tasks/{id}", "scope=all over 100 open ones", () =>
      long(tasks, "DELETE", `/v1/tasks/${at.open[50]}?scope=all`),
    ),
    onLong("POST /v1/tasks/{id}/stop-after", "50 open ones after it", () =>
      long(tasks, "POST", `/v1/tasks/${at.open[50]}/stop-after`),
    ),
    {
      role: tasks,
      route: "POST /v1/tasks/{id}/complete",
      what: "all fields full",
      prepare: async () => void (task = await make(one, big)),
      send: () => one(tasks, "POST", `/v1/tasks/${task}/complete`),
    },
    {
      role: tasks,
      route: "POST /v1/tasks/{id}/reopen",
      what: "all fields full",
      prepare: () => one(tasks, "POST", `/v1/tasks/${task}/complete`),
      send: () => one(tasks, "POST", `/v1/tasks/${task}/reopen`),
    },
    {
      role: tasks,
      route: "POST /v1/batch",
      what: "500 made, each due",
      send: () => one(tasks, "POST", "/v1/batch", { operations: Array.from({ length: 500 }, () => dueCreate) }),
    },
    {
      role: tasks,
      route: "POST /v1/batch",
      what: "2 MB of tasks completed and reopened",
      prepare: async () => {
        batched = [];
        for (let n = 0; n < 32; n++) batched.push(await make(one, big));
      },
      send: () =>
        one(tasks, "POST", "/v1/batch", {
          operations: Array.from({ length: 500 }, (_, n) => ({
            op: n % 64 < 32 ? "complete" : "reopen",
            id: batched[n % 32],
          })),
        }),
    },
    {
      role: tasks,
      route: "POST /v1/batch",
      what: "366 dates left out, and 5 rules of every hour",
      send: () =>
        one(tasks, "POST", "/v1/batch", {
          operations: [manyOut, hourly, hourly, hourly, hourly, hourly].map((recurrence_pattern) => ({
            op: "create",
            task: { title: "x", recurrence_pattern },
          })),
        }),
    },
    {
      role: tasks,
      route: "GET /v1/export.ics",
      what: "200 series, 200 large tasks in as many zones",
      send: () => many(tasks, "GET", "/v1/export.ics"),
    },
    {
      role: series,
      route: "GET /v1/series",
      what: "200, 100 rare ones and 100 with 366 dates left out",
      send: () => many(series, "GET", "/v1/series?limit=200"),
    },
    {
      role: series,
      route: "GET /v1/series/{id}",
      what: "366 dates left out",
      send: () => one(series, "GET", `/v1/series/${full}`),
    },
    {
      role: series,
      route: "GET /v1/series/{id}/occurrences",
      what: "366 of an hourly rule by the year",
      send: () => one(series, "GET", `/v1/series/${hourlyOne}/occurrences?limit=366&from=2150-01-01T00:00:00Z`),
    },
    {
      role: series,
      route: "GET /v1/series/{id}/occurrences",
      what: "366 with a COUNT of 1,000",
      send: () => one(series, "GET", `/v1/series/${counted}/occurrences?limit=366&from=1970-01-01T00:00:00Z`),
    },
    {
      role: series,
      route: "GET /v1/series/{id}/occurrences",
      what: "366 counted from completion",
      send: () => one(series, "GET", `/v1/series/${fromCompletion}/occurrences?limit=366&from=1970-01-01T00:00:00Z`),
    },
    {
      role: series,
      route: "GET /v1/series/{id}/occurrences",
      what: "a rare rule, to its end",
      send: () => one(series, "GET", `/v1/series/${rareOne}/occurrences?limit=366&from=1970-01-01T00:00:00Z`),
    },
    {
      role: series,
      route: "GET /v1/series/{id}/history",
      what: "500 skipped and 100 open",
      prepare: anew,
      send: () => long(series, "GET", `/v1/series/${at.id}/history?from=1970-01-01T00:00:00Z`),
    },
    {
      role: series,
      route: "POST /v1/series/{id}/skip",
      what: "360 of an hourly rule",
      prepare: () => one(series, "POST", `/v1/series/${hourlyOne}/unskip`, skipTime),
      send: () => one(series, "POST", `/v1/series/${hourlyOne}/skip`, skipTime),
    },
    {
      role: series,
      route: "POST /v1/series/{id}/unskip",
      what: "360 of an hourly rule",
      prepare: () => one(series, "POST", `/v1/series/${hourlyOne}/skip`, skipTime),
      send: () => one(series, "POST", `/v1/series/${hourlyOne}/unskip`, skipTime),
    },
    ...["skip", "unskip", "complete", "move"].map((verb): HostileRequest => ({
      role: series,
      route: `POST /v1/series/{id}/occurrences/{recurrence_id}/${verb}`,
      what: "of an hourly rule by the year",
      send: () =>
        one(
          series,
          "POST",
          `/v1/series/${hourlyOne}/occurrences/${verb === "complete" ? "2028-07-01T09:30:00" : "2028-06-01T09:30:00"}/${verb}`,
          verb === "move" ? { due_date: "2028-06-01T12:00:00Z" } : undefined,
        ),
    })),
    {
      role: reminders,
      route: "GET /v1/reminders",
      what: "200",
      send: () => fired(reminders, "GET", "/v1/reminders?limit=200"),
    },
    {
      role: reminders,
      route: "GET /v1/tasks/{id}/reminders",
      what: "of a task with ten rules",
      send: () => one(reminders, "GET", `/v1/tasks/${bigTask}/reminders`),
    },
    {
      role: reminders,
      route: "POST /v1/tasks/{id}/reminders",
      what: "one",
      send: () =>
        one(reminders, "POST", `/v1/tasks/${bigTask}/reminders`, {
          remind_at: new Date(Date.now() + 86_400_000 + Math.floor(Math.random() * 1e9)).toISOString(),
        }),
    },
    onReminder("GET /v1/reminders/{id}", () => one(reminders, "GET", `/v1/reminders/${reminder}`)),
    onReminder("PATCH /v1/reminders/{id}", () =>
      one(reminders, "PATCH", `/v1/reminders/${reminder}`, { remind_at: "2035-01-01T00:00:00Z" }),
    ),
    onReminder("DELETE /v1/reminders/{id}", () => one(reminders, "DELETE", `/v1/reminders/${reminder}`)),
    onReminder("POST /v1/reminders/{id}/snooze", () =>
      one(reminders, "POST", `/v1/reminders/${reminder}/snooze`, { for: "P1D" }),
    ),
    onReminder("POST /v1/reminders/{id}/dismiss", () => one(reminders, "POST", `/v1/reminders/${reminder}/dismiss`)),
    on(notifications, "GET /v1/notifications", "200", () => fired(notifications, "GET", "/v1/notifications?limit=200")),
    on(notifications, "GET /v1/notifications/unread", "of 200", () =>
      fired(notifications, "GET", "/v1/notifications/unread"),
    ),
    on(notifications, "GET /v1/notifications/{id}", "one", () =>
      fired(notifications, "GET", `/v1/notifications/${notified[0]}`),
    ),
    on(notifications, "POST /v1/notifications/{id}/read", "one", () =>
      fired(notifications, "POST", `/v1/notifications/${notified[0]}/read`),
    ),
    on(notifications, "POST /v1/notifications/{id}/resend", "one", () =>
      fired(notifications, "POST", `/v1/notifications/${notified[0]}/resend`),
    ),
    on(notifications, "POST /v1/notifications/read-all", "200", () =>
      fired(notifications, "POST", "/v1/notifications/read-all"),
    ),
    on(notifications, "GET /v1/notifications/endpoints", "none", () =>
      fired(notifications, "GET", "/v1/notifications/endpoints"),
    ),
    on(notifications, "POST /v1/notifications/endpoints/{id}/enable", "none, which is refused", () =>
      fired(notifications, "POST", `/v1/notifications/endpoints/${crypto.randomUUID()}/enable`),
    ),
    on(preferences, "GET /v1/preferences", "all fields full", () => one(preferences, "GET", "/v1/preferences")),
    {
      ...on(notifications, "POST /v1/notifications/endpoints/{id}/test", "at which nobody listens", () =>
        tester(notifications, "POST", `/v1/notifications/endpoints/${endpoint}/test`),
      ),
      // One test in five seconds.
      prepare: () => sleep(5_500),
    },
    on(preferences, "PATCH /v1/preferences", "all fields full", () =>
      one(preferences, "PATCH", "/v1/preferences", { tz, default_reminders: big.remind, channels: [{ type: "log" }] }),
    ),
    on(preferences, "PUT /v1/preferences", "all fields full", () =>
      one(preferences, "PUT", "/v1/preferences", {
        tz,
        default_reminders: big.remind,
        channels: [{ type: "in-app" }],
      }),
    ),
    on(preferences, "PUT /v1/preferences", "1.2 MB for an address", () =>
      one(preferences, "PUT", "/v1/preferences", { channels: [{ type: "email", to: `${"a.".repeat(600_000)}!` }] }),
    ),
  ];
}
