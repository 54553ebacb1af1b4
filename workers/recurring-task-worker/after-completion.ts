import { makeRecurrences, type Recurrence, type Schedule } from "../../shared/recurrence/recurrence.ts";
import { wallText } from "../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";

const dayMs = 86_400_000;

/**
 * The recurrence that follows a completion: the rule laid anew from the day of completion, at the time of day of the series, and
 * the first one after that day. Every three days at nine, completed on Wednesday at any hour: Saturday at nine. The end by COUNT is
 * the caller's.
 */
export function afterCompletion(schedule: Schedule, completedAt: Date): Recurrence | null {
  const { tz, start } = schedule;
  const clock = zoneClock(tz);
  const day = Math.floor(clock.wallAt(completedAt.getTime()) / dayMs) * dayMs;
  const from = `${wallText(day).slice(0, 10)}${start.slice(10)}`;
  const recurrences = makeRecurrences({ ...schedule, rule: { ...schedule.rule, count: null }, start: from });
  const dayEnd = clock.dayStart(day + dayMs) ?? clock.instantPast(day + dayMs);
  return recurrences.next(new Date(dayEnd - 1));
}
