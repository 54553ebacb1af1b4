import { keptHours } from "../../shared/http/request-key.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import { keepUp } from "../../shared/role/upkeep.ts";

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

/** Prunes every minute until the role stops. */
export function keepPruning(db: Readonly<{ sql: Sql }>, role: Parameters<typeof keepUp>[1]): Promise<void> {
  const steps = {
    kept_answers: async () => {
      // A full round means there is more.
      while (!role.signal.aborted && (await pruneAnswers(db)) === perRound);
    },
  };
  return keepUp({ everyMs, steps }, role);
}
