import type { Tx } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import type { GuardRow } from "./guard.ts";
import type { Reminder } from "./reminder.ts";

/** A person's own reminders that may wait for one task, and that may have fired and not be dismissed. */
const maxOwnPending = 50;
const maxOwnFired = 100;

/** Throws INVALID_REQUEST for one mistake; `path` is a JSON pointer into the body. */
export function refuse(path: string, message: string): never {
  throw new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path, message }] });
}

/**
 * Throws TASK_NOT_FOUND for a deleted task, TASK_COMPLETED, or TASK_IS_TEMPLATE: none of them has reminders that wait.
 * What task-service's table says counts, for closing and reopening alike: the event of it may still be on its way.
 */
export async function refuseClosed(tx: Tx, guard: GuardRow): Promise<void> {
  const [task] = await tx<{ isDeleted: boolean; isCompleted: boolean; isTemplate: boolean }[]>`
    select deleted_at is not null as "isDeleted", status = 'completed' as "isCompleted",
      is_recurring_template as "isTemplate"
    from tasks where id = ${guard.taskId}`;
  if (task === undefined || task.isDeleted) throw new Problem("TASK_NOT_FOUND");
  if (task.isCompleted) throw new Problem("TASK_COMPLETED");
  if (task.isTemplate)
    throw new Problem("TASK_IS_TEMPLATE", "A recurring template has no reminders; its occurrences have.");
}

/**
 * Throws INVALID_REQUEST if the task has too many pending reminders of the person's own, or too many fired ones, for
 * one more.
 */
export function refuseTooMany(existing: readonly Reminder[]): void {
  const own = (wanted: Reminder["status"]) =>
    existing.filter(({ rule, status }) => rule === null && status === wanted).length;
  if (own("pending") >= maxOwnPending)
    refuse("/remind_at", `is one too many: ${maxOwnPending} reminders of your own are waiting for this task`);
  if (own("triggered") >= maxOwnFired)
    refuse("/remind_at", `is one too many: ${maxOwnFired} of your own have fired for this task; dismiss some`);
}

/** Whether an instant is ahead by the database's clock. */
export async function isAhead(tx: Tx, instant: Date): Promise<boolean> {
  const [clock] = await tx<{ isAhead: boolean }[]>`select ${instant}::timestamptz > clock_timestamp() as "isAhead"`;
  return clock?.isAhead === true;
}
