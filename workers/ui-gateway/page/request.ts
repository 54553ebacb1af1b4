/** What the server said was wrong; `status` 0 means it was not reached. `current` comes with a 412: how it is now. */
type ApiError = Error & Readonly<{ status: number; code: string; current: unknown }>;

type ApiAnswer<T> = Readonly<{ body: T; headers: Headers }>;

type RequestOptions = Readonly<{
  body?: unknown;
  ifMatch?: number | string | null;
  /** The idempotency key of a write; a new one by default. */
  key?: string;
  /** What is sent as a bearer token, for the one request that has no cookie yet. */
  token?: string;
}>;

/** A connection that says nothing is given up after this, so nobody waits for ever. */
const tryMs = 12_000;
/** No further try begins later than this. */
const triesMs = 20_000;
/** Browsers refuse larger bodies (64 KiB together) of requests that outlive their page. */
const keptAliveChars = 30_000;

export function isSignedOut(error: unknown): boolean {
  return isApiError(error) && error.status === 401;
}

/** It was changed elsewhere since it was read. */
export function isOutdated(error: unknown): error is ApiError {
  return isApiError(error) && error.status === 412;
}

/** There is no such thing, or not any more. */
export function isGone(error: unknown): boolean {
  return isApiError(error) && error.status === 404;
}

/** The server was not reached. */
export function isUnreached(error: unknown): boolean {
  return isApiError(error) && error.status === 0;
}

/** It may work in a moment, as it is. */
export function isPassing(error: unknown): boolean {
  return isApiError(error) && mayPass(error);
}

/**
 * Sends one request. `ifMatch` is the version a change is meant for. Retries what may pass by itself, with one
 * idempotency key for all tries: a request sent twice is done once. A write goes on when its page is left.
 */
export async function request<T>(method: string, path: string, asked: RequestOptions = {}): Promise<ApiAnswer<T>> {
  const { body, ifMatch, key = crypto.randomUUID(), token } = asked;
  const headers: Record<string, string> = ["GET", "DELETE"].includes(method) ? {} : { "idempotency-key": key };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  if (ifMatch !== undefined && ifMatch !== null)
    headers["if-match"] = typeof ifMatch === "number" ? `"${ifMatch}"` : ifMatch;
  const text = body === undefined ? null : JSON.stringify(body);
  const began = Date.now();
  for (let attempt = 1; ; attempt++) {
    const answer = await send<T>(path, {
      method,
      headers,
      body: text,
      keepalive: method !== "GET" && (text ?? "").length < keptAliveChars,
    });
    if (answer !== null && !("status" in answer)) return answer;
    const isLast = attempt === 4 || Date.now() - began > triesMs;
    if (isLast || (answer !== null && !mayPass(answer))) throw answer ?? unreached();
    await new Promise((resolve) => setTimeout(resolve, 400 * 2 ** attempt * (0.5 + Math.random() / 2)));
  }
}

/** One try. `null`: nothing came, or not all of it. */
async function send<T>(path: string, init: RequestInit): Promise<ApiAnswer<T> | ApiError | null> {
  try {
    const response = await fetch(path, { ...init, signal: AbortSignal.timeout(tryMs) });
    if (!response.ok) return await explain(response);
    // 204 has no body; every other answer is the JSON its path promises.
    return { body: (response.status === 204 ? null : await response.json()) as T, headers: response.headers };
  } catch {
    return null;
  }
}

/** Nothing answered, or the first try of the same request is still running there. */
function mayPass({ status, code }: ApiError): boolean {
  return [0, 502, 503, 504].includes(status) || code === "IDEMPOTENCY_IN_PROGRESS";
}

function unreached(): ApiError {
  return apiError(0, "Taskwire cannot be reached. Is it running?");
}

async function explain(response: Response): Promise<ApiError> {
  const problem: unknown = await response.json().catch(() => null);
  if (typeof problem !== "object" || problem === null)
    return apiError(response.status, `The server answered ${response.status}.`);
  const { detail, errors, ...rest } = problem as {
    detail?: string;
    code?: string;
    errors?: readonly { path: string; message: string }[];
    current?: unknown;
  };
  const first = errors?.[0];
  const message = first
    ? `${first.path.replace(/^\//, "")}: ${first.message}`
    : (detail ?? `The server answered ${response.status}.`);
  return apiError(response.status, message, rest);
}

type ProblemBody = Readonly<{ code?: string; current?: unknown }>;

function apiError(status: number, message: string, { code = "", current }: ProblemBody = {}): ApiError {
  return Object.assign(new Error(message), { status, code, current });
}

function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && "status" in error;
}
