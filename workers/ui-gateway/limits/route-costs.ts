type Cost = Readonly<{ method: string; path: RegExp; points: number; isFor?: (query: URLSearchParams) => boolean }>;

const scoped = (query: URLSearchParams) => query.getAll("scope").some((scope) => scope !== "this");
/** Whether a list is more than a page of one index: any filter may have to look at all tasks of the user. */
const finds = (query: URLSearchParams) =>
  [...query.keys()].some((name) => !["status", "templates", "limit", "cursor"].includes(name));

/**
 * What a read costs, and a write. A point is about 1.5 ms of CPU over all roles, measured: a write is 7 ms, a page of a
 * list 2 ms.
 */
export const usualCosts = { read: 1, write: 5 } as const;

/** Of what a role says it made beyond the first event, each costs as a write does. */
export const eventCost = usualCosts.write;

/** What costs more, or less, than its method says; of several that fit, the dearest. */
export const routeCosts: readonly Cost[] = [
  // Each locks and reads all open occurrences of the series; what it changes is charged by the event afterwards.
  { method: "PATCH", path: /^\/v1\/tasks\/[^/]+$/, isFor: scoped, points: 20 },
  { method: "DELETE", path: /^\/v1\/tasks\/[^/]+$/, isFor: scoped, points: 20 },
  { method: "POST", path: /^\/v1\/tasks\/[^/]+\/stop-after$/, points: 20 },
  // Locks and reads up to 500 tasks; what it changes is charged by the event afterwards.
  { method: "POST", path: /^\/v1\/batch$/, points: 20 },
  { method: "POST", path: /^\/v1\/tasks\/[^/]+\/restore$/, points: 20 },
  // Up to 366 recurrences are found out and kept.
  { method: "POST", path: /^\/v1\/series\/[^/]+\/(?:un)?skip$/, points: 50 },
  { method: "POST", path: /^\/v1\/series\/[^/]+\/occurrences\/[^/]+\/[^/]+$/, points: 10 },
  { method: "GET", path: /^\/v1\/series\/[^/]+\/(?:occurrences|history)$/, points: 10 },
  { method: "GET", path: /^\/v1\/series$/, points: 5 },
  { method: "GET", path: /^\/v1\/tasks$/, isFor: finds, points: 5 },
  { method: "GET", path: /^\/v1\/tags$/, points: 5 },
  // Every task of the user is read.
  { method: "GET", path: /^\/v1\/export\.ics$/, points: 50 },
  // Every open task of the user is decided again.
  { method: "PUT", path: /^\/v1\/preferences$/, points: 25 },
  { method: "PATCH", path: /^\/v1\/preferences$/, points: 25 },
  { method: "POST", path: /^\/v1\/notifications\/(?:endpoints\/)?[^/]+\/(?:resend|enable|test)$/, points: 25 },
  { method: "GET", path: /^\/v1\/stream$/, points: 5 },
  { method: "GET", path: /^\/v1\/sync$/, points: 2 },
];

/** What a request costs its user, by its address alone. HEAD is asked as GET. */
export function costOf({ method, path, query }: { method: string; path: string; query: URLSearchParams }): number {
  const asked = method === "HEAD" ? "GET" : method;
  const fitting = routeCosts.filter(
    (cost) => cost.method === asked && cost.path.test(path) && (cost.isFor?.(query) ?? true),
  );
  const usual = asked === "GET" || asked === "OPTIONS" ? usualCosts.read : usualCosts.write;
  return fitting.length === 0 ? usual : Math.max(...fitting.map(({ points }) => points));
}

/** `most` is what it costs where the query says what `when` tells. */
type CostRange = Readonly<{ points: number; most?: number; when?: string }>;

/** What an operation of the API costs, for its description. */
export function costRange(method: string, path: string): CostRange {
  const of = (query: Readonly<Record<string, string>>) =>
    costOf({ method: method.toUpperCase(), path, query: new URLSearchParams(query) });
  const points = of({});
  const isRead = method.toLowerCase() === "get";
  const most = of(isRead ? { filter: "today" } : { scope: "all" });
  if (most === points) return { points };
  return {
    points,
    most,
    when: isRead ? "where it finds or sorts" : `with a scope, and ${eventCost} for each further event`,
  };
}

/** What a request costs the address it comes from, before anybody is known: `null` for nothing. */
export function addressCostOf({ method, path }: { method: string; path: string }): number | null {
  if (path === "/v1/session" && method === "POST") return 5;
  // Made of the documents of all roles.
  return path === "/docs" ? 10 : null;
}

/** What a request without a valid token or ticket costs its address. */
export const guessCost = 5;
