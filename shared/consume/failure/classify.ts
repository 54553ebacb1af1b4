import { problems } from "../../problem.ts";

/**
 * What a failure means for the message that met it.
 * `dependency_down`: something needed is not there; wait for it, for ever, at no cost to the message.
 * `throttled`: come back later, as told. `permanent` and `invalid`: trying again will not help; confirmed once.
 * `unknown`: retried some times, then given up on.
 */
export type FailureClass = (typeof failureClasses)[number];
export const failureClasses = ["dependency_down", "throttled", "permanent", "invalid", "unknown"] as const;

/** The class of that name; anything else (what was never tried) is `unknown`. */
export function failureClassOf(name: string): FailureClass {
  return failureClasses.find((one) => one === name) ?? "unknown";
}

/**
 * Rows that prove themselves: Postgres, or the client of the registry, says so of itself, whatever the message. A probe
 * that answers is no proof of the opposite: on a full disk a small write may fit where a larger one does not.
 */
const certain: ReadonlySet<string> = new Set([
  "SQLSTATE 25006",
  "SQLSTATE 53100",
  "SQLSTATE 53300",
  "SQLSTATE 57P03",
  "SCHEMA_INCOMPATIBLE",
  "UNAVAILABLE",
]);

/**
 * The closed table. A row matches the `code`, `apiId` or `name` of an error, exactly or, with a `*`, by prefix or
 * ending.
 */
