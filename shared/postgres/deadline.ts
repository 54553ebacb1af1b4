import type { WatchPool } from "./pool-meters.ts";

/** The code of an error that says: no answer in time. What was asked may have happened or may happen yet. */
const deadlineCode = "DB_DEADLINE";

/** An Error with the code `DB_DEADLINE`. `what` is the statement or the transaction that was waited for. */
export function deadlineError(what: string, afterMs: number): Error & { code: typeof deadlineCode } {
  return Object.assign(new Error(`no answer from the database within ${afterMs} ms: ${what}`), {
    code: deadlineCode,
  } as const);
}

/** What boundStatement reads and replaces of a postgres.js query; its types do not show them. */
type Statement = {
  handler: (statement: Statement) => void;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  cancel: () => void;
  strings: readonly string[];
  /** True from sending to the answer. */
  active: boolean;
  /** Set by our patch of postgres.js once the query was given to a connection. */
  connection?: PostgresConnection;
};

/**
 * A connection of postgres.js, as far as our patch shows it. `end` closes it once what was sent on it has its answer.
 */
export type PostgresConnection = Readonly<{ destroy: () => void; end: () => unknown }>;

/** SQLSTATE of a write that a replica or a demoted primary refuses. */
const readOnlyCode = "25006";

type BoundStatement = Readonly<{ refuse?: () => Error | null; watch?: WatchPool | undefined }>;

/**
 * Gives a postgres.js query a deadline, counted from the moment it is executed, so waiting for a free connection is
 * included. When it passes the query rejects with `DB_DEADLINE`; a query still waiting is never sent, and the
 * connection of one that was sent is destroyed, because nobody knows what it will answer next. Anything but a query is
 * returned as it is. A connection that refuses writes is not used again: it may lead to a server that stays a replica
 * for ever, and a new one elsewhere. `refuse` is asked right before sending: an error it returns rejects the query
 * instead. `watch` is called for what is sent.
 */
export function boundStatement<T>(made: T, deadlineMs: number, { refuse, watch }: BoundStatement = {}): T {
  if (!isStatement(made)) return made;
  const send = made.handler;
  made.handler = (statement) => {
    const refusal = refuse?.();
    if (refusal) return statement.reject(refusal);
    const { resolve, reject } = statement;
    const end = watch?.();
    const timer = setTimeout(() => {
      // A cursor replaces resolve and reject at every page, so its end is only seen here.
      if (statement.connection && !statement.active) return end?.();
      const late = deadlineError(statement.strings.join("?").trim().slice(0, 120), deadlineMs);
      settle(late);
      reject(late);
      if (statement.connection) statement.connection.destroy();
      else statement.cancel();
    }, deadlineMs);
    // Destroying or cancelling rejects it once more.
    let settled = false;
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      if (!settled) end?.(error);
      settled = true;
    };
    statement.resolve = (value) => {
      settle();
      resolve(value);
    };
    statement.reject = (error) => {
      settle(error);
      if (error instanceof Error && "code" in error && error.code === readOnlyCode) void statement.connection?.end();
      reject(error);
    };
    send(statement);
  };
  return made;
}

// Fragments and identifiers come through the same tag; only what has a handler is ever sent.
function isStatement(made: unknown): made is Statement {
  return made instanceof Promise && "handler" in made && typeof made.handler === "function" && "reject" in made;
}
