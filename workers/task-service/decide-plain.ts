import { pick } from "../../shared/pick.ts";
import { inheritedFields } from "../../shared/tasks/task-fields.ts";
import type { TaskPatch } from "../../shared/tasks/task-input.ts";
import { decidePatch } from "./decide-task.ts";
import { localDueOf } from "./local-due-of.ts";
import type { WithResolvedDue } from "./resolve-due.ts";
import { deletions, writesOf, type DecideSeriesChange } from "./series-rows.ts";
import type { TaskRow } from "./task-row.ts";

/** Whether a patch makes a template a plain task. */
export function makesPlain({ recurrence_pattern: pattern, is_recurring_template: flag }: TaskPatch): boolean {
  return pattern === null || (pattern === undefined && flag === false);
}

/**
 * Makes a template a plain task again. A person sees the series by its open occurrence, the template in no list: so
 * that there is one to-do and not two, the task takes over what the earliest open one has (its due, and what was
 * changed of it), and the open ones are deleted. What the patch says itself goes before. Of a task that is no template
 * it is an ordinary patch.
 */
export function decidePlain(patch: TaskPatch, zone: string | null): DecideSeriesChange {
  return ({ target, open }, now) => {
    const seen = target.is_recurring_template ? earliest(open) : null;
    const shown = decidePatch(seen === null ? patch : { ...shownOf(seen, patch), ...patch }, zone)(target, now);
    const rest = target.is_recurring_template ? deletions(open, now) : [];
    return { writes: [...writesOf([shown]), ...rest], row: shown.row };
  };
}

function earliest(open: readonly TaskRow[]): TaskRow | null {
  const placeOf = ({ due_date, due_on, recurrence_id }: TaskRow) =>
    due_date?.toISOString() ?? due_on ?? recurrence_id ?? "";
  return open.toSorted((a, b) => placeOf(a).localeCompare(placeOf(b)))[0] ?? null;
}

/** What an occurrence shows; without its due where the patch says one. */
function shownOf(row: TaskRow, patch: TaskPatch): WithResolvedDue<TaskPatch> {
  const fields = pick(row, inheritedFields);
  if (patch.due_date !== undefined || patch.due_on !== undefined) return fields;
  return { ...fields, due_date: row.due_date, due_local: localDueOf(row), due_on: row.due_on, due_tz: row.due_tz };
}
