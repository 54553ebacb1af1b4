import { deriveId } from "../../shared/derive-id.ts";
import { Problem } from "../../shared/problem.ts";
import type { Rrule } from "../../shared/recurrence/parse-rrule.ts";
import { findRecurrence } from "../../shared/recurrence/find-recurrence.ts";
import {
  maxExdates,
  parseRecurrencePatternText,
  ruleOf,
  type RecurrencePattern,
} from "../../shared/recurrence/recurrence-pattern.ts";
import { makeRecurrences, mayClamp, type Recurrence } from "../../shared/recurrence/recurrence.ts";
import type { TaskPatch } from "../../shared/tasks/task-input.ts";
import { countBefore, endingAfter, endingBefore, scheduleOf } from "./cut-pattern.ts";
import { decidePatch, taskCreated } from "./decide-task.ts";
import { fillPattern } from "./fill-pattern.ts";
import { followed, withoutDue, withoutPattern } from "./follow-template.ts";
import {
  deletions,
  laterThan,
  placeOf,
  writesOf,
  type SeriesDecision,
  type SeriesRows,
  type Written,
} from "./series-rows.ts";
import type { TaskRow } from "./task-row.ts";

export type Split = Readonly<{
  patch: TaskPatch;
  /** Of the template as it is. */
  pattern: RecurrencePattern;
  zone: string;
  now: Date;
  /** Of the new template. */
  id: string;
}>;

/**
 * Splits a series at an occurrence: the old template ends just before it, a new one goes on from it with the change. The occurrence and
 * the later open ones are deleted and made anew for the new series, in the same transaction and under the ids the worker computes for
 * them, so it takes them for its own and no date has two live tasks. Those whose time the new series does not have are only deleted.
 * A COUNT is divided between the two. Throws INVALID_REQUEST for a due the rule does not name.
 */
export function splitSeries(rows: SeriesRows, split: Split): SeriesDecision {
  const { template, target } = rows;
  const { patch, pattern, zone, now } = split;
  const text = newPattern(rows, split);
  const schedule = scheduleOf(parseRecurrencePatternText(text));
  const first = makeRecurrences(schedule).first();
  const due = patch.due_date ?? patch.due_on ?? null;
  if (first === null || (due !== null && !patch.recurrence_pattern && first.id !== schedule.start))
    throw new Problem("INVALID_REQUEST", undefined, {
      mistakes: [
        due === null
          ? { path: "/recurrence_pattern", message: "never occurs from this occurrence on" }
          : {
              path: patch.due_on ? "/due_on" : "/due_date",
              message: "is not when the rule recurs; change recurrence_pattern too",
            },
      ],
    });
  const changed = decidePatch({ ...withoutDue(withoutPattern(patch)), ...dueOf(first) }, zone)(template, now).row;
  const successor = newTask({ ...changed, is_recurring_template: true, recurrence_pattern: text }, split.id, now);

  const anew = (row: TaskRow, recurrence: Recurrence, more: TaskPatch): TaskRow => {
    const own = decidePatch(more, zone)(row, now).row;
    const place = { template_id: successor.id, recurrence_id: recurrence.id };
    return newTask({ ...own, ...place }, deriveId("occurrence", successor.id, recurrence.id), now);
  };
  const otherDue = due === null && first.id !== placeOf(target) ? dueOf(first) : {};
  const addressed = anew(target, first, { ...otherDue, ...withoutPattern(patch) });
  const made = new Map([[first.id, addressed]]);
  for (const row of laterThan(rows)) {
    const recurrence = findRecurrence(schedule, placeOf(row));
    if (recurrence !== null && recurrence.at > first.at && !made.has(recurrence.id))
      made.set(recurrence.id, anew(row, recurrence, followed(patch, row, template)));
  }
  const ended = decidePatch({ recurrence_pattern: endingBefore(pattern, placeOf(target)) }, zone)(template, now);
  return {
    writes: [
      ...writesOf([ended]),
      ...deletions([target, ...laterThan(rows)], now),
      ...[successor, ...made.values()].map((row): Written => ({ row, event: taskCreated(row) })),
    ],
    row: addressed,
  };
}

/**
 * The pattern of the new series, as its row keeps it: from the occurrence on, or from its new due. What the old one was through with
 * after that is left out by EXDATE: nothing done, deleted or skipped comes back.
 */
function newPattern({ template, target, closedPlaces }: SeriesRows, { patch, pattern, zone, now }: Split): string {
  const tz = patch.recurrence_pattern?.tz ?? pattern.tz ?? zone;
  const start = patch.recurrence_pattern?.start ?? startOf(patch, tz) ?? placeOf(target);
  const { count } = ruleOf(pattern);
  const rest =
    count === null ? pattern : endingAfter(pattern, Math.max(1, count - countBefore(pattern, placeOf(target))));
  const { exdate = [], ...given } = patch.recurrence_pattern ?? rest;
  const wanted = start.slice(0, 10) === placeOf(target).slice(0, 10) ? keepingDay(given, pattern, start) : given;
  const none = { dueDate: null, dueOn: null, dueTz: template.due_tz, zone, now };
  const fill = (left: readonly string[]) =>
    fillPattern({ ...wanted, tz, start, exdate: left }, { before: template.recurrence_pattern, ...none });
  const schedule = scheduleOf(parseRecurrencePatternText(fill([])));
  const sameDay = (place: string): string =>
    start.length === 10 || findRecurrence(schedule, place) !== null ? place : `${place.slice(0, 10)}${start.slice(10)}`;
  const closed = closedPlaces.map((place) => sameDay(start.length === 10 ? place.slice(0, 10) : place));
  const left = [...exdate, ...closed].filter((place) => place.length === start.length && place >= start);
  return fill([...new Set(left)].sort().slice(0, maxExdates));
}

/**
 * A pattern for this start, where it takes its day of the month from an older one: of a month that was clamped the start has another
 * day, and the rule names the old one then. January 31st goes on to March 31st from February 28th too.
 */
function keepingDay(pattern: RecurrencePattern, old: RecurrencePattern, start: string): RecurrencePattern {
  const [rule, before] = [ruleOf(pattern), ruleOf(old)];
  const inherits = ({ month_end }: RecurrencePattern, { parts }: Rrule) =>
    month_end === "clamp" && !parts.has("BYMONTHDAY");
  if (rule.freq !== before.freq || !mayClamp(rule) || !mayClamp(before)) return pattern;
  if (!inherits(pattern, rule) || !inherits(old, before) || old.start === undefined) return pattern;
  const [day, month] = [Number(old.start.slice(8, 10)), Number(start.slice(5, 7))];
  if (day <= Number(start.slice(8, 10))) return pattern;
  // Of a yearly rule that names days only, these are of every month.
  const inMonth = rule.freq === "YEARLY" && !rule.parts.has("BYMONTH") ? `;BYMONTH=${month}` : "";
  return { ...pattern, rrule: `${pattern.rrule}${inMonth};BYMONTHDAY=${day}` };
}

function startOf({ due_date: date, due_on: on }: TaskPatch, tz: string): string | null {
  if (on) return on;
  if (!date) return null;
  const local = Temporal.Instant.fromEpochMilliseconds(date.getTime()).toZonedDateTimeISO(tz).toPlainDateTime();
  return local.toString({ smallestUnit: "second" });
}

function dueOf({ id, at }: Recurrence): TaskPatch {
  return id.length === 10 ? { due_on: id } : { due_date: at };
}

function newTask(row: TaskRow, id: string, now: Date): TaskRow {
  return { ...row, id, created_at: now, updated_at: now, version: 1 };
}
