import { fieldValue, type FieldValue, type FoldedFields } from "../../shared/tasks/fold-fields.ts";
import { foldTask, type FoldedTask, type TaskEvent } from "../../shared/tasks/fold-task.ts";
import type { ReminderRule, SetTaskReminders } from "../../shared/records.ts";

/** What is known of a task and what was last asked for it. Stored as one row. */
export type WantedState = Readonly<{
  folded: FoldedTask | null;
  /** The due time and rules last asked for, as text to compare; `null` when nothing is. */
  wanted: string | null;
  /** Counts the commands sent for the task; becomes their sequence. */
  commands: number;
}>;

export const nothingKnown: WantedState = { folded: null, wanted: null, commands: 0 };

/** The fields reminders depend on; the rest of the task is not kept here. */
const fields = ["due_date", "status", "deleted_at", "title", "is_recurring_template"] as const;

/**
 * Folds one event and says which command it calls for: one exactly when the wanted state differs from the one last asked
 * for. Closed and deleted tasks, templates and tasks without a due time want nothing. Pure; a repeated or late event that tells
 * nothing new gives the same state object and no command.
 */
export function decideWanted(
  state: WantedState,
  event: TaskEvent,
  rules: readonly ReminderRule[],
  requestedAt: Date,
): Readonly<{ state: WantedState; command: SetTaskReminders | null }> {
  const folded = keepFields(foldTask(state.folded, event));
  const wanted = wantedOf(folded.fields, rules);
  const next = { folded, wanted, commands: wanted === state.wanted ? state.commands : state.commands + 1 };
  if (wanted !== state.wanted) return { state: next, command: commandOf(folded, wanted, rules, requestedAt) };
  return { state: Bun.deepEquals(folded, state.folded) ? state : next, command: null };
}

function wantedOf(task: FoldedFields, rules: readonly ReminderRule[]): string | null {
  const due = fieldValue(task, "due_date");
  const closed = fieldValue(task, "status") === "completed" || fieldValue(task, "deleted_at") !== null;
  if (closed || typeof due !== "string" || fieldValue(task, "is_recurring_template") === true) return null;
  if (rules.length === 0) return null;
  return [due, ...rules.map(({ rule, offset_ms }) => `${rule}=${offset_ms}`)].join(" ");
}

/** Each field travels with its version and time, so its reader can fold commands and events together in any order. */
function commandOf(
  { id, user_id, fields: task }: FoldedTask,
  wanted: string | null,
  rules: readonly ReminderRule[],
  requested_at: Date,
): SetTaskReminders {
  const setBy = (name: string) => ({ version: task[name]?.version ?? 0, time: new Date(task[name]?.time ?? 0) });
  const [due, status, deleted] = [setBy("due_date"), setBy("status"), setBy("deleted_at")];
  const text = (value: FieldValue): string | null => (typeof value === "string" ? value : null);
  const dueText = text(fieldValue(task, "due_date"));
  return {
    task_id: id,
    user_id,
    due_date: dueText === null ? null : new Date(dueText),
    due_version: due.version,
    due_time: due.time,
    status: fieldValue(task, "status") === "completed" ? "completed" : "open",
    status_version: status.version,
    status_time: status.time,
    deleted: fieldValue(task, "deleted_at") !== null,
    deleted_version: deleted.version,
    deleted_time: deleted.time,
    title: text(fieldValue(task, "title")),
    is_template: fieldValue(task, "is_recurring_template") === true,
    rules: wanted === null ? [] : rules,
    requested_at,
  };
}

function keepFields(task: FoldedTask): FoldedTask {
  const kept = fields.flatMap((name) => {
    const field = task.fields[name];
    return field === undefined ? [] : [[name, field] as const];
  });
  return { ...task, fields: Object.fromEntries(kept) };
}
