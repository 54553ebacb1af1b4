import { occurrenceId } from "../../shared/tasks/occurrence-id.ts";
import { Problem } from "../../shared/problem.ts";
import { placeIn } from "../../shared/recurrence/place-in.ts";
import { parseRecurrencePatternText, type RecurrencePattern } from "../../shared/recurrence/recurrence-pattern.ts";
import { makeRecurrences, type Recurrence, type Schedule } from "../../shared/recurrence/recurrence.ts";
import type { TaskPatch } from "../../shared/tasks/task-input.ts";
import { endingBefore, lastBefore, scheduleOf } from "./cut-pattern.ts";
import { decidePatch, taskCreated } from "./decide-task.ts";
import { dueUnder, placeUnder } from "./follow-schedule.ts";
import { followed, withoutDue, withoutPattern } from "./follow-template.ts";
import {
  deletions,
  laterThan,
  placeOf,
  writesOf,
  type SeriesDecision,
  type SeriesRows,
  type RowWithEvent,
} from "./series-rows.ts";
import { checkStart } from "./check-start.ts";
import type { WithResolvedDue } from "./resolve-due.ts";
import { splitPattern } from "./split-pattern.ts";
import type { TaskRow } from "./task-row.ts";

type SeriesSplit = Readonly<{
  patch: WithResolvedDue<TaskPatch>;
  /** Of the template as it is. */
  pattern: RecurrencePattern;
  zone: string | null;
  now: Date;
  /** Of the new template. */
  id: string;
}>;

/**
 * Splits a series at an occurrence: the old template ends just before it, a new one goes on from it with the change.
 * The occurrence and the later open ones are deleted and made anew for the new series, in the same transaction and
 * under the ids the worker computes for them, so it takes them for its own and no date has two live tasks. Those whose
 * time the new series does not have are only deleted. A COUNT is divided between the two. Throws INVALID_REQUEST for a
 * due the rule does not name or the one before has, and what `splitPattern` throws.
 */
export function splitSeries(rows: SeriesRows, split: SeriesSplit): SeriesDecision {
  const { template, target } = rows;
  const { patch, pattern, zone, now } = split;
  const place = placeUnder(pattern, target);
  const text = splitPattern(rows, split);
  const after = parseRecurrencePatternText(text);
  const schedule = scheduleOf(after);
  const first = makeRecurrences(schedule).first();
  const due = patch.due_date ?? patch.due_on ?? null;
  if (first === null || (due !== null && !patch.recurrence_pattern && first.id !== schedule.start))
    throw new Problem("INVALID_REQUEST", undefined, {
      mistakes: [
        due === null
          ? { path: "/recurrence_pattern", message: "never occurs from this occurrence on" }
          : {
              path: patch.due_on ? "/due_on" : "/due_date",
              message: schedule.exdate?.includes(schedule.start)
                ? "is on a day that the series has a task of already"
                : "is not when the rule recurs; change recurrence_pattern too",
            },
      ],
    });
  checkStart({ pattern: patch.recurrence_pattern, dueDate: patch.due_date, dueOn: patch.due_on }, text);
  refuseOvertaking(first, split, place);
  const changed = {
    ...decidePatch(withoutDue(withoutPattern(patch)), zone)(template, now).row,
    ...startsAt(first, schedule),
  };
  const successor = newTask({ ...changed, is_recurring_template: true, recurrence_pattern: text }, split.id, now);

  const anew = (row: TaskRow, recurrence: Recurrence, more: TaskPatch): TaskRow => {
    const own = decidePatch(more, zone)(row, now).row;
    const place = { template_id: successor.id, recurrence_id: recurrence.id };
    return newTask({ ...own, ...place }, occurrenceId(successor.id, recurrence.id), now);
  };
  // On the day it was made for, only a due that is still the rule's goes with the rule.
  const isSameDay = first.id.slice(0, 10) === place.slice(0, 10);
  const ruleDue = (row: TaskRow) => dueUnder(row, { before: pattern, after, now });
  const otherDue = due !== null ? {} : isSameDay ? ruleDue(target) : dueOf(first);
  const addressed = anew(target, first, { ...otherDue, ...withoutPattern(patch) });
  const made = new Map([[first.id, addressed]]);
  for (const row of laterThan(rows)) {
    const recurrence = placeIn({ schedule, pattern: after }, placeOf(row));
    if (recurrence !== null && recurrence.at > first.at && !made.has(recurrence.id))
      made.set(recurrence.id, anew(row, recurrence, { ...ruleDue(row), ...followed(patch, row, template) }));
  }
  const ended = decidePatch({ recurrence_pattern: endingBefore(pattern, place) }, zone)(template, now);
  return {
    writes: [
      ...writesOf([ended]),
      ...deletions([target, ...laterThan(rows)], now),
      ...[successor, ...made.values()].map((row): RowWithEvent => ({ row, event: taskCreated(row) })),
    ],
    row: addressed,
  };
}

/** The new series begins after the last recurrence the old one keeps: else one date would have a task of each. */
function refuseOvertaking(first: Recurrence, { patch, pattern }: SeriesSplit, place: string): void {
  const kept = lastBefore(pattern, place);
  if (kept === null || first.at > kept.at) return;
  const path = patch.due_on ? "/due_on" : patch.due_date ? "/due_date" : "/recurrence_pattern/start";
  const message = `is not after ${kept.id}, which comes before this occurrence and stays`;
  throw new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path, message }] });
}

/** What the new template shows of when it starts. */
function startsAt({ id, at }: Recurrence, { tz }: Schedule): Pick<TaskRow, "due_date" | "due_on" | "due_tz"> {
  const isDay = id.length === 10;
  return { due_date: isDay ? null : at, due_on: isDay ? id : null, due_tz: tz };
}

function dueOf({ id, at }: Recurrence): TaskPatch {
  return id.length === 10 ? { due_on: id } : { due_date: at };
}

function newTask(row: TaskRow, id: string, now: Date): TaskRow {
  return { ...row, id, created_at: now, updated_at: now, version: 1, view_version: null };
}
