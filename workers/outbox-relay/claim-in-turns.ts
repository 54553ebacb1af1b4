import type { Db } from "../../shared/postgres/db.ts";
import {
  claimedAt,
  heldTopics,
  overheadBytes,
  withLeases,
  type Claim,
  type ClaimedMessage,
  type ClaimedRow,
} from "./claim.ts";
import type { Allowances } from "./turns.ts";

type ClaimInTurns = Claim &
  Readonly<{
    /** How many rows of these lines are wanted; one more of each, unless it is none, shows whether that was all. */
    allowances: Allowances;
    /** How many of any other line. */
    otherwise: number;
    /**
     * Where in the lines the look begins, from 0 to 1: at another place each time, since it comes to a page of lines
     * only.
     */
    start: number;
  }>;

/**
 * What `claim` gives, but the first rows of each line instead of the first of all: a row of each line, then another of
 * each, until the page is full; in order of id at the end. Where a line has more than is wanted, the rows are of few
 * shards: see `pickOfLine`. A line costs one step in the index, however many rows it has. Line 0 goes first and whole,
 * because a key may have older rows in it, written before the column was there. The line is given as a range and stands
 * in the order, so that only the index of lines fits: told that it equals something, the planner may read the shard's
 * rows in order.
 */
export async function claimInTurns(db: Db, of: ClaimInTurns): Promise<readonly ClaimedMessage[]> {
  const { leases, busy, except, layouts, rowsPerShard, bytesPerShard, allowances, otherwise } = of;
  if (leases.length === 0) return [];
  const linesPerArc = Math.ceil(rowsPerShard / 2);
  const start = Math.floor(minLine + 1 + of.start * (maxLine - minLine - 1));
  const rows = await db.sql<ClaimedRow[]>`
    with recursive held(shard) as (
      select unnest(${leases.map(({ shard }) => shard)}::smallint[])
    ), waiting(shard, line, high, n) as (
      select held.shard, first.line, arc.high, 1
      from held cross join (values (${start}::int, ${maxLine}::int), (${minLine}::int, ${start - 1}::int)) as arc(low, high)
      cross join lateral (
        select line from outbox
        where shard = held.shard and line >= arc.low and line <= arc.high and published_at is null
        order by line limit 1
      ) first
      union all
      select before.shard, next.line, before.high, before.n + 1
      from waiting before cross join lateral (
        select line from outbox
        where shard = before.shard and line > before.line and line <= before.high and published_at is null
        order by line limit 1
      ) next
      where before.n < ${linesPerArc}
    ), wanted(shard, line, rows) as (
      select shard, 0, ${rowsPerShard}::int from held
      union all
      select shard, line, coalesce(
        (select case rows when 0 then 0 else rows + 1 end from unnest(${[...allowances.keys()]}::int[], ${[...allowances.values()]}::int[]) as told(line, rows)
          where told.line = waiting.line), ${otherwise}::int)
      from waiting where line <> 0
    ), placed as (
      select o.*, row_number() over turns as place, (sum(bytes) over turns)::float8 as bytes_so_far,
        case o.line when 0 then 0 else row_number() over (partition by o.line order by o.first, id) end as place_in_line, wanted.rows as wanted
      from (select * from wanted where rows > 0) wanted cross join lateral (
        select id, day, shard, line, topic, key, sequence, value, headers, created_at,
          octet_length(value) + octet_length(key) + ${overheadBytes}::int as bytes,
          case line when 0 then 0 else row_number() over (order by line, id) end as turn,
          first_value(id) over (order by line, id) as first
        from outbox
        where shard = wanted.shard and line >= wanted.line and line <= wanted.line and published_at is null
          and id not in (select unnest(${[...busy]}::bigint[])) and topic <> all(${[...except]}::text[]) and topic <> all(${heldTopics(db.sql, layouts)})
          and not exists (select from outbox_holds h where h.topic = outbox.topic and h.key = outbox.key)
        order by line, id limit wanted.rows
      ) o
      window turns as (partition by o.shard order by turn, id)
    )
    select id::float8 as id, day, shard, line, topic, key, sequence::float8 as sequence, value, headers, bytes,
      ${claimedAt(db.sql)},
      (extract(epoch from created_at) * 1000000)::bigint::text as created, server_life() as life
    from placed where place_in_line <= wanted and place <= ${rowsPerShard} and bytes_so_far - bytes < ${bytesPerShard}
    order by placed.id`;
  return withLeases(rows, leases);
}

const minLine = -(2 ** 31);
const maxLine = 2 ** 31 - 1;
