import { ownShard } from "../../shared/outbox/outbox.ts";
import type { Sql } from "../../shared/postgres/db.ts";

export type OutboxState = Readonly<{
  /** Rows committed and not yet published, and the age of the oldest, by the database's clock; 0 when there is none. */
  waiting: number;
  oldestSeconds: number;
  shards: readonly ShardState[];
  /** Keys that wait for an operator because the broker refused one of their messages. */
  holds: readonly Readonly<{ topic: string; key: string; reason: string; since: Date }>[];
}>;

type ShardState = Readonly<{
  shard: number;
  /** The relay that holds it; null when nobody does. */
  owner: string | null;
  epoch: number;
  waiting: number;
  oldestSeconds: number;
}>;

/** The outbox as one moment sees it. */
export async function readOutbox(sql: Sql): Promise<OutboxState> {
  const shards = await sql<ShardState[]>`
    select s.shard::int, case when s.expires_at > clock_timestamp() then s.owner end as owner, s.epoch::int,
      coalesce(w.waiting, 0)::int as waiting, coalesce(w.seconds, 0)::float8 as "oldestSeconds"
    from outbox_shards s
    left join (
      select ${ownShard(sql)} as shard, count(*) as waiting, round(extract(epoch from clock_timestamp() - min(created_at)), 1) as seconds
      from outbox where published_at is null group by 1
    ) w using (shard)
    order by s.shard`;
  const holds = await sql<OutboxState["holds"][number][]>`
    select topic, key, reason, since from outbox_holds order by since limit 100`;
  return {
    waiting: shards.reduce((sum, { waiting }) => sum + waiting, 0),
    oldestSeconds: Math.max(0, ...shards.map(({ oldestSeconds }) => oldestSeconds)),
    shards,
    holds,
  };
}
