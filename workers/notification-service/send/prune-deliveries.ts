import type { Log } from "../../../shared/role/log.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import type { UpkeepSteps } from "../../../shared/role/upkeep.ts";
import { pruneMailAttempts } from "./put-off-hourly.ts";

const perStatement = 1_000;

type PruneOptions = Readonly<{ keepDays: number; signal: AbortSignal }>;

/** Forgets all that is over: mails counted, lanes nobody uses, deliveries. */
export function deliveriesUpkeep(sql: Sql, pruning: PruneOptions, log: Log): UpkeepSteps {
  return {
    mail_attempts: () => pruneMailAttempts(sql, pruning.signal),
    delivery_lanes: () => pruneLanes(sql, pruning),
    deliveries: async () => {
      const pruned = await pruneDeliveries(sql, pruning);
      if (pruned > 0) log.info("deliveries_pruned", { count: pruned });
    },
  };
}

/**
 * Deletes deliveries settled more than `keepDays` ago, oldest first, 1,000 at a time, until none is left or `signal` is
 * aborted. Waiting ones stay, and a digest goes before its reminders. A delivery was settled at its last attempt; one
 * that was never tried goes by its age. Resolves with how many. Any number of instances may run it at once.
 */
export async function pruneDeliveries(sql: Sql, { keepDays, signal }: PruneOptions): Promise<number> {
  for (let pruned = 0; ;) {
    const deleted = await sql`
      delete from deliveries where id in (
        select id from deliveries
        where created_at < clock_timestamp() - ${keepDays} * interval '1 day' and status not in ('pending', 'sending', 'bundled')
          and greatest(next_attempt_at, delivered_at) < clock_timestamp() - ${keepDays} * interval '1 day'
          and not exists (select from deliveries digest where digest.id = deliveries.digest_id)
        order by created_at limit ${perStatement} for update skip locked)
      returning id`;
    pruned += deleted.length;
    if (deleted.length < perStatement || signal.aborted) return pruned;
  }
}

/**
 * Deletes delivery lanes that were made, and last tested, more than `keepDays` ago, if nothing waits in them and they
 * have neither failures nor been disabled: a person may have had any number of addresses. A later delivery makes its
 * lane again. Takes 1,000 at a time and leaves the rest to the next run. Resolves with how many.
 */
export async function pruneLanes(sql: Sql, { keepDays }: Pick<PruneOptions, "keepDays">): Promise<number> {
  const deleted = await sql`
    delete from delivery_lanes where id in (
      select id from delivery_lanes
      where next_at is null and failures = 0 and disabled_at is null
        and greatest(created_at, tested_at) < clock_timestamp() - ${keepDays} * interval '1 day'
        and not exists (select from deliveries where lane = delivery_lanes.id and status = 'pending')
        and not exists (select from deliveries where lane = delivery_lanes.id and status = 'sending')
      order by id limit ${perStatement} for update skip locked)
    returning id`;
  return deleted.length;
}
