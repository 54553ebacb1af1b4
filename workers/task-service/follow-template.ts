import { pick } from "../../shared/pick.ts";
import { inheritedFields } from "../../shared/tasks/task-fields.ts";
import type { TaskPatch } from "../../shared/tasks/task-input.ts";
import type { WithResolvedDue } from "./resolve-due.ts";
import type { TaskRow } from "./task-row.ts";

/** The fields of a patch in which an occurrence follows its template: those in which it was as the template was. */
export function followed(
  patch: WithResolvedDue<TaskPatch>,
  row: TaskRow,
  template: TaskRow,
): WithResolvedDue<TaskPatch> {
  return pick(
    patch,
    inheritedFields.filter((name) => isSame(row[name], template[name])),
  );
}

/** Texts are compared as they are: a hundred descriptions of 20,000 characters follow at once. */
export function isSame(a: unknown, b: unknown): boolean {
  return a === b || (Array.isArray(a) && JSON.stringify(a) === JSON.stringify(b));
}

/** The part of a patch that is an occurrence's own. */
export function withoutPattern({
  recurrence_pattern: _pattern,
  is_recurring_template: _flag,
  ...rest
}: WithResolvedDue<TaskPatch>) {
  return rest satisfies WithResolvedDue<TaskPatch>;
}

/** The part of a patch that has nothing to do with when one occurrence is due. */
export function withoutDue({ due_date: _date, due_on: _on, due_tz: _tz, ...rest }: WithResolvedDue<TaskPatch>) {
  return rest satisfies WithResolvedDue<TaskPatch>;
}

/** Whether a patch says when one occurrence is due. */
export function hasDue({ due_date, due_on }: WithResolvedDue<TaskPatch>): boolean {
  return due_date !== undefined || due_on !== undefined;
}
