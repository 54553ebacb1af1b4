import { findRecurrence, plainId } from "../../shared/recurrence/find-recurrence.ts";
import { placeIn } from "../../shared/recurrence/place-in.ts";
import { wallText } from "../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";
import type { Series } from "./series.ts";
import { isGone, type Occurrence } from "./decide-series.ts";
import { dueOf, passesAt, type Exception, type Exceptions } from "./exception.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

/**
 * A series under the schedule that its template has now. Occurrences and exceptions of an earlier schedule, for the day
 * of the change or later, take the place of their day in the new one (see `placeIn`): so no day is made twice, and
 * skipped or moved days stay so. Ids stay. A closed occurrence keeps its due. Earlier days, and days the new rule does
 * not have, stay as they were. Pure; repeating it changes nothing.
 */
export function layAnew(series: Series, template: TemplateSchedule | null): Series {
  if (template === null) return series;
  const exceptions = exceptionsAnew(series.exceptions, template);
  const occurrences = series.occurrences.map((each) => occurrenceAnew(each, template, exceptions));
  const moved = series.occurrences.filter((each, index) => occurrences[index] !== each);
  if (moved.length === 0 && exceptions === series.exceptions) return series;
  const made = { ...series.made };
  for (const { scheduleKey } of moved) {
    made[scheduleKey] = (made[scheduleKey] ?? 0) - 1;
    made[template.key] = (made[template.key] ?? 0) + 1;
  }
  return { ...series, exceptions, occurrences, made };
}

/** One occurrence under the schedule of its template; itself where that has no place for it, or has it already. */
export function occurrenceAnew(occurrence: Occurrence, template: TemplateSchedule, exceptions: Exceptions): Occurrence {
  const { scheduleKey, recurrenceId, duePassesAt, state } = occurrence;
  if (scheduleKey === template.key || isGone(occurrence)) return occurrence;
  const isToCome = duePassesAt.getTime() > template.since || isFromChangeOn(recurrenceId, template);
  const place = isToCome ? placeIn(template, recurrenceId) : null;
  if (place === null) return occurrence;
  const laid = { ...occurrence, scheduleKey: template.key, at: place.at };
  if (state !== "open") return laid;
  return { ...laid, duePassesAt: passesAt(dueOf(place, template.schedule, exceptions), template.schedule.tz) };
}

/**
 * The same object where none is to be named anew. One whose place has another exception already stays behind under its
 * old name.
 */
function exceptionsAnew(exceptions: Exceptions, template: TemplateSchedule): Exceptions {
  const named = [...exceptions.values()].flatMap((each): readonly [string, Exception][] => {
    const { recurrenceId } = each;
    if (!isFromChangeOn(recurrenceId, template) || findRecurrence(template.schedule, recurrenceId) !== null) return [];
    const place = placeIn(template, recurrenceId);
    if (place === null || exceptions.has(place.id)) return [];
    return [[recurrenceId, { ...each, recurrenceId: place.id, at: place.at }]];
  });
  if (named.length === 0) return exceptions;
  const all = new Map(exceptions);
  for (const [before, after] of named) {
    all.delete(before);
    all.set(after.recurrenceId, after);
  }
  return all;
}

function isFromChangeOn(recurrenceId: string, { since, schedule }: TemplateSchedule): boolean {
  return plainId(recurrenceId).slice(0, 10) >= wallText(zoneClock(schedule.tz).wallAt(since)).slice(0, 10);
}
