import { knownZone, parseRecurrencePatternText, ruleOf, type RecurrencePattern } from "./recurrence-pattern.ts";
import type { Schedule } from "./recurrence.ts";
import { localStart } from "./wall-time.ts";
import { zoneClock } from "./zone-clock.ts";

/** How a template repeats, everything its pattern leaves open filled in from the task. */
export type PatternSchedule = Readonly<{
  pattern: RecurrencePattern;
  schedule: Schedule;
  /** The template's own due, the start of its day for an all-day one: where a new series begins, passed or not. */
  begins: Date | null;
}>;

/** `setAt`: when the pattern was set, ms since the epoch. */
type PatternTask = Readonly<{ dueDate: Date | null; dueOn: string | null; dueTz: string | null; setAt: number }>;

/**
 * The schedule of a pattern's JSON text. Zone and start come from the pattern, else from the task's due and zone, else
 * UTC and the moment the pattern was set. Throws Problem INVALID_REQUEST for a pattern this build does not understand.
 */
export function patternSchedule(text: string, { dueDate, dueOn, dueTz, setAt }: PatternTask): PatternSchedule {
  const pattern = parseRecurrencePatternText(text);
  const rule = ruleOf(pattern);
  const tz = pattern.tz ?? (dueTz === null ? null : knownZone(dueTz)) ?? "UTC";
  const start =
    pattern.start ?? (dueDate === null && dueOn !== null ? dueOn : localStart(dueDate ?? new Date(setAt), tz));
  // An hour of the day makes a day a time.
  const timed = start.length === 10 && ["BYHOUR", "BYMINUTE", "BYSECOND"].some((name) => rule.parts.has(name));
  const { exdate = [], month_end: monthEnd } = pattern;
  const schedule = { rule, start: timed ? `${start}T00:00:00` : start, tz, monthEnd, exdate };
  return {
    pattern,
    schedule,
    begins: dueDate ?? (dueOn === null ? null : new Date(zoneClock(tz).reachedAt(Date.parse(dueOn)))),
  };
}
