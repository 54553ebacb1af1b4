import { Problem } from "../../../shared/problem.ts";
import { parseRecurrencePatternText } from "../../../shared/recurrence/recurrence-pattern.ts";
import { isPastEnd } from "../cut-pattern.ts";
import { decideUndelete, type Decide } from "../decide-task.ts";
import { placeUnder } from "../follow-schedule.ts";
import { placeOf, writesOf, type DecideSeriesChange, type SeriesRows } from "../series-rows.ts";
import { viewOfRow, type TaskRow } from "../task-row.ts";
import { restorableDays, restorableSince } from "./restorable.ts";

/** `all`: the template too, with the occurrences that were deleted with it. */
export type RestoreScope = "this" | "all";

/**
 * A deleted task is there again as it was, open or completed. Nothing for one that is not deleted. Throws
 * TASK_NOT_FOUND for one deleted 30 days ago or earlier.
 */
export const decideRestore: Decide = (row, now) => {
  refuseTooOld(row, now);
  return decideUndelete(row, now);
};

/**
 * Restores an occurrence or a template, with `all` both, and every occurrence that was deleted at the same moment as
 * the template. A series goes on from its restored template; what it missed meanwhile is made as its `catch_up` says.
 * One stays deleted where another open one has its place by now. Throws as `decideRestore`, and OCCURRENCE_REPLACED,
 * with the task that is there, for an occurrence whose place another one has.
 */
export function decideSeriesRestore(scope: RestoreScope): DecideSeriesChange {
  return (rows, now) => {
    const { template, target, deletedWith } = rows;
    refuseTooOld(target, now);
    const isGone = target.deleted_at !== null && target.id !== template.id;
    const taken = isGone ? (replacementOf(rows) ?? (scope === "all" ? twinOf(rows) : null)) : null;
    if (taken !== null) {
      const detail = `Its place has the task ${taken.id}${taken.deleted_at === null ? "" : ", which is deleted too: restore that one"}`;
      throw new Problem("OCCURRENCE_REPLACED", detail, { current: viewOfRow(taken) });
    }
    const restored = decideUndelete(target, now);
    const all = [restored];
    if (scope === "all") {
      if (template.recurrence_pattern === null) throw new Problem("TASK_HAS_NO_SERIES");
      refuseTooOld(template, now);
      // The template comes last: heard of in this order, the series asks for nothing that comes back anyway.
      const others = deletedWith.filter((row) => row.id !== target.id && !isHeld(rows, row));
      all.unshift(...others.map((row) => decideUndelete(row, now)));
      if (template.id !== target.id) all.push(decideUndelete(template, now));
    }
    return { writes: writesOf(all), row: restored.row };
  };
}

/** What was deleted with the template and comes back with it, in the place of an occurrence that was deleted before. */
function twinOf({ template, target, deletedWith }: SeriesRows): TaskRow | null {
  if (template.recurrence_pattern === null || target.deleted_at?.getTime() === template.deleted_at?.getTime())
    return null;
  const pattern = parseRecurrencePatternText(template.recurrence_pattern);
  const place = placeUnder(pattern, target);
  return deletedWith.find((row) => row.id !== target.id && placeUnder(pattern, row) === place) ?? null;
}

/** Whether an open occurrence has the place of a deleted one. */
function isHeld({ template, open }: SeriesRows, deleted: TaskRow): boolean {
  if (template.recurrence_pattern === null) return false;
  const pattern = parseRecurrencePatternText(template.recurrence_pattern);
  const place = placeUnder(pattern, deleted);
  return open.some((row) => placeUnder(pattern, row) === place);
}

function refuseTooOld({ id, deleted_at: at }: TaskRow, now: Date): void {
  if (at === null || at > restorableSince(now)) return;
  const detail = `The task ${id} was deleted more than ${restorableDays} days ago, and can no longer be restored`;
  throw new Problem("TASK_NOT_FOUND", detail);
}

/**
 * The task that stands for a deleted occurrence by now: another live one of its series for the same recurrence, or the
 * plain task that its series has become. Where a split moved it into another series, it is what that series has of its
 * day, else that series itself. Both of these count deleted or not: they must not come back beside the occurrence.
 */
function replacementOf({ template, target, rivals }: SeriesRows): TaskRow | null {
  if (template.recurrence_pattern === null) return template;
  const pattern = parseRecurrencePatternText(template.recurrence_pattern);
  const place = placeUnder(pattern, target);
  const own = rivals.find((row) => row.template_id === template.id && placeUnder(pattern, row) === place);
  if (own !== undefined) return own;
  // A split ends the series before the occurrence, maybe on its day, and makes the other series at that very moment.
  const day = placeOf(target).slice(0, 10);
  if (!isPastEnd(pattern, `${day}T23:59:59`)) return null;
  const others = rivals.filter((row) => row.template_id !== template.id);
  const ofDay = others.find((row) => row.template_id !== null && placeOf(row).slice(0, 10) === day);
  return ofDay ?? others.find((row) => row.is_recurring_template) ?? null;
}
