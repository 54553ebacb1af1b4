import type { Headers } from "../../messages/message.ts";
import { readOrigin, type RowOrigin } from "../../outbox/origin.ts";
import type { Tx } from "../../postgres/db.ts";

type SentRecord = Readonly<{ headers: Headers }>;

/**
 * The records of changes that this database has lost, in a restore or a failover: handled, they would bring back half
 * of such a change. Everything published was first a row of the outbox, so a record without its row was lost; rows stay
 * for a day, and two days more after the database went back. Only records claimed in another life of the server than
 * `life` are looked up: no statement is spent while the server lives on.
 */
export async function findLost<T extends SentRecord>(
  tx: Tx,
  records: readonly T[],
  life: string | null,
): Promise<ReadonlySet<T>> {
  if (life === null) return new Set();
  const asked: { record: T; origin: RowOrigin }[] = [];
  for (const record of records) {
    const origin = readOrigin(record.headers);
    if (origin !== null && origin.life !== life) asked.push({ record, origin });
  }
  if (asked.length === 0) return new Set();
  const rows = await tx<{ place: number }[]>`
    select (place - 1)::int as place
    from unnest(
      ${asked.map(({ origin }) => origin.day)}::date[], ${asked.map(({ origin }) => origin.id)}::bigint[],
      ${asked.map(({ origin }) => origin.created)}::bigint[]
    ) with ordinality as sent(day, id, created, place)
    where (
        day >= (clock_timestamp() at time zone 'UTC')::date - 1
        -- A backup of some days ago: nothing of those days is dropped for a while, see outboxUpkeep.
        or (
          exists (
            select from (select * from database_history order by number desc limit 1) as last
            where last.timeline <> database_timeline()
              or (last.number > 0 and last.noticed_at > clock_timestamp() - interval '2 days')
          )
          and 'outbox_' || to_char(day, 'YYYYMMDD') >= (
            select min(child.relname::text) from pg_inherits join pg_class child on child.oid = inhrelid
            where inhparent = 'outbox'::regclass and child.relname ~ '^outbox_[0-9]{8}$'
          )
        )
      )
      and not exists (
        select from outbox o where o.day = sent.day and o.id = sent.id
          and (extract(epoch from o.created_at) * 1000000)::bigint = sent.created)`;
  return new Set(rows.flatMap(({ place }) => asked[place]?.record ?? []));
}
