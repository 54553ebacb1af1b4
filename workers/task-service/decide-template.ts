import type { TaskPatch } from "../../shared/tasks/task-input.ts";
import { decidePatch } from "./decide-task.ts";
import { dueUnder, rescheduledBy } from "./follow-schedule.ts";
import { writesOf, type DecideSeriesChange } from "./series-rows.ts";

/**
 * Changes a template. Where its pattern changes, its open occurrences follow to the new time of their day, see
 * `dueUnder`; what else changes is for those still to be made. Of a task that is no template it is an ordinary patch.
 */
export function decideTemplatePatch(patch: TaskPatch, zone: string | null): DecideSeriesChange {
  return ({ target, open }, now) => {
    const changed = decidePatch(patch, zone)(target, now);
    const rescheduled = target.is_recurring_template ? rescheduledBy(target, changed) : null;
    if (rescheduled === null) return { writes: writesOf([changed]), row: changed.row };
    const moved = open.map((row) => decidePatch(dueUnder(row, { ...rescheduled, now }), zone)(row, now));
    return { writes: writesOf([changed, ...moved]), row: changed.row };
  };
}
