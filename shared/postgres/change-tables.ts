import type { Db, Tx } from "./db.ts";

/**
 * Runs a change of tables that holds locks which writers wait for. It waits `waitMs` for its own, because whoever comes
 * later waits behind it. Where this process is frozen in the middle, the server ends the transaction after a second and
 * gives the locks back.
 */
export async function changeTables<T>(
  db: Pick<Db, "transaction">,
  { waitMs }: Readonly<{ waitMs: number }>,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    await tx`
      select set_config('lock_timeout', ${`${waitMs}ms`}, true),
        set_config('idle_in_transaction_session_timeout', ${`${idleMs}ms`}, true)`;
    return work(tx);
  });
}

const idleMs = 1_000;
