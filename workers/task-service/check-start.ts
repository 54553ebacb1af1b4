import { Problem } from "../../shared/problem.ts";
import { instantOf } from "../../shared/recurrence/find-recurrence.ts";
import { parseRecurrencePatternText, type RecurrencePattern } from "../../shared/recurrence/recurrence-pattern.ts";
import { makeRecurrences } from "../../shared/recurrence/recurrence.ts";
import { scheduleOf } from "./cut-pattern.ts";

/** What one request says of when a series begins. */
type SaidStart = Readonly<{
  pattern: RecurrencePattern | null | undefined;
  dueDate: Date | null | undefined;
  dueOn: string | null | undefined;
}>;

/** Throws INVALID_REQUEST where a request says two zones: occurrences have that of the pattern. */
export function checkZone(pattern: RecurrencePattern | null | undefined, dueTz: string | null | undefined): void {
  if (!pattern?.tz || !dueTz || pattern.tz === dueTz) return;
  const message = `is not the zone of recurrence_pattern, ${pattern.tz}; leave one of the two out`;
  throw new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path: "/due_tz", message }] });
}

/**
 * Throws INVALID_REQUEST where a request says both a due and the start of its pattern, and they are neither the same
 * nor the due the first recurrence: it is not for us to choose one. `filled` is the pattern as it is to be stored, of
 * which the zone is taken.
 */
export function checkStart({ pattern, dueDate, dueOn }: SaidStart, filled: string): void {
  const start = pattern?.start;
  if (start === undefined || (!dueDate && !dueOn)) return;
  const schedule = scheduleOf(parseRecurrencePatternText(filled));
  const first = makeRecurrences(schedule).first();
  const isStart = dueOn
    ? [schedule.start, first?.id].includes(dueOn)
    : schedule.start.length > 10 &&
      [instantOf(schedule.start, schedule.tz), first?.at].some((at) => at?.getTime() === dueDate?.getTime());
  if (isStart) return;
  const message = `is not when recurrence_pattern starts, ${schedule.start} ${schedule.tz}; leave one of the two out`;
  throw new Problem("INVALID_REQUEST", undefined, {
    mistakes: [{ path: dueOn ? "/due_on" : "/due_date", message }],
  });
}
