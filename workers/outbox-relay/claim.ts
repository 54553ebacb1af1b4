import type { Db } from "../../shared/postgres/db.ts";
import type { StoredHeader } from "../../shared/outbox/envelope.ts";
import type { Lease } from "./leases.ts";

/**
 * A row on its way to Kafka, with the lease it was claimed under. `bytes` is about what it takes in a batch,
 * uncompressed.
 */
export type ClaimedMessage = Readonly<{
  id: number;
  day: string;
  lease: Lease;
  /** When it was claimed, by the database's clock: the timestamp of its record in Kafka. ms since the epoch. */
  claimedAt: number;
  /** The line it waits in; 0 for none. */
  line: number;
  topic: string;
  key: string;
  sequence: number | null;
  value: Uint8Array;
  headers: readonly StoredHeader[];
  bytes: number;
  /**
   * When the row was inserted, µs since the epoch. Ids come again after the database went back in time; with this a row
   * is known.
   */
  created: string;
  /** `server_life()` of the claim. */
  life: string;
}>;

export type Claim = Readonly<{
  leases: readonly Lease[];
  /** Ids taken already and not marked yet. */
  busy: readonly number[];
  /** Topics that are left alone for a while. */
  except: readonly string[];
  /**
   * By topic, the generation of its layout that the producer knows. Of a topic that is held, or has another, nothing is
   * claimed.
   */
  layouts: ReadonlyMap<string, number>;
  rowsPerShard: number;
  bytesPerShard: number;
}>;

/**
 * For the pool that claims and marks. Without statistics, as in a partition of today, the planner reads and sorts the
 * whole backlog for every page: 55 ms against 3 ms with 60,000 rows waiting. The indexes give the order and the place.
 * And where statistics say that nothing waits, it would look through all that does for every row to be marked.
 */
export const claimSettings = {
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_sort: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
} as const;

/**
 * Topics of which nothing may be published now. Asked in the claim's own statement: under leases taken after a hold was
 * set, no claim can miss it.
 */
export const heldTopics = (sql: Db["sql"], layouts: Claim["layouts"]) => sql`
  array(select l.topic from topic_layouts l where l.held_by is not null or not exists (
    select from unnest(${[...layouts.keys()]}::text[], ${[...layouts.values()]}::bigint[]) as known(topic, generation)
    where known.topic = l.topic and known.generation = l.generation))`;

/** The time of the record in Kafka: a whole number of ms by the database's clock, never by the relay's. */
export const claimedAt = (sql: Db["sql"]) =>
  sql`floor(extract(epoch from statement_timestamp()) * 1000)::float8 as "claimedAt"`;

/** What key, headers and framing add to a value, roughly. */
export const overheadBytes = 450;

/**
 * Reads the unpublished rows of the shards held, by id within each shard: never "ids above the last", since a lower id
 * may commit later. Keys on hold are left out, until `setAsideHeld` has taken them out of the way. The busy ids are a
 * subquery because Postgres hashes that: an array of 5,000 was gone through for every row (200 ms, now 30). Nothing is
 * written or locked; the lease alone keeps others away. A shard gives at least one row, however large.
 */
export async function claim(
  db: Db,
  { leases, busy, except, layouts, rowsPerShard, bytesPerShard }: Claim,
): Promise<readonly ClaimedMessage[]> {
  if (leases.length === 0) return [];
  const rows = await db.sql<ClaimedRow[]>`
    select o.id::float8 as id, o.day, o.shard, o.line, o.topic, o.key, o.sequence::float8 as sequence, o.value, o.headers, o.bytes,
      ${claimedAt(db.sql)},
      (extract(epoch from o.created_at) * 1000000)::bigint::text as created, server_life() as life
    from unnest(${leases.map((lease) => lease.shard)}::smallint[]) as held(shard)
    cross join lateral (
      select next.*, (sum(bytes) over (order by id))::float8 as bytes_so_far
      from (
        select id, day, shard, line, topic, key, sequence, value, headers, created_at,
          octet_length(value) + octet_length(key) + ${overheadBytes}::int as bytes
        from outbox
        where shard = held.shard and published_at is null
          and id not in (select unnest(${[...busy]}::bigint[])) and topic <> all(${[...except]}::text[]) and topic <> all(${heldTopics(db.sql, layouts)})
          and not exists (select from outbox_holds h where h.topic = outbox.topic and h.key = outbox.key)
        order by id limit ${rowsPerShard}
      ) next
    ) o
    where o.bytes_so_far - o.bytes < ${bytesPerShard}
    order by o.id`;
  return withLeases(rows, leases);
}

export function withLeases(rows: readonly ClaimedRow[], leases: readonly Lease[]): readonly ClaimedMessage[] {
  const byShard = new Map(leases.map((lease) => [lease.shard, lease]));
  return rows.flatMap(({ shard, ...row }) => {
    const lease = byShard.get(shard);
    return lease ? [{ ...row, lease }] : [];
  });
}

export type ClaimedRow = Omit<ClaimedMessage, "lease"> & Readonly<{ shard: number }>;
