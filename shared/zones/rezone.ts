import type { Log } from "../role/log.ts";
import type { Db } from "../postgres/db.ts";
import { every, type EveryOptions } from "../timers/every.ts";
import { zonesInUse } from "./zones-in-use.ts";

/** What one role decides by zones and keeps. */
type ZonePart = "tasks" | "series" | "reminders" | "snoozes" | "deliveries";

/**
 * Decides the next rows after an id again, by the zone data in use, a bounded number of them; resolves with the last
 * one's id, or `null` when there are no more. Must be idempotent: rows may be given again.
 */
export type RezoneStep = (after: string) => Promise<string | null>;

export type RezoneOptions = Readonly<{ db: Pick<Db, "sql">; part: ZonePart; step: RezoneStep; log: Pick<Log, "info"> }>;

/** Before every id. */
const beginning = "00000000-0000-0000-0000-000000000000";
const holdMs = 60_000;
const lookMs = 30_000;
/**
 * An instance says that it runs every `lookMs`, so it may have written for as long after it said so; silent for
 * `quietMs` it has ended.
 */
const quietMs = 120_000;

/**
 * Keeps what is stored of a part decided by the zone data in use until `signal` is aborted: when an edition is new to
 * the database, goes through all of it once, over all instances, from where the last one stopped. Only the newest
 * edition does. What instances of an older one wrote meanwhile it goes through once more, when they have ended.
 */
export async function keepRezoned(
  of: Omit<RezoneOptions, "log">,
  role: Omit<EveryOptions, "ms" | "name">,
): Promise<void> {
  const { signal, log } = role;
  let isOlder = false;
  await every({ ...role, ms: lookMs, name: `rezone_${of.part}` }, async () => {
    const newer = await beginPass({ ...of, log });
    if (newer !== null && !isOlder)
      log.warn("zone_data_older", { part: of.part, edition: zonesInUse().version, decidedBy: newer });
    isOlder = newer !== null;
    if (newer !== null) return;
    while (!signal.aborted && (await takeStep({ ...of, log })));
  });
}

/**
 * Says that an instance with this edition runs, and begins a pass if one is wanted. Resolves with a newer edition,
 * where one is known.
 */
export async function beginPass({ db, part, log }: RezoneOptions): Promise<string | null> {
  const edition = zonesInUse().version;
  const [seen] = await db.sql<{ newer: string | null }[]>`
    insert into zone_decisions as mine (part, edition) values (${part}, ${edition})
    on conflict (part, edition) do update set seen_at = clock_timestamp()
    returning (select max(edition) from zone_decisions where part = ${part} and edition > ${edition}) as newer`;
  if (seen?.newer) return seen.newer;
  const begun = await db.sql`
    update zone_decisions mine set after = ${beginning}, begun_at = clock_timestamp(), done_at = null
    where part = ${part} and edition = ${edition} and after is null
      and (begun_at is null or exists (
        select from zone_decisions older
        where older.part = mine.part and older.edition < mine.edition
          and older.seen_at > mine.begun_at - ${2 * lookMs} * interval '1 ms'
          and older.seen_at < clock_timestamp() - ${quietMs} * interval '1 ms'))
    returning part`;
  if (begun.length > 0) log.info("rezone_begun", { part, edition });
  return null;
}

/** Takes the next step of a pass that runs; false when none does, or another instance is at it. */
export async function takeStep({ db, part, step, log }: RezoneOptions): Promise<boolean> {
  const edition = zonesInUse().version;
  const [held] = await db.sql<{ after: string }[]>`
    update zone_decisions mine set held_until = clock_timestamp() + ${holdMs} * interval '1 ms'
    where part = ${part} and edition = ${edition} and after is not null and held_until < clock_timestamp()
      and not exists (select from zone_decisions newer where newer.part = mine.part and newer.edition > mine.edition)
    returning after`;
  if (held === undefined) return false;
  let next: string | null | undefined;
  try {
    next = await step(held.after);
  } finally {
    // Whoever took the step after a minute has moved on by itself.
    await db.sql`
      update zone_decisions set held_until = '-infinity', after = ${next === undefined ? held.after : next},
        done_at = case when ${next === null} then clock_timestamp() end
      where part = ${part} and edition = ${edition} and after = ${held.after}`;
  }
  if (next === null) log.info("rezone_done", { part, edition });
  return next !== null;
}
