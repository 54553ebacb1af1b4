import { outageOf } from "../consume/failure/classify.ts";
import type { Metrics } from "./metrics.ts";

/** What a part of a process waits for, and how that fails: labels of `dependency_down`. */
type Outage = Readonly<{ dependency: DependencyName; reason: Reason }>;
type DependencyName = "postgres" | "registry" | "kafka" | "redis" | "build" | "other";
type Reason =
  | "read_only"
  | "full"
  | "no_connections"
  | "starting"
  | "stopping"
  | "unreachable"
  | "silent"
  | "refusing"
  | "incompatible"
  | "failing";

/** By the marks of the table of failures; the first that fits. */
const kinds: readonly (readonly [mark: RegExp, dependency: DependencyName, reason: Reason])[] = [
  [/^SQLSTATE 25006$/, "postgres", "read_only"],
  [/^SQLSTATE 53100$/, "postgres", "full"],
  [/^SQLSTATE 53300$/, "postgres", "no_connections"],
  [/^SQLSTATE 57P03$/, "postgres", "starting"],
  [/^SQLSTATE 57P/, "postgres", "stopping"],
  [/^SQLSTATE 08|^CONNECT|^TX_OVER$/, "postgres", "unreachable"],
  [/^DB_DEADLINE$/, "postgres", "silent"],
  [/^SQLSTATE /, "postgres", "failing"],
  [/^UNAVAILABLE$/, "registry", "unreachable"],
  [/^SCHEMA_INCOMPATIBLE$/, "build", "incompatible"],
  [/^REDIS (?:READONLY|MASTERDOWN)$/, "redis", "read_only"],
  [/^REDIS (?:OOM|MISCONF)$/, "redis", "full"],
  [/^REDIS LOADING$/, "redis", "starting"],
  [/^REDIS |^ClusterAllFailedError$|^MaxRetriesPerRequestError$/, "redis", "unreachable"],
  [/^PLT_KFK_TIMEOUT$|^TIMEOUT$|^REQUEST_TIMED_OUT$/, "kafka", "silent"],
  [/^PLT_KFK_AUTHENTICATION$|_AUTHORIZATION_FAILED$/, "kafka", "refusing"],
  [/^PLT_KFK_NETWORK$/, "kafka", "unreachable"],
  [/^(?:ETIMEDOUT|TimeoutError)$/, "other", "silent"],
  [/^HTTP /, "other", "failing"],
  [/^E[A-Z_]+$|^[A-Z][a-z]+[A-Za-z]+$/, "other", "unreachable"],
];

/** `null` for an error that is no outage. What is not in `kinds` is of Kafka's protocol. */
export function describeOutage(error: unknown): Outage | null {
  const outage = outageOf(error);
  if (outage === null) return null;
  // What keeps a schema from being had may be Postgres, where schemas are kept.
  const cause = outage.mark === "UNAVAILABLE" && error instanceof Error ? describeOutage(error.cause) : null;
  if (cause?.dependency === "postgres") return cause;
  const kind = kinds.find(([mark]) => mark.test(outage.mark));
  return kind === undefined ? { dependency: "kafka", reason: "failing" } : { dependency: kind[1], reason: kind[2] };
}

/**
 * Tells what a part of the process waits for; `null` that it goes on. An error that is no outage is the same as `null`.
 */
export type TellOutage = (part: string, error: unknown) => void;

/**
 * What the parts of a process wait for, as the metric `dependency_down` and for `/readyz`. Parts are a closed set:
 * groups and loops.
 */
export function makeOutages(metrics: Metrics) {
  const down = metrics.gauge("dependency_down", "1 while a loop of the process waits for what is down", [
    "loop",
    "dependency",
    "reason",
  ]);
  // So that the metric is there before anything is down; every role begins with its database.
  down.set({ loop: "database", dependency: "postgres", reason: "unreachable" }, 0);
  const parts = new Map<string, Outage>();
  const tell: TellOutage = (part, error) => {
    const before = parts.get(part);
    const now = describeOutage(error);
    if (before !== undefined) down.set({ loop: part, ...before }, 0);
    if (now === null) return void parts.delete(part);
    down.set({ loop: part, ...now }, 1);
    parts.set(part, now);
  };
  return {
    tell,
    /** As "postgres (read_only): consumer task-service". */
    waiting: (): readonly string[] =>
      [...parts].map(([part, { dependency, reason }]) => `${dependency} (${reason}): ${part}`),
  };
}
