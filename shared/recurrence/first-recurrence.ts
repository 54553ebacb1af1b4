import type { PatternSchedule } from "./pattern-schedule.ts";
import { beginsFrom, passedUpTo } from "./passing.ts";
import { makeRecurrences, type Recurrence } from "./recurrence.ts";

/**
 * The recurrence that a new series makes its first occurrence of, at once; `null` where none is to come. Where the
 * template has a due, the first from there on, passed or not; else by `catch_up`: the very first, or the latest that
 * has begun by `moment`, or the next one that has not passed. An all-day one of today has begun and has not passed, so
 * it is both the latest and the next. Pure. `isSkipped` names recurrences that are left out.
 */
export function firstRecurrence(
  { pattern, schedule, begins }: PatternSchedule,
  moment: Date,
  isSkipped: (recurrence: Recurrence) => boolean = () => false,
): Recurrence | null {
  const recurrences = makeRecurrences(schedule);
  const latestMissed = (): Recurrence | null => {
    let found = recurrences.latest(null, moment);
    while (found !== null && isSkipped(found)) found = recurrences.latest(null, new Date(found.at.getTime() - 1));
    return found;
  };
  const begin = (): Recurrence | null => {
    if (begins !== null) return recurrences.next(new Date(beginsFrom(schedule, begins).getTime() - 1));
    if (pattern.catch_up === "all") return recurrences.first();
    return (pattern.catch_up === "latest" ? latestMissed() : null) ?? recurrences.next(passedUpTo(schedule, moment));
  };
  let next = begin();
  while (next !== null && isSkipped(next)) next = recurrences.next(next.at);
  return next;
}
