import type { Sql } from "../../shared/postgres/db.ts";
import { pruneMailAttempts } from "./put-off-hourly.ts";

const perStatement = 1_000;

export type Pruning = Readonly<{ keepDays: number; signal: AbortSignal }>;

/** Forgets all that is over: mails counted, lanes nobody uses, deliveries. Resolves with how many of the last. */
export async function pruneAll(sql: Sql, pruning: Pruning): Promise<number> {
  await pruneMailAttempts(sql);
  await pruneLanes(sql, pruning);
  return await pruneDeliveries(sql, pruning);
}

/**
 * Forgets what was settled more than `keepDays` ago, oldest first, a thousand at a time, until nothing is left or `signal` is aborted;
 * what still waits stays, and what a digest told goes after the digest. When it was settled is that of its last attempt; what was never
 * tried goes by its age. Resolves with how many. Any number may do it at once.
 */
export async function pruneDeliveries(sql: Sql, { keepDays, signal }: Pruning): Promise<number> {
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
 * Forgets the lanes by which nothing has waited or was tested for `keepDays` and that are in no way ill: a person may have had any number of
 * addresses. What is to go by one later makes it again. A thousand at a time, as many as are left for the next time. Resolves with how many.
 */
export async function pruneLanes(sql: Sql, { keepDays }: Pick<Pruning, "keepDays">): Promise<number> {
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
