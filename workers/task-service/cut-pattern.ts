import { instantOf, isPastUntil } from "../../shared/recurrence/find-recurrence.ts";
import { ruleOf, type RecurrencePattern } from "../../shared/recurrence/recurrence-pattern.ts";
import { makeRecurrences, type Recurrence, type Schedule } from "../../shared/recurrence/recurrence.ts";

/** The schedule of a template's pattern, whose zone and start are always filled in. */
export function scheduleOf(pattern: RecurrencePattern): Schedule {
  const { tz = "UTC", start = "1970-01-01T00:00:00", month_end: monthEnd, exdate = [] } = pattern;
  return { rule: ruleOf(pattern), start, tz, monthEnd, exdate };
}

/**
 * How many recurrences a series has before this local start, those left out by EXDATE included, as COUNT counts them.
 */
export function countBefore(pattern: RecurrencePattern, place: string): number {
  const schedule = { ...scheduleOf(pattern), exdate: [] };
  const end = instantOf(place, schedule.tz);
  const recurrences = makeRecurrences(schedule);
  let count = 0;
  if (end !== null)
    for (let at = recurrences.first(); at !== null && at.at < end; at = recurrences.next(at.at)) count++;
  return count;
}

/** Whether a series has a recurrence before this local start. */
export function hasBefore(pattern: RecurrencePattern, place: string): boolean {
  const schedule = scheduleOf(pattern);
  const end = instantOf(place, schedule.tz);
  const first = makeRecurrences(schedule).first();
  return end !== null && first !== null && first.at < end;
}

/** The last recurrence of a series before this local start. */
export function lastBefore(pattern: RecurrencePattern, place: string): Recurrence | null {
  const schedule = scheduleOf(pattern);
  const end = instantOf(place, schedule.tz);
  return end === null ? null : makeRecurrences(schedule).latest(null, new Date(end.getTime() - 1));
}

/** The pattern with this end instead of its own: the last local start that may be. */
export function endingAt(pattern: RecurrencePattern, last: string): RecurrencePattern {
  return { ...pattern, rrule: `${endless(pattern.rrule)};UNTIL=${last.replaceAll(/[-:]/g, "")}` };
}

/** The pattern with an end just before this local start. */
export function endingBefore(pattern: RecurrencePattern, place: string): RecurrencePattern {
  const isDay = place.length === 10;
  // As if it were UTC: the second before is the same on every clock.
  const local = new Date(Date.parse(isDay ? place : `${place}Z`) - (isDay ? 86_400_000 : 1000));
  return endingAt(pattern, local.toISOString().slice(0, isDay ? 10 : 19));
}

/** The pattern with this COUNT instead of its own end. */
export function endingAfter(pattern: RecurrencePattern, count: number): RecurrencePattern {
  return { ...pattern, rrule: `${endless(pattern.rrule)};COUNT=${count}` };
}

/** Whether a local start lies past the UNTIL of a pattern; its COUNT is the worker's to keep. */
export function isPastEnd(pattern: RecurrencePattern, place: string): boolean {
  const { until } = ruleOf(pattern);
  const tz = pattern.tz ?? "UTC";
  const at = instantOf(place, tz);
  return until !== null && at !== null && isPastUntil(until, at, tz);
}

function endless(rrule: string): string {
  return rrule.replaceAll(/;(?:COUNT|UNTIL)=[^;]*/gi, "");
}
