import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { instantOfLocalDue, localDue } from "../../shared/tasks/local-due.ts";
import type { TaskRow } from "./task-row.ts";

/** What a row's due was said as: its own, or of an occurrence that is due at its place in the series, that place. */
export function localDueOf(row: TaskRow): string | null {
  const { due_date: due, due_tz: tz, recurrence_id: place } = row;
  if (due === null) return null;
  if (row.due_local !== null) return row.due_local;
  if (place === null || tz === null || plainId(place).length === 10) return null;
  const own = localDue(plainId(place), tz);
  return instantOfLocalDue(own)?.getTime() === due.getTime() ? own : null;
}
