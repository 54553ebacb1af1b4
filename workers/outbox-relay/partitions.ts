import type { Db, Tx } from "../../shared/postgres/db.ts";
import type { Log } from "../../shared/log.ts";

const daysAhead = 2;
const lockNumber = 7_145_620_119;

/**
 * Makes the partitions of today and the next two days and drops those that ended at least 24 h ago and hold nothing
 * unpublished. What still waits in an old partition behind a hold is moved into today's first, ids kept; published rows of the
 * default partition go the same way as an old one. Days by UTC, decided by the database's clock. One relay at a time; the
 * others skip. Gives up after 200 ms of waiting for a lock (a drop stands before every insert) and comes again.
 */
export async function tendPartitions(db: Db, log: Log): Promise<void> {
  const [clock] = await db.sql<{ today: string }[]>`select (clock_timestamp() at time zone 'UTC')::date as today`;
  if (!clock) return;
  for (let ahead = 0; ahead <= daysAhead; ahead++) await makeDay(db, addDays(clock.today, ahead));
  for (const day of await endedDays(db, clock.today)) {
    const dropped = await dropDay(db, day, clock.today);
    log.info(dropped ? "outbox_day_dropped" : "outbox_day_kept", { day });
  }
  await db.sql`delete from outbox_default where published_at is not null and day < ${addDays(clock.today, -1)}`;
}

async function makeDay(db: Db, day: string): Promise<void> {
  await exclusively(db, async (tx) => {
    const [there] = await tx<{ there: boolean }[]>`
      select to_regclass(${partition(day)}) is not null
        or exists (select from outbox_default where day = ${day}) as there`;
    // A day whose rows have begun to go to the default partition stays there.
    if (there?.there ?? true) return;
    await tx.unsafe(
      `create table ${partition(day)} partition of outbox for values from ('${day}') to ('${addDays(day, 1)}')`,
    );
  });
}

async function endedDays(db: Db, today: string): Promise<readonly string[]> {
  const rows = await db.sql<{ name: string }[]>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'outbox'::regclass and c.relname ~ '^outbox_[0-9]{8}$' order by 1`;
  return rows
    .map(({ name }) => name.replace(/^outbox_(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3"))
    .filter((day) => day <= addDays(today, -2));
}

/** Whether the partition is gone. */
async function dropDay(db: Db, day: string, today: string): Promise<boolean> {
  await exclusively(db, async (tx) => {
    await tx`
      update outbox set day = ${today}
      where day = ${day} and published_at is null
        and exists (select from outbox_holds h where h.topic = outbox.topic and h.key = outbox.key)`;
  });
  return exclusively(db, async (tx) => {
    const [place] = await tx<{ there: boolean }[]>`select to_regclass(${partition(day)}) is not null as there`;
    if (!place?.there) return false;
    await tx.unsafe(`lock table ${partition(day)} in access exclusive mode`);
    const [waiting] = await tx`select from outbox where day = ${day} and published_at is null limit 1`;
    if (waiting) return false;
    await tx.unsafe(`drop table ${partition(day)}`);
    return true;
  });
}

/** False when another relay is at it. */
async function exclusively(db: Db, work: (tx: Tx) => Promise<boolean | void>): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [lock] = await tx<{ got: boolean }[]>`select pg_try_advisory_xact_lock(${lockNumber}) as got`;
    if (!lock?.got) return false;
    await tx`set local lock_timeout = '200ms'`;
    return (await work(tx)) ?? true;
  });
}

function partition(day: string): string {
  return `outbox_${day.replaceAll("-", "")}`;
}

function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
