import type { Db } from "../../shared/postgres/db.ts";
import { shardCount } from "../../shared/outbox/outbox.ts";

const lockNumber = 7_145_620_123;
/** Looked at per shard and round: what is held gathers at the front, because the rest is published. */
const rowsPerLook = 1_000;
/** A round that moves fewer is the last. */
const fewRows = 500;

/**
 * Takes rows behind a hold out of the way of the claims, which otherwise go through all of them each time: 60,000 took
 * 200 ms. Their shard becomes -1 minus itself until the hold is gone: see the trigger on outbox_holds. Resolves with
 * how many. One relay does it at a time.
 */
export async function setAsideHeld(db: Db): Promise<number> {
  const [some] = await db.sql`select from outbox_holds limit 1`;
  if (some === undefined) return 0;
  for (let all = 0; ;) {
    const moved = await moveFirst(db);
    all += moved;
    if (moved < fewRows) return all;
  }
}

/** The lock on the holds makes a release wait until what is moved here is there to be moved back. */
async function moveFirst(db: Db): Promise<number> {
  return db.transaction(async (tx) => {
    const [lock] = await tx<{ got: boolean }[]>`select pg_try_advisory_xact_lock(${lockNumber}) as got`;
    if (!lock?.got) return 0;
    const moved = await tx`
      with front as materialized (
        select o.day, o.id, o.topic, o.key from generate_series(0, ${shardCount - 1}::int) as s(shard) cross join lateral (
          select day, id, topic, key from outbox
          where outbox.shard = s.shard and published_at is null order by id limit ${rowsPerLook}
        ) o
      ), held as materialized (
        select h.topic, h.key from outbox_holds h where (h.topic, h.key) in (select topic, key from front) for key share
      )
      update outbox o set shard = -1 - o.shard
      from front join held using (topic, key)
      -- See mark.ts for the comparison with infinity.
      where o.day = front.day and o.id = front.id and o.shard >= 0 and coalesce(o.published_at, 'infinity') = 'infinity'`;
    return moved.count;
  });
}
