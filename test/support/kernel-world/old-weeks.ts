import { inboxDays, inboxUpkeep } from "../../../shared/consume/inbox-retention.ts";
import { makeLog } from "../../../shared/role/log.ts";
import type { Db } from "../../../shared/postgres/db.ts";
import { group } from "../consumer-world.ts";
import { until } from "../until.ts";

const dayMs = 86_400_000;
/** Days ago, in a week that the inbox need not remember. */
const oldDays = inboxDays + 15;

/** A time of messages that have waited for long. */
export function oldTime(): Date {
  return new Date(Date.now() - oldDays * dayMs);
}

/**
 * The week of the old messages comes to its end: it is a partition of the inbox, as it was in its time, and the upkeep
 * drops it. Nothing of it may be delivered again any more.
 */
export async function dropOldWeek(db: Db): Promise<void> {
  const [week] = await db.sql<{ name: string; start: string; end: string }[]>`
    select 'inbox_' || to_char(monday, 'YYYYMMDD') as name, monday || '+00' as start, monday + interval '1 week' || '+00' as "end"
    from (select date_trunc('week', ${oldTime().toISOString()}::timestamptz at time zone 'UTC') as monday) as old`;
  if (week === undefined) throw new Error("there is no such week");
  const { name, start, end } = week;
  await db.transaction(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtextextended(${`consumer group ${group}`}, 0))`;
    await tx`lock table inbox in access exclusive mode`;
    await tx.unsafe(`create table ${name} (like inbox including all)`);
    await tx.unsafe(
      `with old as (delete from inbox_default where time >= '${start}' and time < '${end}' returning *)
       insert into ${name} select * from old`,
    );
    await tx.unsafe(`alter table inbox attach partition ${name} for values from ('${start}') to ('${end}')`);
  });
  await until("the old week is dropped", async () => {
    // Another process may be at it, or batches may hold it up.
    await inboxUpkeep(db, makeLog({}, "error"))
      .inbox_old_weeks?.(new AbortController().signal)
      .catch(() => {});
    const [row] = await db.sql<{ gone: boolean }[]>`select to_regclass(${name}) is null as gone`;
    return row?.gone;
  });
}
