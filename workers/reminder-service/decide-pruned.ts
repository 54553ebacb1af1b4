import { taskState, type GuardRow } from "./guard.ts";
import type { Reminder } from "./reminder.ts";

/** A task with more rows than this loses the oldest of what is over. */
const mostRows = 200;
/** So many of what is over are left, as history. */
const historyKept = 100;
/** An event that reopens the task may be on its way for this long. */
const closedForMs = 24 * 60 * 60 * 1000;

/**
 * The reminders of a task to delete, oldest first: none up to 200 rows, else all that are over, except the newest 100.
 * Pure. A reminder is over when nothing can bring it back: a person's own that is dismissed, unless it was dismissed
 * with its task and its time has not passed for a day; and one of a rule the task no longer has, fired or dismissed.
 * The row of a rule that is still wanted stays: nothing else stores for which due it was dismissed.
 */
export function decidePruned(guard: GuardRow, rows: readonly Reminder[], now: Date): readonly Reminder[] {
  if (rows.length <= mostRows) return [];
  const wanted = new Set(taskState(guard).rules.map(({ rule }) => rule));
  const isOver = ({ rule, status, reason, remindAt }: Reminder): boolean => {
    if (status === "pending") return false;
    if (rule !== null) return !wanted.has(rule);
    const withTask = reason === "completed" || reason === "deleted" || reason === "template";
    return status === "dismissed" && (!withTask || remindAt.getTime() < now.getTime() - closedForMs);
  };
  const endedAt = ({ dismissedAt, triggeredAt }: Reminder) => (dismissedAt ?? triggeredAt ?? now).getTime();
  const over = rows.filter(isOver).toSorted((a, b) => endedAt(a) - endedAt(b) || (a.id < b.id ? -1 : 1));
  return over.slice(0, Math.max(0, over.length - historyKept));
}
