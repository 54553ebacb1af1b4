import { makeRecurrences, type Recurrence, type Schedule } from "../../shared/recurrence/recurrence.ts";

/**
 * The recurrence that follows a completion: the rule laid anew from the day of completion, at the time of day of the series, and
 * the first one after that day. Every three days at nine, completed on Wednesday at any hour: Saturday at nine. The end by COUNT is
 * the caller's.
 */
export function afterCompletion(schedule: Schedule, completedAt: Date): Recurrence | null {
  const { tz, start } = schedule;
  const day = Temporal.Instant.fromEpochMilliseconds(completedAt.getTime()).toZonedDateTimeISO(tz).toPlainDate();
  const from = start.length === 10 ? day.toString() : `${day.toString()}${start.slice(10)}`;
  const recurrences = makeRecurrences({ ...schedule, rule: { ...schedule.rule, count: null }, start: from });
  const dayEnd = new Date(day.add({ days: 1 }).toZonedDateTime(tz).epochMilliseconds - 1);
  return recurrences.next(dayEnd);
}
