/** What the server said was wrong; `status` 0 means it was not reached. `current` comes with a 412: how it is now. */
export type ApiError = Error & Readonly<{ status: number; current: unknown }>;

export type Answer<T> = Readonly<{ body: T; headers: Headers }>;

export type Asked = Readonly<{ body?: unknown; ifMatch?: number | string | null }>;

export function isSignedOut(error: unknown): boolean {
  return isApiError(error) && error.status === 401;
}

/** It was changed elsewhere since it was read. */
export function isOutdated(error: unknown): error is ApiError {
  return isApiError(error) && error.status === 412;
}

/**
 * Sends one request. `ifMatch` is the version a change is meant for. Retries what may pass by itself, with one idempotency key for
 * all tries: a request sent twice is done once.
 */
export async function request<T>(method: string, path: string, { body, ifMatch }: Asked = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = ["GET", "DELETE"].includes(method)
    ? {}
    : { "idempotency-key": crypto.randomUUID() };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (ifMatch !== undefined && ifMatch !== null)
    headers["if-match"] = typeof ifMatch === "number" ? `"${ifMatch}"` : ifMatch;
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch(() => null);
    if (response?.ok)
      // 204 has no body; every other answer is the JSON its path promises.
      return { body: (response.status === 204 ? null : await response.json()) as T, headers: response.headers };
    const mayPass = response === null || response.status === 503 || response.status === 502;
    if (!mayPass || attempt === 4) throw await explain(response);
    await new Promise((resolve) => setTimeout(resolve, 400 * 2 ** attempt * (0.5 + Math.random() / 2)));
  }
}

async function explain(response: Response | null): Promise<ApiError> {
  if (!response) return apiError(0, "Taskwire cannot be reached. Is it running?");
  const problem: unknown = await response.json().catch(() => null);
  if (typeof problem !== "object" || problem === null)
    return apiError(response.status, `The server answered ${response.status}.`);
  const { detail, errors, current } = problem as {
    detail?: string;
    errors?: readonly { path: string; message: string }[];
    current?: unknown;
  };
  const first = errors?.[0];
  const message = first
    ? `${first.path.replace(/^\//, "")}: ${first.message}`
    : (detail ?? `The server answered ${response.status}.`);
  return apiError(response.status, message, current);
}

function apiError(status: number, message: string, current?: unknown): ApiError {
  return Object.assign(new Error(message), { status, current });
}

function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && "status" in error;
}
