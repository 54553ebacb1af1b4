import type { Tx } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { taskState, type Guard } from "./guard.ts";
import type { Reminder } from "./reminder.ts";

/** A person's own reminders that may wait for one task. */
const maxOwnPending = 50;

/** Throws INVALID_REQUEST for one mistake; `path` is a JSON pointer into the body. */
export function refuse(path: string, message: string): never {
  throw new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path, message }] });
}

/** Throws TASK_DELETED, TASK_COMPLETED, or REFUSED for a template: none of them has reminders that wait. */
export function refuseClosed(guard: Guard): void {
  const { closed, isTemplate } = taskState(guard);
  if (closed !== null) throw new Problem(closed === "deleted" ? "TASK_DELETED" : "TASK_COMPLETED");
  if (isTemplate) throw new Problem("REFUSED", "A recurring template has no reminders; its occurrences have.");
}

/** Throws INVALID_REQUEST where one more of one's own would be too many to wait for this task. */
export function refuseTooMany(existing: readonly Reminder[]): void {
  if (existing.filter(({ rule, status }) => rule === null && status === "pending").length >= maxOwnPending)
    refuse("/remind_at", `is one too many: ${maxOwnPending} reminders of your own are waiting for this task`);
}

/** Whether an instant is ahead by the database's clock. */
export async function isAhead(tx: Tx, instant: Date): Promise<boolean> {
  const [clock] = await tx<{ isAhead: boolean }[]>`select ${instant}::timestamptz > clock_timestamp() as "isAhead"`;
  return clock?.isAhead === true;
}
