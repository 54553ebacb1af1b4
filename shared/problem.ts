/**
 * Every failure a person or another system is told about, in one table; the reference at /docs and the API document are
 * made of it. `status` is the HTTP status; `retry` says whether the same request or message can succeed later
 * unchanged; `help` what its receiver can do. Those for `operators` are not told to users.
 */
export const problems = {
  INVALID_REQUEST: {
    status: 422,
    retry: false,
    title: "The request is not valid",
    help: "`errors` names each mistake and where it is: a JSON pointer into the body, or `query.limit`, `path.id`, `header.if-match`.",
  },
  MALFORMED_JSON: {
    status: 400,
    retry: false,
    title: "The body is not JSON",
    help: "Also for a body that is not UTF-8, or empty where one is needed.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    retry: false,
    title: "The body must be application/json",
    help: "Send `content-type: application/json`.",
  },
  BODY_TOO_LARGE: {
    status: 413,
    retry: false,
    title: "The body is too large",
    help: "`detail` says how many bytes a body may have.",
  },
  UNAUTHENTICATED: {
    status: 401,
    retry: false,
    title: "A valid bearer token or session cookie is needed",
    help: "The token is missing, malformed, expired, signed out or not signed by the right key: sign in again.",
  },
  FORBIDDEN_ORIGIN: {
    status: 403,
    retry: false,
    title: "The request comes from another origin",
    help: "A write that a browser sent with the cookie from a page of another origin. Send a bearer token instead.",
  },
  MALFORMED_REQUEST: {
    status: 400,
    retry: false,
    title: "The request is not well-formed HTTP",
    help: "It names no host that can be one, or its path cannot be read.",
  },
  NOT_FOUND: {
    status: 404,
    retry: false,
    title: "There is nothing at this address",
    help: "No route has this path.",
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    retry: false,
    title: "The method is not allowed here",
    help: "`Allow` names those that are.",
  },
  TASK_NOT_FOUND: {
    status: 404,
    retry: false,
    title: "There is no such task",
    help: "It was deleted, or it never was, or it is another's.",
  },
  REMINDER_NOT_FOUND: {
    status: 404,
    retry: false,
    title: "There is no such reminder",
    help: "It never was, or it is another's.",
  },
  NOTIFICATION_NOT_FOUND: {
    status: 404,
    retry: false,
    title: "There is no such notification",
    help: "It is older than notifications are kept, or it never was, or it is another's.",
  },
  ENDPOINT_NOT_FOUND: {
    status: 404,
    retry: false,
    title: "There is no such endpoint",
    help: "None of your channels has a webhook with this id.",
  },
  SERIES_NOT_FOUND: {
    status: 404,
    retry: false,
    title: "There is no such series",
    help: "The template is none, or was made a moment ago (a series follows within a second), or it is another's.",
  },
  OCCURRENCE_NOT_FOUND: {
    status: 404,
    retry: false,
    title: "The series has no such recurrence",
    help: "The rule has no such start. `recurrence_id` is written as the series shows it.",
  },
  OCCURRENCE_MADE: {
    status: 409,
    retry: false,
    title: "The occurrence is a task by now",
    help: "Change the task that `current` or `detail` names.",
  },
  OCCURRENCE_REPLACED: {
    status: 409,
    retry: false,
    title: "Another task has the place of this occurrence",
    help: "`current` is that task: change it instead, or delete it and restore this one then.",
  },
  TASK_DELETED: {
    status: 409,
    retry: false,
    title: "The task was deleted",
    help: "Nothing can be added to it. It can be restored for 30 days: POST /v1/tasks/{id}/restore.",
  },
  TASK_COMPLETED: {
    status: 409,
    retry: false,
    title: "The task is completed",
    help: "Reopen it first.",
  },
  TASK_IS_TEMPLATE: {
    status: 409,
    retry: false,
    title: "The task is a recurring template",
    help: "Its occurrences are what is completed and reminded of. `remind` of the template is theirs.",
  },
  TASK_HAS_NO_SERIES: {
    status: 409,
    retry: false,
    title: "The task is no occurrence of a series",
    help: "Only an occurrence of a series can be changed with others, or end its series.",
  },
  REMINDER_EXISTS: {
    status: 409,
    retry: false,
    title: "Another reminder of the task is set for that time",
    help: "Two reminders of one's own at one instant would be the same one.",
  },
  TOO_MANY_EXCEPTIONS: {
    status: 409,
    retry: false,
    title: "The series has as many exceptions as it may",
    help: "`detail` says how many dates may be skipped, moved or left out. Take some back, or change the rule.",
  },
  NOTIFICATION_NOT_READABLE: {
    status: 409,
    retry: false,
    title: "Only what was delivered in the app can be read",
    help: "Others, such as e-mails, have no mark that they were read.",
  },
  NOTIFICATION_IN_DIGEST: {
    status: 409,
    retry: false,
    title: "The notification was told in a digest",
    help: "Send the digest again; `detail` has its id.",
  },
  NOTIFICATION_CANCELLED: {
    status: 409,
    retry: false,
    title: "The notification was cancelled",
    help: "Its task was done or its reminder dismissed before it was sent: there is nothing to tell any more.",
  },
  NOTIFICATION_TOO_OLD: {
    status: 409,
    retry: false,
    title: "The notification is too old to be sent again",
    help: "How it was sent is no longer known.",
  },
  ENDPOINT_DISABLED: {
    status: 409,
    retry: false,
    title: "The webhook is disabled",
    help: "Enable it first: POST /v1/notifications/endpoints/{id}/enable.",
  },
  VERSION_MISMATCH: {
    status: 412,
    retry: false,
    title: "It was changed meanwhile",
    help: "`current` is what it is now: decide again, and send that version in If-Match.",
  },
  BATCH_NOT_DONE: {
    status: 409,
    retry: false,
    title: "An operation of the batch failed, so none was done",
    help: "The batch was atomic. `errors` names the operations that failed, `results` has the problem of each: correct them, or send the batch without `atomic`.",
  },
  DEPENDENCY_FAILED: {
    status: 424,
    retry: false,
    title: "What it depends on was not done",
    help: "Of an operation of a batch: the create that it names failed, or the batch was atomic and another operation failed. `detail` says which.",
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    retry: false,
    title: "The idempotency key was used for another request",
    help: "Within a day a key belongs to one request: same method, path, query and content. Take a new key.",
  },
  IDEMPOTENCY_IN_PROGRESS: {
    status: 409,
    retry: true,
    title: "The first request with this key is still running",
    help: "Send it again in a moment; the answer of the first one is kept.",
  },
  REFUSED: { status: 409, retry: false, title: "It was not done", audience: "operators" },
  REMINDER_FIRED: {
    status: 409,
    retry: false,
    title: "The reminder has fired",
    help: "How late it may fire is over. Give it another time too, or snooze it.",
  },
  REMINDER_DISMISSED: {
    status: 409,
    retry: false,
    title: "The reminder is dismissed",
    help: "Set a new one.",
  },
  SNOOZE_TOO_EARLY: {
    status: 409,
    retry: false,
    title: "The snooze ends before the reminder's own time",
    help: "It has not fired yet: snoozing would use it up. Snooze to a later time, or set another reminder.",
  },
  REMINDER_FOLLOWS_TASK: {
    status: 409,
    retry: false,
    title: "The reminder follows its task",
    help: "A rule of the task made it: change `remind` or the due time of the task, or snooze it.",
  },
  OPERATOR_DISABLED: { status: 403, retry: false, title: "The operator's interface is closed", audience: "operators" },
  QUOTA_EXCEEDED: {
    status: 409,
    retry: false,
    title: "You have as many as you may",
    help: "`detail` says of what and how many. Complete or delete some first.",
  },
  RATE_LIMITED: {
    status: 429,
    retry: true,
    title: "Too many requests",
    help: "You, or the address you come from, have used up what may be asked in a time: wait as long as Retry-After says. `RateLimit` says in every answer what is left.",
  },
  TOO_MANY_STREAMS: {
    status: 429,
    retry: true,
    title: "Too many open streams",
    help: "Close one, or wait as long as Retry-After says.",
  },
  TOO_MANY_REPLAYS: {
    status: 429,
    retry: true,
    title: "Too many changes are being read again",
    help: "Polls and streams that are far behind read the log, a few at a time per person: wait as long as Retry-After says.",
  },
  TOO_MANY_TESTS: {
    status: 429,
    retry: true,
    title: "The endpoint was tested a moment ago",
    help: "Wait as long as Retry-After says.",
  },
  UNAVAILABLE: {
    status: 503,
    retry: true,
    title: "A part of the system is not reachable",
    help: "Nothing was done, or it cannot be told: send it again after Retry-After, a write with the same Idempotency-Key.",
  },
  INTERNAL: {
    status: 500,
    retry: true,
    title: "Something went wrong on our side",
    help: "`instance` is the id under which the log has what happened.",
  },
  UNDECODABLE: { status: 500, retry: false, title: "The record cannot be decoded", audience: "operators" },
  UNENCODABLE: {
    status: 500,
    retry: false,
    title: "The record does not fit its schema",
    help: "A mistake of ours: nothing was changed, and sending it again does not help.",
  },
  INVARIANT: { status: 500, retry: false, title: "The message contradicts what is stored", audience: "operators" },
} as const satisfies Record<string, ProblemKind>;

