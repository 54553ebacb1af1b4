import type { RouteAnswer, RouteInput, Route } from "./shapes.ts";

const tokenItem = "taskwire-operator-token";
const nameItem = "taskwire-operator-name";

/** What the server said was wrong; `status` 0 means it was not reached. */
type OperatorApiError = Error & Readonly<{ status: number }>;

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

/** Calls an action by its route. */
export async function call<R extends Route>(route: R, asked: RouteInput<R>): Promise<RouteAnswer<R>> {
  const [method = "", pattern = ""] = route.split(" ");
  const fields = new Map<string, unknown>(Object.entries(asked));
  const path = pattern.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = encodeURIComponent(String(fields.get(name)));
    fields.delete(name);
    return value;
  });
  const query = new URLSearchParams([...fields].map(([name, value]) => [name, String(value)]));
  const isChange = method === "POST";
  const address = isChange || query.size === 0 ? path : `${path}?${query}`;
  const headers = { ...credentials(), ...(isChange ? { "content-type": "application/json" } : {}) };
  const sent = isChange ? { body: JSON.stringify(Object.fromEntries(fields)) } : {};
  const response = await fetch(address, { method, headers, ...sent }).catch(() => null);
  if (response === null) throw apiError(0, "The operator cannot be reached. Is it running?");
  const answer: unknown = await response.json().catch(() => null);
  // The JSON of what the action of this route returned.
  if (response.ok) return answer as RouteAnswer<R>;
  const detail = typeof answer === "object" && answer !== null && "detail" in answer ? String(answer.detail) : null;
  throw apiError(response.status, detail ?? `The operator answered ${response.status}.`);
}

function apiError(status: number, message: string): OperatorApiError {
  return Object.assign(new Error(message), { status });
}
