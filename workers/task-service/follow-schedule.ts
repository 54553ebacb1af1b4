import { instantOf, plainId } from "../../shared/recurrence/find-recurrence.ts";
import { placeIn, type SeriesLayout } from "../../shared/recurrence/place-in.ts";
import { ownDue, type OccurrenceDue } from "../../shared/recurrence/recurrence-due.ts";
import { parseRecurrencePatternText, type RecurrencePattern } from "../../shared/recurrence/recurrence-pattern.ts";
import { wallText } from "../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";
import { localDue } from "../../shared/tasks/local-due.ts";
import { scheduleOf } from "./cut-pattern.ts";
import type { TaskDecision } from "./decide-task.ts";
import { placeOf } from "./series-rows.ts";
import type { TaskRow } from "./task-row.ts";

/** A due as a patch says it. */
export type NewDue = Readonly<{ due_date?: Date; due_local?: string; due_on?: string; due_tz?: string }>;

/** How a series recurred, and how it recurs now. */
export type RecurrenceChange = Readonly<{ before: RecurrencePattern; after: RecurrencePattern }>;

/** `null` where the pattern stays as it was, or there is none before or after. */
export function rescheduledBy(before: TaskRow, { row: after }: TaskDecision): RecurrenceChange | null {
  const [old, text] = [before.recurrence_pattern, after.recurrence_pattern];
  if (old === null || text === null || old === text) return null;
  return { before: parseRecurrencePatternText(old), after: parseRecurrencePatternText(text) };
}

/**
 * The local start an occurrence stands for in its series as the pattern is now; the one it was made for where that has
 * none for its day.
 */
export function placeUnder(pattern: RecurrencePattern, row: Pick<TaskRow, "recurrence_id">): string {
  const made = placeOf(row);
  return pattern.start === undefined || made === "" ? made : (placeIn(laidBy(pattern), made)?.id ?? made);
}

/**
 * What an open occurrence is due where the pattern of its series changes: on the same day at the new time, in the new
 * zone, so that a day keeps its one task. Nothing for one that a person moved, for one of an earlier day that is
 * overdue, and where the new rule does not have the day: these stay as they are. Pure.
 */
export function dueUnder(
  row: Pick<TaskRow, "recurrence_id" | "due_date" | "due_on" | "due_tz">,
  { before, after, now }: RecurrenceChange & Readonly<{ now: Date }>,
): NewDue {
  if (row.recurrence_id === null || before.start === undefined || after.start === undefined) return {};
  const [old, laid] = [laidBy(before), laidBy(after)];
  const placed = placeIn(old, row.recurrence_id);
  const was =
    placed === null ? namedDue(row.recurrence_id, row.due_tz ?? old.schedule.tz) : ownDue(placed, old.schedule);
  const place = placeIn(laid, row.recurrence_id);
  if (place === null || !isSameDue(row, was)) return {};
  const isOver = was.date === null ? was.on < dayAt(now, old.schedule.tz) : was.date <= now;
  if (isOver && place.id.slice(0, 10) < dayAt(now, laid.schedule.tz)) return {};
  const due = ownDue(place, laid.schedule);
  return {
    ...(due.date === null
      ? { due_on: due.on }
      : { due_date: due.date, due_local: localDue(place.id, laid.schedule.tz) }),
    ...(row.due_tz === null || row.due_tz === old.schedule.tz ? { due_tz: laid.schedule.tz } : {}),
  };
}

/**
 * The due of an occurrence asked for under a schedule that its template may have left meanwhile: as it was asked for,
 * or, where that was the rule's own due and the rule has another for this day by now, that one.
 */
export function dueNow(
  asked: Readonly<{ recurrence_id: string; due_date: Date | null; due_on: string | null; due_tz: string | null }>,
  pattern: RecurrencePattern,
): Pick<TaskRow, "due_date" | "due_local" | "due_on" | "due_tz"> {
  const { recurrence_id: id, due_date, due_on, due_tz } = asked;
  const as = { due_date, due_local: null, due_on, due_tz };
  if (pattern.start === undefined) return as;
  const laid = laidBy(pattern);
  const place = placeIn(laid, id);
  if (place === null || !isSameDue(as, namedDue(id, due_tz ?? laid.schedule.tz))) return as;
  const due = ownDue(place, laid.schedule);
  const { tz } = laid.schedule;
  return {
    due_date: due.date,
    due_local: due.date === null ? null : localDue(place.id, tz),
    due_on: due.on,
    due_tz: tz,
  };
}

/** The due that the id of an occurrence names: it is the local start it was made for. */
function namedDue(recurrenceId: string, tz: string): OccurrenceDue {
  const id = plainId(recurrenceId);
  return ownDue({ id, at: instantOf(id, tz) ?? new Date(0) }, { start: id });
}

function isSameDue(row: Pick<TaskRow, "due_date" | "due_on">, { date, on }: OccurrenceDue): boolean {
  return row.due_on === on && row.due_date?.getTime() === date?.getTime();
}

function dayAt(moment: Date, tz: string): string {
  return wallText(zoneClock(tz).wallAt(moment.getTime())).slice(0, 10);
}

/** The pattern of a template has its zone and start filled in. */
function laidBy(pattern: RecurrencePattern): SeriesLayout {
  return { schedule: scheduleOf(pattern), pattern };
}
