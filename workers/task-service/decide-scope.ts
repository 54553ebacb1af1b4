import { Problem, type Mistake } from "../../shared/problem.ts";
import { parseRecurrencePatternText } from "../../shared/recurrence/recurrence-pattern.ts";
import type { TaskPatch } from "../../shared/tasks/task-input.ts";
import { checkStart } from "./check-start.ts";
import { endingAfter, endingAt, endingBefore, hasBefore, isPastEnd } from "./cut-pattern.ts";
import { decidePatch } from "./decide-task.ts";
import { followed, hasDue, withoutDue, withoutPattern } from "./follow-template.ts";
import {
  deletions,
  laterThan,
  livePattern,
  writesOf,
  type DecideSeriesChange,
  type SeriesDecision,
  type SeriesRows,
  type RowWithEvent,
} from "./series-rows.ts";
import { dueUnder, placeUnder, rescheduledBy, type NewDue, type RecurrenceChange } from "./follow-schedule.ts";
import { resolveDue, type WithResolvedDue } from "./resolve-due.ts";
import { splitSeries } from "./split-series.ts";
import type { TaskRow } from "./task-row.ts";

/** How far a change of an occurrence reaches: its whole series, or it and those after it. */
export type SeriesScope = "all" | "future";

/**
 * Changes an occurrence and with it its series. Every open occurrence reached follows in the fields in which it still
 * is as the template was; the one addressed takes the whole patch. With `all` the template is changed in place. With
 * `future` the series is split at the occurrence (see `splitSeries`), unless nothing comes before it or it counts from
 * completion: then the template is changed in place as well, and a new due needs a pattern that says it. If the series
 * was ended before this occurrence meanwhile (it was done ahead, then reopened), only the occurrence changes: an end is
 * never moved to later.
 */
export function decideScopedPatch(
  asked: TaskPatch,
  of: Readonly<{ scope: SeriesScope; zone: string | null; newId: (now: Date) => string }>,
): DecideSeriesChange {
  const { scope, zone } = of;
  return (rows, now) => {
    refuseUnscoped(asked, scope);
    const patch = resolveDue(asked, { dueTz: rows.target.due_tz, zone });
    const pattern = parseRecurrencePatternText(livePattern(rows));
    const place = placeUnder(pattern, rows.target);
    if (scope === "future" && rows.target.status === "completed")
      throw new Problem("TASK_COMPLETED", "It is completed; change the next one with those after it");
    if (scope === "all")
      return inPlace({ ...rows, open: rows.open.filter(({ id }) => id !== rows.target.id) }, { patch, zone, now });
    const reached = { ...rows, open: laterThan(rows) };
    if (isPastEnd(pattern, place)) {
      if (patch.recurrence_pattern) throw endedBefore(place);
      return occurrencesAlone(reached, { patch, zone, now });
    }
    if (pattern.anchor === "schedule" && hasBefore(pattern, place))
      return splitSeries(rows, { patch, pattern, zone, now, id: of.newId(now) });
    refuseOwnDue(patch, rows.target);
    return inPlace(reached, { patch, zone, now });
  };
}

/**
 * Deletes an occurrence with those after it, which ends the series before it, or with all that are open and the
 * template.
 */
export function decideScopedDelete(scope: SeriesScope, zone: string): DecideSeriesChange {
  return (rows, now) => {
    const { template, target, open } = rows;
    const gone = target.deleted_at === null ? [target] : [];
    const answer = (writes: readonly RowWithEvent[]): SeriesDecision => ({ writes, row: target });
    const others = open.filter(({ id }) => id !== target.id);
    if (template.deleted_at !== null || template.recurrence_pattern === null)
      return answer(deletions([...gone, ...(scope === "all" ? others : laterThan(rows))], now));
    if (scope === "all") return answer(deletions([template, ...gone, ...others], now));
    const pattern = parseRecurrencePatternText(template.recurrence_pattern);
    const place = placeUnder(pattern, target);
    // Counted from completion nothing else is to come; nor is anything where this is the first.
    const isWhole = pattern.anchor === "completion" || !hasBefore(pattern, place);
    const ended = isPastEnd(pattern, place)
      ? []
      : isWhole
        ? deletions([template], now)
        : writesOf([decidePatch({ recurrence_pattern: endingBefore(pattern, place) }, zone)(template, now)]);
    return answer([...ended, ...deletions([...gone, ...laterThan(rows)], now)]);
  };
}

