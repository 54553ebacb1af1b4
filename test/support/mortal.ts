import type { Db, Tx } from "../../shared/postgres/db.ts";

type Some = Pick<Db, "sql" | "transaction" | "notifier">;

/**
 * A database as a process sees it that may be killed before any of its statements: from then on none of them is sent,
 * and what its transactions had done is undone. `chance` is asked before each statement, with its text. Death is told
 * once.
 */
export function mortal(db: Some, chance: (text: string) => boolean, died: () => void) {
  let dead = false;
  const refuse = () => Promise.reject(Object.assign(new Error("killed"), { code: "ECONNREFUSED" }));
  const mayRun = (strings: unknown): boolean => {
    if (!dead && Array.isArray(strings) && chance(strings.join("?"))) {
      dead = true;
      died();
    }
    return !dead;
  };
  const wrap = <T extends Db["sql"] | Tx>(target: T): T =>
    new Proxy(target, {
      apply: (of, self, args: readonly unknown[]) =>
        mayRun(args[0]) ? Reflect.apply(of as (...given: readonly unknown[]) => unknown, self, args) : refuse(),
      get: (of, name, self) => {
        if (name === "savepoint")
          return (work: (inner: Tx) => Promise<unknown>) =>
            dead ? refuse() : (of as Tx).savepoint((inner) => work(wrap(inner)));
        return Reflect.get(of, name, self);
      },
    });
  const transaction: Db["transaction"] = (work, options) =>
    dead
      ? refuse()
      : db.transaction(async (tx) => {
          const result = await work(wrap(tx));
          // Killed after its last statement and before COMMIT.
          return mayRun(["commit"]) ? result : refuse();
        }, options);
  return {
    db: { sql: wrap(db.sql), transaction, notifier: db.notifier },
    kill: () => {
      if (dead) return;
      dead = true;
      died();
    },
    isDead: () => dead,
  };
}