type ProblemKind = Readonly<{
  status: number;
  retry: boolean;
  title: string;
  help?: string;
  audience?: "operators";
}>;
export type ProblemCode = keyof typeof problems;

/** The codes a user's request may be answered with, in the order of the table. */
export const userProblems: readonly (readonly [code: ProblemCode, kind: ProblemKind])[] = (
  Object.entries(problems) as [ProblemCode, ProblemKind][]
).filter(([, { audience }]) => audience === undefined); // entries forgets the keys it was given

/**
 * One mistake in what was sent. `path` is a JSON pointer into the body, or `query.name`, `header.name`, `path.name`.
 */
export type Mistake = Readonly<{ path: string; message: string }>;

type ProblemExtra = Readonly<{
  mistakes?: readonly Mistake[];
  /** Sent with a 412: the representation as it is now; with a 409 where it helps: what is in the way. */
  current?: unknown;
  /** Of a batch that was all or nothing: what became of each operation. */
  results?: readonly unknown[];
  retryAfterSeconds?: number;
  cause?: unknown;
}>;

/**
 * A failure with a code of the table. `detail` is told to strangers: it names the field or id, never what broke inside.
 */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly extra: ProblemExtra;
  constructor(code: ProblemCode, detail: string = problems[code].title, extra: ProblemExtra = {}) {
    super(detail, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.name = "Problem";
    this.code = code;
    this.extra = extra;
  }
}

