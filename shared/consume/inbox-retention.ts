import type { Admin } from "../messages/broker.ts";
import type { Log } from "../role/log.ts";
import { changeTables } from "../postgres/change-tables.ts";
import type { Db, Tx } from "../postgres/db.ts";
import { deadLetterTopic, type GroupName, type TopicName } from "../messages/topics.ts";
import { forEachAlone, inBatches, type UpkeepSteps } from "../role/upkeep.ts";

const dayMs = 86_400_000;
type Keeper = Pick<Db, "sql" | "transaction">;

/**
 * How long the inbox remembers a message of its own time, and one that came later than `lateDays` after it was written.
 */
export const inboxDays = 45;
/**
 * What came so much later than its own time, in days, is forgotten by the day it came. The index inbox_late has the
 * same number.
 */
const lateDays = 7;
/** So long a message is remembered after it came, however long that was after its own time. */
export const rememberedDays = inboxDays - lateDays;
const weeksAhead = 3;
export const inboxEveryMs = 3_600_000;
/** A change of tables waits so long for running batches, as all later ones wait behind it. */
const waitMs = 1_000;
const lockNumber = 7_145_620_121;
/** More rows than this are not moved from the default partition: writers of their week would wait. */
const movedAtMost = 10_000;

/**
 * Throws unless the inbox remembers longer than a message can come back: for as long as its topic keeps it, then as a
 * dead letter for as long as that topic does, and a day. Otherwise a redriven message could be handled twice.
 */
export async function checkRetention(admin: Pick<Admin, "topics">, group: GroupName, topics: readonly TopicName[]) {
  const known = await admin.topics();
  const daysOf = (name: string): number => {
    const ms = Number(known.find((topic) => topic.name === name)?.configs["retention.ms"] ?? 0);
    return ms < 0 ? Number.POSITIVE_INFINITY : ms / dayMs;
  };
  const needed = Math.max(...topics.map(daysOf)) + daysOf(deadLetterTopic(group)) + 1;
  if (needed > rememberedDays)
    throw new Error(
      `the inbox remembers ${rememberedDays} days, and messages of ${group} can come back for ${Math.ceil(needed * 10) / 10}: ` +
        `lower retention.ms of ${topics.join(", ")} or ${deadLetterTopic(group)}`,
    );
}

/**
 * The upkeep of the inbox: makes its weeks ahead, drops those it need not remember, and dead letters settled as long
 * ago. Any number may do it. Weeks by UTC and by the database's clock. What still waits in a parked queue is remembered
 * whatever its week, and what came long after its time for as long as others: its time says nothing about when it can
 * come back.
 */
export function inboxUpkeep(db: Keeper, log: Log): UpkeepSteps {
  return {
    inbox_weeks: () => makeWeeks(db, log),
    inbox_old_weeks: () => dropWeeks(db, log),
    inbox_late: (signal) => dropLate(db, log, signal),
    settled_letters: (signal) => dropSettledLetters(db, log, signal),
  };
}

/** A week of the inbox: its partition, and its bounds as text. */
type Week = Readonly<{ name: string; start: string; end: string }>;

async function makeWeeks(db: Keeper, log: Log): Promise<void> {
  const weeks = await db.sql<Week[]>`
    select name, start, "end" from (
      select 'inbox_' || to_char(monday, 'YYYYMMDD') as name, monday || '+00' as start, (monday + interval '1 week') || '+00' as "end"
      from (
        select date_trunc('week', clock_timestamp() at time zone 'UTC') + n * interval '1 week' as monday
        from generate_series(0, ${weeksAhead}::int) as n
      ) mondays
    ) weeks
    where to_regclass(name) is null order by name`;
  await forEachAlone(weeks, async (week) => {
    const made = await exclusively(db, (tx) => makeWeek(tx, week));
    if (made !== null) log.info(made ? "inbox_week_made" : "inbox_week_in_default", { partition: week.name });
  });
}

/**
 * Attaching takes weaker locks than `create table … partition of`. Rows of the week that lie in the default partition
 * already, as a record of a writer with a wrong clock does, are moved first. False where they are too many: then that
 * week stays there.
 */
