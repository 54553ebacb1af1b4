import type { Page, Reminder, Session, Task } from "./shapes.ts";

/** What the server said was wrong; `status` 0 means it was not reached. */
export type ApiError = Error & Readonly<{ status: number }>;

export function isSignedOut(error: unknown): boolean {
  return error instanceof Error && "status" in error && error.status === 401;
}

export type NewTask = Readonly<{
  title: string;
  due_date: string | null;
  recurrence_pattern: Readonly<Record<string, unknown>> | null;
}>;

export type Snapshot = Readonly<{ tasks: readonly Task[]; reminders: readonly Reminder[]; cursor: string | null }>;

export const whoAmI = () => call<Session>("GET", "/v1/session");
export const signIn = (user: string) => call<Session>("POST", "/v1/session", { user });
export const signOut = () => call<null>("DELETE", "/v1/session");
export const createTask = (task: NewTask) => call<Task>("POST", "/v1/tasks", task);
export const completeTask = (id: string) => call<Task>("POST", `/v1/tasks/${id}/complete`);
export const reopenTask = (id: string) => call<Task>("POST", `/v1/tasks/${id}/reopen`);
export const deleteTask = (id: string) => call<null>("DELETE", `/v1/tasks/${id}`);
export const dismissReminder = (id: string) => call<Reminder>("POST", `/v1/reminders/${id}/dismiss`);

/** Every task and reminder with the stream position from before the first read: streaming from there misses nothing. */
export async function readSnapshot(): Promise<Snapshot> {
  let cursor: string | null = null;
  const noteCursor = (headers: Headers) => (cursor ??= headers.get("x-stream-cursor"));
  const tasks = await readAll<Task>("/v1/tasks?status=all&templates=true&limit=200", noteCursor);
  const reminders = await readAll<Reminder>("/v1/reminders?limit=200", noteCursor);
  return { tasks, reminders, cursor };
}

async function readAll<T>(path: string, onHeaders: (headers: Headers) => void): Promise<readonly T[]> {
  const items: T[] = [];
  for (let next: string | null = null; ;) {
    const page: Page<T> = await call(
      "GET",
      next ? `${path}&cursor=${encodeURIComponent(next)}` : path,
      undefined,
      onHeaders,
    );
    items.push(...page.items);
    next = page.next_cursor;
    if (!next) return items;
  }
}

/** Retries what may pass by itself, with one idempotency key for all tries: a request sent twice is done once. */
async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  onHeaders?: (headers: Headers) => void,
): Promise<T> {
  const headers: Record<string, string> = method === "POST" ? { "idempotency-key": crypto.randomUUID() } : {};
  if (body !== undefined) headers["content-type"] = "application/json";
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch(() => null);
    if (response?.ok) {
      onHeaders?.(response.headers);
      // 204 has no body; every other answer is the JSON its path promises.
      return (response.status === 204 ? null : await response.json()) as T;
    }
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
  const { detail, errors } = problem as { detail?: string; errors?: readonly { path: string; message: string }[] };
  const first = errors?.[0];
  return apiError(
    response.status,
    first
      ? `${first.path.replace(/^\//, "")}: ${first.message}`
      : (detail ?? `The server answered ${response.status}.`),
  );
}

function apiError(status: number, message: string): ApiError {
  return Object.assign(new Error(message), { status });
}
