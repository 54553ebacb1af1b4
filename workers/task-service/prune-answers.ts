import { keptHours } from "../../shared/http/request-key.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import type { Role } from "../../shared/role.ts";
import { sleep } from "../../shared/wait.ts";

const everyMs = 60_000;
const perRound = 5000;

/** Deletes kept answers older than a day, oldest first, and returns how many. Safe to run in many places at once. */
export async function pruneAnswers({ sql }: Readonly<{ sql: Sql }>): Promise<number> {
  const pruned = await sql`
    delete from idempotency_keys where (user_id, key) in (
      select user_id, key from idempotency_keys
      where created_at < clock_timestamp() - ${keptHours} * interval '1 hour'
      order by created_at limit ${perRound} for update skip locked)`;
  return pruned.count;
}

/** Prunes every minute until the role stops; a failure is told and tried again a minute later. */
export async function keepPruning(
  db: Readonly<{ sql: Sql }>,
  { signal, log }: Pick<Role, "signal" | "log">,
): Promise<void> {
  while (!signal.aborted) {
    try {
      // A full round means there is more.
      while (!signal.aborted && (await pruneAnswers(db)) === perRound);
    } catch (error) {
      log.warn("prune_failed", { error });
    }
    await sleep(everyMs, signal);
  }
}
