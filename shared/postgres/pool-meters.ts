import type { Metrics } from "../role/metrics.ts";

/**
 * Called when a statement or transaction asks for a connection; what it returns is called with the error, or nothing,
 * at its end.
 */
export type WatchPool = () => (error?: unknown) => void;

const kinds = ["deadline", "connection", "resources", "conflict", "refused"] as const;
type PoolKind = (typeof kinds)[number];

/**
 * The figures of one pool. More users than connections means that some of them wait; postgres.js itself does not tell.
 */
export function makePoolMeters(metrics: Metrics, connections: number): WatchPool {
  metrics.gauge("postgres_pool_connections", "Connections the pool may have").set(connections);
  const users = metrics.gauge("postgres_pool_users", "Statements and transactions that have or wait for a connection");
  const failures = metrics.counter("postgres_failures_total", "Statements and transactions that failed", ["kind"]);
  users.set(0);
  for (const kind of kinds) failures.inc({ kind }, 0);
  return () => {
    users.inc();
    return (error) => {
      users.dec();
      const kind = kindOf(error);
      if (kind !== null) failures.inc({ kind });
    };
  };
}

/** Null for what is not Postgres's: a transaction also fails because its caller wants it to. */
function kindOf(error: unknown): PoolKind | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  const { code, name } = error;
  if (code === "DB_DEADLINE") return "deadline";
  // A socket's own codes come from both runtimes, in two spellings.
  if (/^(CONNECT|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|Connection|FailedToOpenSocket)/.test(code))
    return "connection";
  if (name !== "PostgresError") return null;
  if (/^(08|57P)/.test(code)) return "connection";
  if (/^(53|58|25006)/.test(code)) return "resources";
  return code.startsWith("40") ? "conflict" : "refused";
}
