import { findRecurrence, instantOf, plainId } from "./find-recurrence.ts";
import type { RecurrencePattern } from "./recurrence-pattern.ts";
import { makeRecurrences, type Recurrence, type Schedule } from "./recurrence.ts";
import { readWall, wallText } from "./wall-time.ts";

/** How a series recurs, as far as the place of an occurrence in it depends on that. */
export type SeriesLayout = Readonly<{ schedule: Schedule; pattern: Pick<RecurrencePattern, "anchor"> }>;

const dayMs = 86_400_000;
/** A rule has at most one recurrence in an hour. */
const mostADay = 24;

/**
 * The recurrence of a series that an occurrence stands for, though it may have been made under an earlier schedule of
 * it: the one of its very start, else, of those on its day of the calendar, the nearest in time, the earlier of two.
 * `null` where the series has none on that day. Counted from completion any day will do, at the time of day of the
 * series. The day is that of the id, whatever zone it was written in: made for 1 December at 09:00 in Tokyo, it stands
 * for 1 December in Lima.
 */
export function placeIn({ schedule, pattern }: SeriesLayout, recurrenceId: string): Recurrence | null {
  const id = plainId(recurrenceId);
  const day = id.slice(0, 10);
  const laid = pattern.anchor === "completion" ? onlyTimes(schedule, day) : schedule;
  const exact = findRecurrence(laid, id);
  if (exact !== null) return exact;
  const begin = instantOf(day, schedule.tz);
  const wall = readWall(id);
  if (begin === null || wall === null) return null;
  const end = instantOf(wallText(Date.parse(day) + dayMs).slice(0, 10), schedule.tz) ?? begin;
  const apart = (recurrence: Recurrence) => Math.abs((readWall(recurrence.id) ?? 0) - wall);
  return makeRecurrences(laid)
    .between(begin, end, mostADay)
    .reduce<Recurrence | null>((near, each) => (near === null || apart(each) < apart(near) ? each : near), null);
}

/** Whether an occurrence of this id stands for a recurrence of a series: see `placeIn`. */
export function standsFor(laid: SeriesLayout, recurrenceId: string, { id }: Pick<Recurrence, "id">): boolean {
  const plain = plainId(recurrenceId);
  return plain === id || (plain.slice(0, 10) === id.slice(0, 10) && placeIn(laid, plain)?.id === id);
}

/** Every day from this one on, at the times of day of a schedule. */
function onlyTimes(schedule: Schedule, day: string): Schedule {
  const isTime = ([name]: readonly [string, unknown]) => ["BYHOUR", "BYMINUTE", "BYSECOND"].includes(name);
  const parts = new Map([...schedule.rule.parts].filter(isTime));
  const rule = { ...schedule.rule, freq: "DAILY", parts, count: null, until: null } as const;
  return { ...schedule, rule, start: `${day}${schedule.start.slice(10)}`, exdate: [] };
}
