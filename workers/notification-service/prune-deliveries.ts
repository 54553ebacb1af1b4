import type { Sql } from "../../shared/postgres/db.ts";

const perStatement = 1_000;

/**
 * Forgets what was settled more than `keepDays` ago, oldest first, a thousand at a time, until nothing is left or `signal` is aborted;
 * what still waits stays, and what a digest told goes after the digest. When it was settled is that of its last attempt; what was never
 * tried goes by its age. Resolves with how many. Any number may do it at once.
 */
export async function pruneDeliveries(
  sql: Sql,
  { keepDays, signal }: Readonly<{ keepDays: number; signal: AbortSignal }>,
): Promise<number> {
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
