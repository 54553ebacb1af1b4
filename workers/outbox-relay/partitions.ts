import { changeTables } from "../../shared/postgres/change-tables.ts";
import type { Db, Tx } from "../../shared/postgres/db.ts";
import type { Log } from "../../shared/role/log.ts";
import { forEachAlone, inBatches, type UpkeepSteps } from "../../shared/role/upkeep.ts";

const daysAhead = 2;
const lockNumber = 7_145_620_119;
/** A drop stands before every insert: it gives up soon and comes again. */
const waitMs = 200;
const rowsPerStatement = 5_000;

/**
 * Makes the partitions of today and the next two days and drops those that ended at least 24 h ago and hold nothing
 * unpublished. What still waits in an old partition behind a hold is moved into today's first, ids kept; published rows
 * of the default partition go the same way as an old one. Days by UTC, decided by the database's clock. One relay at a
 * time; the others skip.
 */
export function outboxUpkeep(db: Db, log: Log): UpkeepSteps {
  return {
    outbox_days: async () => {
      const today = await todayOf(db);
      const days = Array.from({ length: daysAhead + 1 }, (_, ahead) => addDays(today, ahead));
      await forEachAlone(days, (day) => makeDay(db, day));
    },
    outbox_old_days: async (signal) => {
      if (await wentBackLately(db)) return;
      const today = await todayOf(db);
      await forEachAlone(await endedDays(db, today), async (day) => {
        const dropped = await dropDay(db, { day, today, signal });
        log.info(dropped ? "outbox_day_dropped" : "outbox_day_kept", { day });
      });
    },
    outbox_default: async (signal) => {
      if (await wentBackLately(db)) return;
      const past = addDays(await todayOf(db), -1);
      await inBatches(
        { rows: rowsPerStatement, signal },
        () => db.sql`
          delete from outbox_default where (day, id) in (
            select day, id from outbox_default where published_at is not null and day < ${past} limit ${rowsPerStatement})`,
      );
    },
  };
}

async function todayOf(db: Db): Promise<string> {
  const [clock] = await db.sql<{ today: string }[]>`select (clock_timestamp() at time zone 'UTC')::date as today`;
  if (clock === undefined) throw new Error("the database did not tell the time");
  return clock.today;
}

/**
 * For two days after the database went back in time nothing is dropped: by the rows of a backup groups tell what is
 * lost.
 */
async function wentBackLately(db: Db): Promise<boolean> {
  const [row] = await db.sql<{ lately: boolean }[]>`
    select timeline <> database_timeline() or (number > 0 and noticed_at > clock_timestamp() - interval '2 days') as lately
    from database_history order by number desc limit 1`;
  return row?.lately ?? false;
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

type PartitionDrop = Readonly<{ day: string; today: string; signal: AbortSignal }>;

/** Whether the partition is gone. */
async function dropDay(db: Db, { day, today, signal }: PartitionDrop): Promise<boolean> {
  await inBatches(
    { rows: rowsPerStatement, signal },
    () => db.sql`
      update outbox set day = ${today} where (day, id) in (
        select day, id from outbox
        where day = ${day} and published_at is null
          and exists (select from outbox_holds h where h.topic = outbox.topic and h.key = outbox.key)
        limit ${rowsPerStatement} for update skip locked)`,
  );
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
  return changeTables(db, { waitMs }, async (tx) => {
    const [lock] = await tx<{ got: boolean }[]>`select pg_try_advisory_xact_lock(${lockNumber}) as got`;
    if (!lock?.got) return false;
    return (await work(tx)) ?? true;
  });
}

function partition(day: string): string {
  return `outbox_${day.replaceAll("-", "")}`;
}

function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
