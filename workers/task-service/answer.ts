import type { TaskForecast } from "./decide-coming.ts";
import type { TaskRow } from "./task-row.ts";
import { viewOfRow } from "./task-row.ts";

/** A successful answer to a write, as it is sent and as it is kept under an idempotency key. */
export type TaskAnswer = Readonly<{
  status: 200 | 201 | 204;
  taskId: string;
  /** Sent as ETag; `null` where nothing is left to compare. */
  version: number | null;
  /** JSON text; `null` for 204. */
  body: string | null;
}>;

export type KeptTaskAnswer = TaskAnswer & Readonly<{ fingerprint: string }>;

/** A task just made, with what will come of it. */
export function madeAnswer(row: TaskRow, coming: TaskForecast): TaskAnswer {
  return { ...taskAnswer(row), status: 201, body: JSON.stringify({ ...viewOfRow(row), ...coming }) };
}

/** A task just changed, with the rules of it that make no reminder, where there are any: see `decideUnset`. */
export function remindedAnswer(row: TaskRow, unset: TaskForecast["unset_reminders"]): TaskAnswer {
  if (unset.length === 0) return taskAnswer(row);
  return { ...taskAnswer(row), body: JSON.stringify({ ...viewOfRow(row), unset_reminders: unset }) };
}

/** The task as it now is. */
export function taskAnswer(row: TaskRow): TaskAnswer {
  return { status: 200, taskId: row.id, version: row.version, body: JSON.stringify(viewOfRow(row)) };
}

export function goneAnswer(row: TaskRow): TaskAnswer {
  return { status: 204, taskId: row.id, version: null, body: null };
}