export const failureTable: readonly (readonly [mark: string, is: FailureClass, why: string])[] = [
  // Postgres: SQLSTATE (appendix A of its manual), then what its client and our deadlines say.
  ["SQLSTATE 08*", "dependency_down", "the connection broke or could not be made"],
  ["SQLSTATE 53100", "dependency_down", "the disk of the database is full"],
  ["SQLSTATE 53300", "dependency_down", "the server has no connection left"],
  ["SQLSTATE 53*", "dependency_down", "out of memory or another resource"],
  ["SQLSTATE 57P03", "dependency_down", "the server is starting, or recovers from a crash"],
  ["SQLSTATE 57P*", "dependency_down", "the server is shutting down or was killed"],
  ["SQLSTATE 58*", "dependency_down", "an error of the system below Postgres"],
  ["SQLSTATE 25006", "dependency_down", "the database is read-only: a replica, or a primary that was demoted"],
  ["SQLSTATE 22*", "permanent", "a value the database cannot hold"],
  ["SQLSTATE 23*", "permanent", "the message contradicts what is stored"],
  ["SQLSTATE 40*", "unknown", "a deadlock or serialization failure that outlived its immediate retries"],
  ["SQLSTATE 55P03", "unknown", "a lock was not to be had in time"],
  ["SQLSTATE 57014", "unknown", "the statement took too long"],
  ["SQLSTATE 42*", "unknown", "code and schema differ: a deployment in progress, or a bug"],
  ["CONNECTION_*", "dependency_down", "the client lost its connection to Postgres"],
  ["CONNECT_TIMEOUT", "dependency_down", "no connection to Postgres in time"],
  ["DB_DEADLINE", "dependency_down", "Postgres did not answer in time"],
  ["TX_OVER", "dependency_down", "the transaction was cut off below the handler"],
  // Sockets, of Node's names and of Bun's.
  ["ECONNREFUSED", "dependency_down", "nobody listens"],
  ["ECONNRESET", "dependency_down", "the connection broke"],
  ["EPIPE", "dependency_down", "the connection broke"],
  ["ETIMEDOUT", "dependency_down", "no answer in time"],
  ["ENOTFOUND", "dependency_down", "the host has no address"],
  ["EAI_AGAIN", "dependency_down", "names cannot be resolved now"],
  ["EHOSTUNREACH", "dependency_down", "no way to the host"],
  ["ENETUNREACH", "dependency_down", "no way to the network"],
  ["ConnectionRefused", "dependency_down", "nobody listens"],
  ["ConnectionClosed", "dependency_down", "the connection broke"],
  ["FailedToOpenSocket", "dependency_down", "no way to the host"],
  ["TimeoutError", "dependency_down", "no answer in time"],
  // Schemas. The registry's client says UNAVAILABLE when it cannot ask.
  [
    "SCHEMA_INCOMPATIBLE",
    "dependency_down",
    "this build cannot read that writer: wait for the right one to be deployed",
  ],
  // Kafka, through its client.
  ["PLT_KFK_NETWORK", "dependency_down", "no way to the broker"],
  ["PLT_KFK_TIMEOUT", "dependency_down", "the broker did not answer in time"],
  ["TIMEOUT", "dependency_down", "the broker did not answer us in time, whatever its client waits for"],
  ["PLT_KFK_AUTHENTICATION", "dependency_down", "the broker does not let us in"],
  ["NOT_ENOUGH_REPLICAS*", "dependency_down", "too few replicas of the broker are in sync"],
  ["LEADER_NOT_AVAILABLE", "dependency_down", "a partition has no leader now"],
  ["NOT_LEADER_OR_FOLLOWER", "dependency_down", "a partition's leader has moved"],
  ["COORDINATOR_*", "dependency_down", "the group's coordinator is not there"],
  ["NOT_COORDINATOR", "dependency_down", "the group's coordinator has moved"],
  ["THROTTLING_QUOTA_EXCEEDED", "throttled", "the broker's quota is used up"],
  ["MESSAGE_TOO_LARGE", "permanent", "the broker takes no record of this size"],
  ["INVALID_RECORD", "permanent", "the broker refuses the record"],
  ["KAFKA_STORAGE_ERROR", "dependency_down", "a disk of the broker failed or is full"],
  ["REQUEST_TIMED_OUT", "dependency_down", "the broker did not get it done in time"],
  ["BROKER_NOT_AVAILABLE", "dependency_down", "a broker is not there"],
  ["REPLICA_NOT_AVAILABLE", "dependency_down", "a replica of a partition is not there"],
  ["NETWORK_EXCEPTION", "dependency_down", "the brokers do not reach one another"],
  ["OFFSET_NOT_AVAILABLE", "dependency_down", "a partition's new leader does not know its end yet"],
  [
    "*_AUTHORIZATION_FAILED",
    "dependency_down",
    "the broker lets us in and does not let us do it: an operator mends that",
  ],
  // Redis.
  ["MaxRetriesPerRequestError", "dependency_down", "no way to Redis"],
  ["ClusterAllFailedError", "dependency_down", "no node of Redis answers"],
  ["REDIS READONLY", "dependency_down", "connected to a replica of Redis: a failover is under way"],
  ["REDIS OOM", "dependency_down", "Redis has no memory left to write with"],
  ["REDIS LOADING", "dependency_down", "Redis is starting and reads its data"],
  ["REDIS MISCONF", "dependency_down", "Redis cannot save to its disk and takes no writes"],
  ["REDIS MASTERDOWN", "dependency_down", "a replica of Redis has lost its primary"],
  ["REDIS CLUSTERDOWN", "dependency_down", "the cluster of Redis is not whole"],
  // HTTP, where an error carries a status.
  ["HTTP 408", "dependency_down", "the server did not answer in time"],
  ["HTTP 425", "throttled", "too early"],
  ["HTTP 429", "throttled", "too many requests"],
  ["HTTP 500", "unknown", "the server broke, perhaps over this message"],
  ["HTTP 5*", "dependency_down", "the server or the way to it is down"],
  ["HTTP 4*", "permanent", "the server will never take it"],
  // What is wrong with the message itself.
  ["UNDECODABLE", "invalid", "the bytes are not a record of their schema"],
  ["INVALID_REQUEST", "invalid", "the content is not valid"],
  ["ZodError", "invalid", "the content is not valid"],
  ["INVARIANT", "permanent", "the message contradicts what is stored"],
  ["UNAVAILABLE", "dependency_down", "a part of the system is not reachable"],
  // Ours: the probes answered twice and the message still failed as if something were down.
  ["DEPENDENCY_ANSWERS", "unknown", "what looked down answers, and still the message fails"],
  ["HANDLER_DEADLINE", "unknown", "the handler did not settle in time"],
];