/** Ends the series after this occurrence; later ones that are open already are deleted. Nothing where it ends there. */
export function decideStopAfter(zone: string): DecideSeriesChange {
  return (rows, now) => {
    const pattern = parseRecurrencePatternText(livePattern(rows));
    const place = placeUnder(pattern, rows.target);
    if (isPastEnd(pattern, place)) return { writes: deletions(laterThan(rows), now), row: rows.target };
    // Counted from completion the next one never is before this one, but may be a copy of its date, the first one taken
    // back.
    const ended =
      pattern.anchor === "schedule"
        ? endingAt(pattern, place)
        : hasBefore(pattern, place)
          ? endingBefore(pattern, place)
          : endingAfter(pattern, 1);
    const template = decidePatch({ recurrence_pattern: ended }, zone)(rows.template, now);
    return { writes: [...writesOf([template]), ...deletions(laterThan(rows), now)], row: rows.target };
  };
}

type PatchContext = Readonly<{ patch: WithResolvedDue<TaskPatch>; zone: string | null; now: Date }>;

function inPlace(rows: SeriesRows, { patch, zone, now }: PatchContext): SeriesDecision {
  // A due is the occurrence's; the template's pattern says when the series recurs.
  const template = decidePatch(withoutDue(patch), zone)(rows.template, now);
  const { writes, row } = occurrencesAlone(rows, {
    patch,
    zone,
    now,
    rescheduled: rescheduledBy(rows.template, template),
  });
  if (patch.recurrence_pattern)
    checkStart(
      { pattern: patch.recurrence_pattern, dueDate: patch.due_date, dueOn: patch.due_on },
      template.row.recurrence_pattern ?? "",
    );
  return { writes: [...writesOf([template]), ...writes], row };
}

function occurrencesAlone(
  { template, target, open }: SeriesRows,
  { patch, zone, now, rescheduled = null }: PatchContext & Readonly<{ rescheduled?: RecurrenceChange | null }>,
): SeriesDecision {
  const due = (row: TaskRow): NewDue =>
    rescheduled === null || row.status === "completed" ? {} : dueUnder(row, { ...rescheduled, now });
  const own = hasDue(patch) ? {} : due(target);
  const addressed = decidePatch({ ...own, ...withoutPattern(patch) }, zone)(target, now);
  const others = open.map((row) => decidePatch({ ...due(row), ...followed(patch, row, template) }, zone)(row, now));
  return { writes: writesOf([addressed, ...others]), row: addressed.row };
}

function endedBefore(place: string): Problem {
  const message = `belongs to a series that was ended before ${place}; change an earlier occurrence, or use scope=all`;
  return new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path: "/recurrence_pattern", message }] });
}

/** In place the series recurs by its pattern alone: a new due would be this occurrence's only. */
function refuseOwnDue(patch: WithResolvedDue<TaskPatch>, target: TaskRow): void {
  if (patch.recurrence_pattern) return;
  const isNew = {
    due_date: patch.due_date && patch.due_date.getTime() !== target.due_date?.getTime(),
    due_on: patch.due_on && patch.due_on !== target.due_on,
    due_tz: patch.due_tz && patch.due_tz !== target.due_tz,
  };
  const mistakes = Object.entries(isNew).flatMap(([name, wrong]) =>
    wrong
      ? [
          {
            path: `/${name}`,
            message: "would move this occurrence alone; change recurrence_pattern too to move the series",
          },
        ]
      : [],
  );
  if (mistakes.length > 0) throw new Problem("INVALID_REQUEST", undefined, { mistakes });
}

function refuseUnscoped(patch: TaskPatch, scope: SeriesScope): void {
  const mistakes: Mistake[] = [];
  const refuse = (path: string, message: string) => mistakes.push({ path, message });
  if (patch.recurrence_pattern === null)
    refuse("/recurrence_pattern", "cannot be cleared with a scope; delete or stop the series");
  if (patch.is_recurring_template !== undefined) refuse("/is_recurring_template", "does not go with a scope");
  for (const name of ["due_date", "due_on", "due_tz"] as const)
    if (patch[name] !== undefined && (scope === "all" || patch[name] === null))
      refuse(`/${name}`, "is one occurrence's; change recurrence_pattern to move the series");
  if (mistakes.length > 0) throw new Problem("INVALID_REQUEST", undefined, { mistakes });
}