/** Bounds of what is said about a request, so that no answer is much larger than what was asked. */
const limits = { mistakes: 50, textLength: 200, detailLength: 1_000, allMistakes: 10_000 } as const;

/**
 * The body of RFC 9457 for a problem. `type` leads to its place in the reference of the origin that answered;
 * `instance` is the id of the request, to quote to an operator. At most 50 mistakes of 200 characters each for path and
 * message, and of 10,000 together; a detail of at most 1,000.
 */
export function problemDocument(problem: Problem, instance: string): Readonly<Record<string, unknown>> {
  const { status, retry, title } = problems[problem.code];
  const { current, results } = problem.extra;
  const mistakes = problem.extra.mistakes && bounded(problem.extra.mistakes);
  return {
    type: `/docs#error-${problem.code}`,
    title,
    status,
    detail: cut(detailOf(problem, mistakes), limits.detailLength),
    instance,
    code: problem.code,
    retryable: retry,
    ...(mistakes ? { errors: mistakes } : {}),
    ...(current === undefined ? {} : { current }),
    ...(results === undefined ? {} : { results }),
  };
}

/** The first mistakes in the sentence people read, where nothing better was said. */
function detailOf(problem: Problem, mistakes: readonly Mistake[] = []): string {
  if (mistakes.length === 0 || problem.message !== problems[problem.code].title) return problem.message;
  const said = mistakes.slice(0, 3).map(({ path, message }) => `${path} ${message}`);
  const left = (problem.extra.mistakes?.length ?? 0) - 3;
  return said.join("; ") + (left > 0 ? `; and ${left} more` : "");
}

function bounded(mistakes: readonly Mistake[]): readonly Mistake[] {
  let room: number = limits.allMistakes;
  return mistakes
    .slice(0, limits.mistakes)
    .map(({ path, message }) => ({ path: cut(path, limits.textLength), message: cut(message, limits.textLength) }))
    .filter(({ path, message }, at) => (room -= path.length + message.length) >= 0 || at === 0);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
