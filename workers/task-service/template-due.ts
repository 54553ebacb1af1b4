import { Problem, type Mistake } from "../../shared/problem.ts";
import { instantOf } from "../../shared/recurrence/find-recurrence.ts";
import { parseRecurrencePatternText } from "../../shared/recurrence/recurrence-pattern.ts";
import type { TaskPatch } from "../../shared/tasks/task-input.ts";
import type { WithResolvedDue } from "./resolve-due.ts";
import type { TaskRow } from "./task-row.ts";

type DueColumns = Pick<TaskRow, "due_date" | "due_on" | "due_tz">;

/**
 * Throws INVALID_REQUEST where a patch says when a template is due and that would move nothing: a series recurs by its
 * pattern. With a pattern a due says its start; none at all, a series cannot be.
 */
export function refuseTemplateDue(patch: WithResolvedDue<TaskPatch>, row: TaskRow): void {
  const isSame: Readonly<Record<keyof DueColumns, boolean>> = {
    due_date: patch.due_date === undefined || patch.due_date?.getTime() === row.due_date?.getTime(),
    due_on: patch.due_on === undefined || patch.due_on === row.due_on,
    due_tz: patch.due_tz === undefined || patch.due_tz === row.due_tz,
  };
  const replaced = { due_date: Boolean(patch.due_on), due_on: Boolean(patch.due_date), due_tz: true };
  const names = ["due_date", "due_on", "due_tz"] as const;
  const isFree = (name: (typeof names)[number]) =>
    isSame[name] || (Boolean(patch.recurrence_pattern) && (Boolean(patch[name]) || replaced[name]));
  const mistakes = names
    .filter((name) => !isFree(name))
    .map((name): Mistake => ({
      path: `/${name}`,
      message: "moves no series; change recurrence_pattern, its start or its tz",
    }));
  if (mistakes.length > 0) throw new Problem("INVALID_REQUEST", undefined, { mistakes });
}

/**
 * The due a template shows under a new pattern, whose start it is: as the patch says it, else that start. Nothing where
 * it shows none.
 */
export function templateDue(patch: WithResolvedDue<TaskPatch>, row: TaskRow, text: string): Partial<DueColumns> {
  const { start, tz } = parseRecurrencePatternText(text);
  const old = row.recurrence_pattern === null ? null : parseRecurrencePatternText(row.recurrence_pattern);
  const isShown = row.due_date !== null || row.due_on !== null;
  if (!isShown || start === undefined || tz === undefined || (old?.start === start && old.tz === tz)) return {};
  const due_tz = patch.due_tz ?? (row.due_tz === null ? null : tz);
  if (patch.due_date || patch.due_on) return { due_tz };
  return start.length === 10
    ? { due_date: null, due_on: start, due_tz }
    : { due_date: instantOf(start, tz), due_on: null, due_tz };
}
