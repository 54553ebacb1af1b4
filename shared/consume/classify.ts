import { problems } from "../problem.ts";

/**
 * What a failure means for the message that met it.
 * `dependency_down`: something needed is not there; wait for it, for ever, at no cost to the message.
 * `throttled`: come back later, as told. `permanent` and `invalid`: trying again will not help; confirmed once.
 * `unknown`: retried some times, then given up on.
 */
export type FailureClass = (typeof failureClasses)[number];
const failureClasses = ["dependency_down", "throttled", "permanent", "invalid", "unknown"] as const;

/** The class of that name; anything else (what was never tried) is `unknown`. */
export function failureClassOf(name: string): FailureClass {
  return failureClasses.find((one) => one === name) ?? "unknown";
}

/** The closed table. A row matches the `code`, `apiId` or `name` of an error, exactly or, where it ends in `*`, by prefix. */
export const failureTable: readonly (readonly [mark: string, is: FailureClass, why: string])[] = [
  // Postgres: SQLSTATE (appendix A of its manual), then what its client and our deadlines say.
  ["SQLSTATE 08*", "dependency_down", "the connection broke or could not be made"],
  ["SQLSTATE 53*", "dependency_down", "out of disk, memory or connections"],
  ["SQLSTATE 57P*", "dependency_down", "the server is shutting down, starting or was killed"],
  ["SQLSTATE 58*", "dependency_down", "an error of the system below Postgres"],
  ["SQLSTATE 25006", "dependency_down", "connected to a replica: a failover is under way"],
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
  // Redis.
  ["MaxRetriesPerRequestError", "dependency_down", "no way to Redis"],
  ["ClusterAllFailedError", "dependency_down", "no node of Redis answers"],
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

function classOf(error: Error): FailureClass | null {
  const marks = marksOf(error);
  const row = failureTable.find(([mark]) => marks.some((one) => matches(mark, one)));
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
  if ("status" in error && typeof error.status === "number") marks.push(`HTTP ${error.status}`);
  return marks;
}

function matches(mark: string, one: string): boolean {
  return mark.endsWith("*") ? one.startsWith(mark.slice(0, -1)) : one === mark;
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