async function makeWeek(tx: Tx, { name, start, end }: Week): Promise<boolean | null> {
  const [place] = await tx<{ there: boolean }[]>`select to_regclass(${name}) is not null as there`;
  if (place?.there) return null;
  await tx`lock table inbox_default in access exclusive mode`;
  const [early = { rows: 0 }] = await tx<{ rows: number }[]>`
    select count(*)::int as rows from (
      select from inbox_default where time >= ${start}::timestamptz and time < ${end}::timestamptz limit ${movedAtMost + 1}
    ) found`;
  if (early.rows > movedAtMost) return false;
  await tx.unsafe(`create table ${name} (like inbox including all)`);
  if (early.rows > 0)
    await tx.unsafe(
      `with early as (delete from inbox_default where time >= '${start}' and time < '${end}' returning *)
       insert into ${name} select * from early`,
    );
  await tx.unsafe(`alter table inbox attach partition ${name} for values from ('${start}') to ('${end}')`);
  return true;
}

async function dropWeeks(db: Keeper, log: Log): Promise<void> {
  const weeks = await db.sql<Week[]>`
    select name, monday || '+00' as start, (monday + interval '1 week') || '+00' as "end"
    from (
      select child.relname as name, to_date(substr(child.relname, 7), 'YYYYMMDD')::timestamp as monday
      from pg_inherits join pg_class child on child.oid = inhrelid
      where inhparent = 'inbox'::regclass and child.relname ~ '^inbox_[0-9]{8}$'
    ) there
    where monday < date_trunc('week', clock_timestamp() at time zone 'UTC' - ${inboxDays} * interval '1 day') order by name`;
  await forEachAlone(weeks, async (week) => {
    const kept = await exclusively(db, (tx) => dropWeek(tx, week));
    if (kept !== null) log.info("inbox_week_dropped", { partition: week.name, kept });
  });
}

/**
 * Drops a week of the inbox. Messages that still wait in a parked queue, of any group, and those that came late move to
 * the default partition, so they stay known. The lock of the inbox keeps messages from coming or being parked
 * meanwhile. Resolves with how many were moved, with `null` if the week is gone already.
 */
async function dropWeek(tx: Tx, { name, start, end }: Week): Promise<number | null> {
  await tx`lock table only inbox in access exclusive mode`;
  const [place] = await tx<{ there: boolean }[]>`select to_regclass(${name}) is not null as there`;
  if (!place?.there) return null;
  await tx.unsafe(`lock table ${name} in access exclusive mode nowait`);
  await tx.unsafe(`alter table inbox detach partition ${name}`);
  const kept = await tx.unsafe(
    `insert into inbox
     select week.* from (
       select distinct epoch, message_id, time from parked_messages where time >= '${start}' and time < '${end}'
     ) waiting join ${name} week using (epoch, message_id, time)
     union
     select * from ${name}
     where arrived - (time at time zone 'UTC')::date > ${lateDays}
       and arrived >= (clock_timestamp() at time zone 'UTC')::date - ${inboxDays}`,
  );
  await tx.unsafe(`drop table ${name}`);
  return kept.count;
}

const latePerStatement = 1_000;

/** What came after its week was dropped, or was kept then, and is as old by now as others that are forgotten. */
async function dropLate(db: Keeper, log: Log, signal: AbortSignal): Promise<void> {
  const count = await inBatches(
    { rows: latePerStatement, signal },
    () => db.sql`
      delete from inbox_default where (epoch, message_id, time) in (
        select epoch, message_id, time from inbox_default late
        where arrived < (clock_timestamp() at time zone 'UTC')::date - ${inboxDays}::int
          and time < clock_timestamp()
          and not exists (
            select from parked_messages parked
            where parked.epoch = late.epoch and parked.message_id = late.message_id and parked.time = late.time)
        limit ${latePerStatement})`,
  );
  if (count > 0) log.info("late_messages_forgotten", { count });
}

const lettersPerStatement = 1_000;

/**
 * Dead letters that were redriven, dropped or edited so long ago go; those still dead stay until an operator decides.
 */
async function dropSettledLetters(db: Keeper, log: Log, signal: AbortSignal): Promise<void> {
  const count = await inBatches(
    { rows: lettersPerStatement, signal },
    () => db.sql`
      delete from dead_letters where id in (
        select id from dead_letters
        where state <> 'dead' and settled_at < clock_timestamp() - ${inboxDays} * interval '1 day'
        limit ${lettersPerStatement})`,
  );
  if (count > 0) log.info("settled_dead_letters_dropped", { count });
}

/** `null` when another process is at it. */
function exclusively<T>(db: Keeper, work: (tx: Tx) => Promise<T>): Promise<T | null> {
  return changeTables(db, { waitMs }, async (tx) => {
    const [lock] = await tx<{ got: boolean }[]>`select pg_try_advisory_xact_lock(${lockNumber}) as got`;
    return lock?.got ? await work(tx) : null;
  });
}
