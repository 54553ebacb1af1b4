import { plainId } from "./find-recurrence.ts";
import type { Recurrence, Schedule } from "./recurrence.ts";
import { zoneClock } from "./zone-clock.ts";

const dayMs = 86_400_000;

type ZonedStart = Pick<Schedule, "start" | "tz">;

/** The end of a day of the calendar in a zone, which is the first moment after it. */
export function dayEnd(day: string, tz: string): Date {
  const tomorrow = Date.parse(day) + dayMs;
  const clock = zoneClock(tz);
  return new Date(clock.dayStart(tomorrow) ?? clock.instantPast(tomorrow));
}

/**
 * When a recurrence has passed: one at a time of day with its start, an all-day one with the end of its day in the
 * zone. All-day it is by its schedule or by its id, since it may have been made under an earlier schedule of the
 * series.
 */
export function endsAt({ id, at }: Recurrence, { start, tz }: ZonedStart): Date {
  const plain = plainId(id);
  return start.length === 10 || plain.length === 10 ? dayEnd(plain.slice(0, 10), tz) : at;
}

/**
 * From which start on recurrences belong to a time that begins at a moment: from that moment; all-day ones from the
 * first moment of its day in the zone, since any of their day is in the time.
 */
export function beginsFrom({ start, tz }: ZonedStart, moment: Date): Date {
  if (start.length > 10) return moment;
  const clock = zoneClock(tz);
  const today = Math.floor(clock.wallAt(moment.getTime()) / dayMs) * dayMs;
  // Where clocks go back over midnight, a day that has begun stays the day.
  const tomorrow = clock.dayStart(today + dayMs);
  if (tomorrow !== null && tomorrow <= moment.getTime()) return new Date(tomorrow);
  return new Date(clock.dayStart(today) ?? clock.instantPast(today));
}

/**
 * The last start that has passed at a moment: `next` of it is the first recurrence that has not, so today's for an
 * all-day schedule, however late it is. Whatever compares a recurrence with now asks this or `endsAt`.
 */
export function passedUpTo(schedule: ZonedStart, moment: Date): Date {
  return schedule.start.length > 10 ? moment : new Date(beginsFrom(schedule, moment).getTime() - 1);
}
