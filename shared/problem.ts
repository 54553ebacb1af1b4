/**
 * Every failure a person or another system is told about, in one table.
 * `status` is the HTTP status; `retry` says whether the same request or message can succeed later unchanged.
 */
export const problems = {
  INVALID_REQUEST: { status: 422, retry: false, title: "The request is not valid" },
  MALFORMED_JSON: { status: 400, retry: false, title: "The body is not JSON" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retry: false, title: "The body must be application/json" },
  BODY_TOO_LARGE: { status: 413, retry: false, title: "The body is too large" },
  UNAUTHENTICATED: { status: 401, retry: false, title: "A valid bearer token or session cookie is needed" },
  FORBIDDEN_ORIGIN: { status: 403, retry: false, title: "The request comes from another origin" },
  MALFORMED_REQUEST: { status: 400, retry: false, title: "The request is not well-formed HTTP" },
  NOT_FOUND: { status: 404, retry: false, title: "There is nothing at this address" },
  METHOD_NOT_ALLOWED: { status: 405, retry: false, title: "The method is not allowed here" },
  TASK_NOT_FOUND: { status: 404, retry: false, title: "There is no such task" },
  REMINDER_NOT_FOUND: { status: 404, retry: false, title: "There is no such reminder" },
  NOTIFICATION_NOT_FOUND: { status: 404, retry: false, title: "There is no such notification" },
  ENDPOINT_NOT_FOUND: { status: 404, retry: false, title: "There is no such endpoint" },
  SERIES_NOT_FOUND: { status: 404, retry: false, title: "There is no such series" },
  OCCURRENCE_NOT_FOUND: { status: 404, retry: false, title: "The series has no such recurrence" },
  OCCURRENCE_MADE: { status: 409, retry: false, title: "The occurrence is a task by now" },
  TASK_DELETED: { status: 409, retry: false, title: "The task was deleted" },
  TASK_COMPLETED: { status: 409, retry: false, title: "The task is completed" },
  VERSION_MISMATCH: { status: 412, retry: false, title: "It was changed meanwhile" },
  IDEMPOTENCY_KEY_REUSED: { status: 422, retry: false, title: "The idempotency key was used for another request" },
  IDEMPOTENCY_IN_PROGRESS: { status: 409, retry: true, title: "The first request with this key is still running" },
  REFUSED: { status: 409, retry: false, title: "It was not done" },
  REMINDER_DISMISSED: { status: 409, retry: false, title: "The reminder is dismissed" },
  SNOOZE_TOO_EARLY: { status: 409, retry: false, title: "The snooze ends before the reminder's own time" },
  REMINDER_FOLLOWS_TASK: { status: 409, retry: false, title: "The reminder follows its task" },
  OPERATOR_DISABLED: { status: 403, retry: false, title: "The operator's interface is closed" },
  TOO_MANY_STREAMS: { status: 429, retry: true, title: "Too many open streams" },
  TOO_MANY_TESTS: { status: 429, retry: true, title: "The endpoint was tested a moment ago" },
  UNAVAILABLE: { status: 503, retry: true, title: "A part of the system is not reachable" },
  INTERNAL: { status: 500, retry: true, title: "Something went wrong on our side" },
  UNDECODABLE: { status: 500, retry: false, title: "The record cannot be decoded" },
  UNENCODABLE: { status: 500, retry: false, title: "The record does not fit its schema" },
  INVARIANT: { status: 500, retry: false, title: "The message contradicts what is stored" },
} as const satisfies Record<string, ProblemKind>;

type ProblemKind = Readonly<{ status: number; retry: boolean; title: string }>;
export type ProblemCode = keyof typeof problems;

/** One mistake in what was sent. `path` is a JSON pointer into the body, or `query.name`, `header.name`, `path.name`. */
export type Mistake = Readonly<{ path: string; message: string }>;

export type ProblemExtra = Readonly<{
  mistakes?: readonly Mistake[];
  /** Sent with a 412: the representation as it is now; with a 409 where it helps: what is in the way. */
  current?: unknown;
  retryAfterSeconds?: number;
  cause?: unknown;
}>;

/** A failure with a code of the table. `detail` is told to strangers: it names the field or id, never what broke inside. */
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
 * The body of RFC 9457 for a problem. `instance` is the id of the request, to quote to an operator. At most 50 mistakes of 200
 * characters each for path and message, and of 10,000 together; a detail of at most 1,000.
 */
export function problemDocument(problem: Problem, instance: string): Readonly<Record<string, unknown>> {
  const { status, retry, title } = problems[problem.code];
  const { current } = problem.extra;
  const mistakes = problem.extra.mistakes && bounded(problem.extra.mistakes);
  return {
    type: `https://taskwire.dev/problems/${problem.code.toLowerCase().replaceAll("_", "-")}`,
    title,
    status,
    detail: cut(detailOf(problem, mistakes), limits.detailLength),
    instance,
    code: problem.code,
    retryable: retry,
    ...(mistakes ? { errors: mistakes } : {}),
    ...(current === undefined ? {} : { current }),
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