/** The first error of the chain (itself, then causes, then what it aggregates) that the table or the problems know. */
export function classify(error: unknown): FailureClass {
  return find(error, (one) => classOf(one)) ?? "unknown";
}

/**
 * The row of the table that says this error is an outage, by its mark; `null` for an error that says something else.
 * `isCertain`: it needs no probe to prove it.
 */
export function outageOf(error: unknown): Readonly<{ mark: string; isCertain: boolean }> | null {
  if (classify(error) !== "dependency_down") return null;
  const mark = find(error, (one) => rowOf(one)?.[0] ?? null) ?? "UNAVAILABLE";
  return { mark, isCertain: certain.has(mark) };
}

/** Whether the broker knows who asks and does not allow it, which only a person can mend. */
export function isRefusal(error: unknown): boolean {
  return outageOf(error)?.mark === "*_AUTHORIZATION_FAILED";
}

/** A deadlock or a serialization failure: nobody's fault, gone when tried again at once and alone. */
export function isConflict(error: unknown): boolean {
  return find(error, (one) => ("code" in one && (one.code === "40P01" || one.code === "40001") ? true : null)) ?? false;
}

/** Seconds a throttled sender was told to wait; `null` when it was not told. */
export function retryAfterSeconds(error: unknown): number | null {
  return find(error, (one) => {
    const extra: unknown = "extra" in one ? one.extra : one;
    if (typeof extra !== "object" || extra === null || !("retryAfterSeconds" in extra)) return null;
    return typeof extra.retryAfterSeconds === "number" ? extra.retryAfterSeconds : null;
  });
}

function rowOf(error: Error) {
  const marks = marksOf(error);
  return failureTable.find(([mark]) => marks.some((one) => matches(mark, one)));
}

function classOf(error: Error): FailureClass | null {
  const row = rowOf(error);
  if (row !== undefined) return row[1];
  const problem = Object.entries(problems).find(([code]) => "code" in error && error.code === code)?.[1];
  return problem === undefined ? null : problem.retry ? "unknown" : "permanent";
}

function marksOf(error: Error): readonly string[] {
  const marks = [error.name];
  if ("code" in error && typeof error.code === "string")
    // Only the database's own errors have a severity; five letters alone could be anyone's ("EPIPE").
    marks.push("severity" in error || /^\d[0-9A-Z]{4}$/.test(error.code) ? `SQLSTATE ${error.code}` : error.code);
  if ("apiId" in error && typeof error.apiId === "string") marks.push(error.apiId);
  // A server's refusal begins with its code: "READONLY You can't write against a read only replica."
  if (error.name === "ReplyError") marks.push(`REDIS ${/^(?:-)?([A-Z]+)\b/.exec(error.message)?.[1] ?? "ERR"}`);
  if ("status" in error && typeof error.status === "number") marks.push(`HTTP ${error.status}`);
  return marks;
}

function matches(mark: string, one: string): boolean {
  if (mark.endsWith("*")) return one.startsWith(mark.slice(0, -1));
  return mark.startsWith("*") ? one.endsWith(mark.slice(1)) : one === mark;
}

function find<T>(error: unknown, of: (error: Error) => T | null, depth = 0): T | null {
  if (!(error instanceof Error) || depth > 8) return null;
  const found = of(error);
  if (found !== null) return found;
  const nested: readonly unknown[] = "errors" in error && Array.isArray(error.errors) ? error.errors : [];
  for (const inner of [error.cause, ...nested]) {
    const deeper = find(inner, of, depth + 1);
    if (deeper !== null) return deeper;
  }
  return null;
}
