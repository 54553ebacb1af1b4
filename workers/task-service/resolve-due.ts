import { dueInstant, type LocalTime } from "../../shared/tasks/due-input.ts";
import type { TaskPatch } from "../../shared/tasks/task-input.ts";
import { localDue } from "../../shared/tasks/local-due.ts";

/**
 * What was asked for, its due time an instant; `due_local` is what it was said as, see `localDue`, `null` or missing
 * for an instant.
 */
export type WithResolvedDue<T> = Omit<T, "due_date"> &
  Readonly<{ due_date?: Date | null | undefined; due_local?: string | null | undefined }>;

type DueInput = Pick<TaskPatch, "due_date" | "due_tz" | "recurrence_pattern"> &
  Pick<WithResolvedDue<TaskPatch>, "due_local">;

/**
 * Finds the instant of a local due time: in the zone asked for with it, else the one that its pattern names, else that
 * of the task as it is, else the user's (`null`: they have chosen none). What is resolved stays as it is. Throws what
 * `dueInstant` throws.
 */
export function resolveDue<T extends DueInput>(
  asked: T,
  of: Readonly<{ dueTz: string | null; zone: string | null }>,
): WithResolvedDue<T> {
  const { due_date: due, ...rest } = asked;
  if (due === undefined) return rest;
  // Cleared with it, the zone of the task is the user's again.
  const own = asked.due_tz === undefined ? of.dueTz : null;
  const tz = asked.due_tz ?? asked.recurrence_pattern?.tz ?? own ?? of.zone;
  const at = due === null ? null : dueInstant(due, tz);
  return isLocal(due) && tz !== null
    ? { ...rest, due_date: at, due_local: localDue(due.local, tz) }
    : { ...rest, due_date: at };
}

export function isLocal(due: Date | LocalTime | null | undefined): due is LocalTime {
  return due !== null && due !== undefined && !(due instanceof Date);
}
