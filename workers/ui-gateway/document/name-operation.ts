/** What the rule below would name badly; a route may also say an `operationId` of its own. */
const chosen: Readonly<Record<string, string>> = {
  "GET /v1/export.ics": "exportCalendar",
  "GET /v1/stream": "openStream",
  "GET /v1/sync": "pollChanges",
  "POST /v1/stream/ticket": "createStreamTicket",
  "GET /v1/session": "getSession",
  "POST /v1/session": "createSession",
  "GET /v1/preferences": "getPreferences",
  "GET /v1/sign-in": "getWayToSignIn",
  "POST /v1/session/cookie": "keepSessionCookie",
  "PUT /v1/preferences": "putPreferences",
  "PATCH /v1/preferences": "updatePreferences",
  "GET /v1/series/{id}": "getSeries",
  "GET /v1/series": "listSeries",
  "GET /v1/series/{id}/history": "getSeriesHistory",
  "POST /v1/series/{id}/skip": "skipSeriesRange",
  "POST /v1/series/{id}/unskip": "unskipSeriesRange",
  "POST /v1/quick-add": "quickAddTask",
  "POST /v1/batch": "runBatch",
  "POST /v1/tasks/{id}/stop-after": "stopSeriesAfterTask",
  "GET /v1/notifications/unread": "countUnreadNotifications",
  "POST /v1/notifications/read-all": "readAllNotifications",
};

/**
 * The id of an operation, by which generated clients name their method: `listTasks`, `createTaskReminder`,
 * `completeTask`. Told by method and path alone, so that it stays what it is.
 */
export function operationIdOf(method: string, path: string): string {
  const key = `${method.toUpperCase()} ${path}`;
  if (chosen[key] !== undefined) return chosen[key];
  const parts = path.split("/").slice(2);
  const names = parts.filter((part) => !part.startsWith("{"));
  const last = names.at(-1) ?? "";
  const isItem = parts.at(-1)?.startsWith("{") ?? false;
  const whole = camel(names.map(singular));
  switch (method.toLowerCase()) {
    case "get":
      return isItem || last === singular(last)
        ? `get${whole}`
        : `list${camel([...names.slice(0, -1).map(singular), last])}`;
    case "patch":
      return `update${whole}`;
    case "put":
      return `put${whole}`;
    case "delete":
      return `delete${whole}`;
    default: {
      if (isItem || last !== singular(last)) return `create${whole}`;
      // The verb comes first: tasks/{id}/complete is completeTask.
      const verb = camel([last]);
      return `${verb.charAt(0).toLowerCase()}${verb.slice(1)}${camel(names.slice(0, -1).map(singular))}`;
    }
  }
}

function singular(word: string): string {
  return word === "series" || word.endsWith("ss") ? word : word.replace(/s$/, "");
}

function camel(words: readonly string[]): string {
  return words
    .flatMap((word) => word.split(/[^A-Za-z0-9]+/))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/** The groups of the reference, in its order. */
export const apiTags = [
  { name: "session", description: "Who you are. Everything else needs a token or the cookie of a session." },
  { name: "tasks", description: "To-do items, and the recurring templates that make them." },
  { name: "series", description: "What a recurring template makes: its next dates, exceptions and history." },
  { name: "reminders", description: "When a person is reminded of a task, and putting that off." },
  { name: "notifications", description: "What was told, by which channel, and what waits." },
  { name: "preferences", description: "A person's zone, quiet hours, channels and usual reminders." },
  { name: "live updates", description: "Every change as it happens, by server-sent events or long polling." },
] as const;

const tagOfSegment: Readonly<Record<string, (typeof apiTags)[number]["name"]>> = {
  batch: "tasks",
  "export.ics": "tasks",
  "quick-add": "tasks",
  tags: "tasks",
  "sign-in": "session",
  stream: "live updates",
  sync: "live updates",
};

/** The group of a path: the thing its last id or name stands for, where that is a group, else the first. */
export function tagOf(path: string): string {
  if (/^\/v1\/tasks\/[^/]+\/reminders(\/|$)/.test(path)) return "reminders";
  const [first = ""] = path.split("/").slice(2);
  return tagOfSegment[first] ?? first;
}
