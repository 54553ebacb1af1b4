import type { TaskPatch } from "../../shared/tasks/task-input.ts";
import { isLocal } from "./resolve-due.ts";

/** Whether a request about a task needs the user's zone: it names none for its pattern, or for a local due. */
export function needsZone({ recurrence_pattern: pattern, due_date: due, due_tz: tz }: TaskPatch): boolean {
  return (pattern !== undefined && pattern !== null && pattern.tz === undefined) || (isLocal(due) && !tz);
}

/** Whether a patch asks for reminders: which there are follows from the due and the rules. */
export function saysReminders({ due_date, due_on, due_tz, remind }: TaskPatch): boolean {
  return [due_date, due_on, due_tz, remind].some((said) => said !== undefined);
}

/** What a pattern makes at once, of what its series has missed. */
export function opensAtOnce(pattern: TaskPatch["recurrence_pattern"]): number {
  return pattern?.catch_up === "all" ? (pattern.max_open ?? 1) : 1;
}
