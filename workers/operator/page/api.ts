const tokenItem = "taskwire-operator-token";
const nameItem = "taskwire-operator-name";

/** What the server said was wrong; `status` 0 means it was not reached. */
export type ApiError = Error & Readonly<{ status: number }>;

export const hasToken = (): boolean => sessionStorage.getItem(tokenItem) !== null;
export function keepToken(token: string, name: string): void {
  sessionStorage.setItem(tokenItem, token);
  sessionStorage.setItem(nameItem, name);
}
export function forgetToken(): void {
  sessionStorage.removeItem(tokenItem);
}

export function statusOf(error: unknown): number | null {
  return error instanceof Error && "status" in error && typeof error.status === "number" ? error.status : null;
}

/** Headers that say who asks. */
export function credentials(): Record<string, string> {
  const name = sessionStorage.getItem(nameItem) ?? "";
  return {
    authorization: `Bearer ${sessionStorage.getItem(tokenItem) ?? ""}`,
    // Header values are ASCII.
    ...(/^[\x20-\x7e]+$/.test(name) ? { "x-operator": name } : {}),
  };
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);
export const post = <T>(path: string, body: object): Promise<T> => call<T>("POST", path, body);

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const headers = { ...credentials(), ...(body === undefined ? {} : { "content-type": "application/json" }) };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(path, { method, headers, ...sent }).catch(() => null);
  if (response === null) throw apiError(0, "The operator cannot be reached. Is it running?");
  const answer: unknown = await response.json().catch(() => null);
  // Every answer is the JSON its path promises.
  if (response.ok) return answer as T;
  const detail = typeof answer === "object" && answer !== null && "detail" in answer ? String(answer.detail) : null;
  throw apiError(response.status, detail ?? `The operator answered ${response.status}.`);
}

function apiError(status: number, message: string): ApiError {
  return Object.assign(new Error(message), { status });
}
