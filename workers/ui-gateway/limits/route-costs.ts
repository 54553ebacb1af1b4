type Cost = Readonly<{ method: string; path: RegExp; points: number; isFor?: (query: URLSearchParams) => boolean }>;

const scoped = (query: URLSearchParams) => query.getAll("scope").some((scope) => scope !== "this");

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
  { method: "POST", path: /^\/v1\/tasks\/[^/]+\/restore$/, isFor: scoped, points: 20 },
  // Up to 366 recurrences are found out and kept.
  { method: "POST", path: /^\/v1\/series\/[^/]+\/(?:un)?skip$/, points: 50 },
  { method: "POST", path: /^\/v1\/series\/[^/]+\/occurrences\/[^/]+\/[^/]+$/, points: 10 },
  { method: "GET", path: /^\/v1\/series\/[^/]+\/(?:occurrences|history)$/, points: 10 },
  { method: "GET", path: /^\/v1\/series$/, points: 5 },
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

/** What an operation of the API costs, for its description; `most` where the query decides. */
export function costRange(method: string, path: string): Readonly<{ points: number; most?: number }> {
  const of = (scope: string) => costOf({ method: method.toUpperCase(), path, query: new URLSearchParams({ scope }) });
  const [points, most] = [of("this"), of("all")];
  return points === most ? { points } : { points, most };
}

/** What a request costs the address it comes from, before anybody is known: `null` for nothing. */
export function addressCostOf({ method, path }: { method: string; path: string }): number | null {
  if (path === "/v1/session" && method === "POST") return 5;
  // Made of the documents of all roles.
  return path === "/docs" ? 10 : null;
}

/** What a request without a valid token or ticket costs its address. */
export const guessCost = 5;
