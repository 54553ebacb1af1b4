import type { Sql, Tx } from "./sql.ts";
import { boundStatement, deadlineError, type PostgresConnection } from "./deadline.ts";

export type TransactionOptions = Readonly<{
  /** For the whole transaction, waiting for a connection included; 30 s by default. */
  deadlineMs?: number;
  /** What stands after BEGIN, such as "isolation level repeatable read read only". */
  mode?: string;
}>;

/**
 * The one way to a transaction. postgres.js goes on with a callback whose connection has died: its next statement runs
 * on the replacement connection, inside another caller's transaction (upstream #1204, #1215). Here, once the
 * transaction has failed, further statements of the callback reject and the callback never settles, so nothing of it is
 * committed or rolled back.
 */
export async function beginFenced<T>(
  client: Sql,
  work: (tx: Tx) => Promise<T>,
  options: TransactionOptions & Readonly<{ deadlineMs: number; statementDeadlineMs: number }>,
): Promise<T> {
  let over: Error | null = null;
  let finished = false;
  const refusal = (): Error | null => over ?? (finished ? isOver() : null);
  let connection: PostgresConnection | undefined;
  const never = new Promise<never>(() => {});
  const begun = client.begin(options.mode ?? "", async (raw): Promise<unknown> => {
    connection = connectionOf(raw);
    if (over) throw over;
    try {
      const result = await work(fence(raw, options.statementDeadlineMs, refusal));
      return over ? never : result;
    } catch (error) {
      if (over) return never;
      throw error;
    } finally {
      // What work left behind without waiting for it would run on whoever has the connection next.
      finished = true;
    }
  });
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    over = deadlineError("transaction", options.deadlineMs);
    reject(over);
    connection?.destroy();
  }, options.deadlineMs);
  try {
    // begin() hands back what the callback resolved with.
    return (await Promise.race([begun, late])) as T;
  } catch (error) {
    over ??= isOver(error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function isOver(cause?: unknown): Error {
  return Object.assign(new Error("the transaction is over", { cause }), { code: "TX_OVER" });
}

function fence(raw: Tx, statementDeadlineMs: number, refusal: () => Error | null): Tx {
  const bound = <V>(made: V): V => boundStatement(made, statementDeadlineMs, { refuse: refusal });
  return new Proxy(raw, {
    apply: (target, self, args) => bound(Reflect.apply(target, self, args)),
    get: (target, name, self) => {
      if (name === "unsafe") return (...args: Parameters<Tx["unsafe"]>) => bound(target.unsafe(...args));
      if (name === "savepoint")
        return (...args: readonly [...name: string[], work: (inner: Tx) => Promise<unknown>]) => {
          const over = refusal();
          if (over) return Promise.reject(over);
          const [work, name] = args.toReversed() as [(inner: Tx) => Promise<unknown>, string?];
          let ended = false;
          const fenced = async (inner: Tx) => {
            try {
              return await work(fence(inner, statementDeadlineMs, () => refusal() ?? (ended ? isOver() : null)));
            } finally {
              // What it left behind must not run in the transaction around it, after the rollback to the savepoint.
              ended = true;
            }
          };
          return name === undefined ? target.savepoint(fenced) : target.savepoint(name, fenced);
        };
      return Reflect.get(target, name, self);
    },
  });
}

// Our patch of postgres.js puts it there; the types do not know.
function connectionOf(tx: Tx): PostgresConnection | undefined {
  return (tx as Tx & { connection?: PostgresConnection }).connection;
}
