import type { ReminderChoices } from "../../shared/reminders/resolve-reminders.ts";
import { fieldValue, type FoldedFields } from "../../shared/tasks/fold-fields.ts";
import { foldTask, type FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { TaskEvent } from "../../shared/tasks/task-event.ts";
import type { TaskField } from "../../shared/tasks/task-fields.ts";
import type { SetTaskReminders } from "../../shared/messages/records.ts";
import { sameContent } from "../../shared/same-content.ts";
import { wantedReminders, type WantedReminders } from "./wanted-reminders.ts";

/** What is known of a task and what was last asked for it. Stored as one row. */
export type WantedState = Readonly<{
  folded: FoldedTask | null;
  /** The due time and rules last asked for, as text to compare; `null` when nothing is. */
  wanted: string | null;
  /** Counts the commands sent for the task; becomes their sequence. */
  commands: number;
}>;

export const nothingKnown: WantedState = { folded: null, wanted: null, commands: 0 };

type WantedDecision = Readonly<{ state: WantedState; command: SetTaskReminders | null }>;

/** The fields reminders depend on, and the title; the rest of the task is not kept here. */
const deciding = ["due_date", "due_on", "due_tz", "remind", "status", "deleted_at", "is_recurring_template"] as const;
const kept = [...deciding, "title"] as const satisfies readonly TaskField[];

/**
 * Folds one event and returns the command it calls for: one exactly when the wanted reminders differ from those of the
 * last command. Closed and deleted tasks, templates and tasks without a due time want none. Pure; a repeated or late
 * event that says nothing new gives the same state object and no command.
 */
export function decideWanted(state: WantedState, event: TaskEvent, choices: ReminderChoices): WantedDecision {
  const folded = keepFields(foldTask(state.folded, event));
  if (sameContent(folded, state.folded)) return { state, command: null };
  // Choices may have changed since: they are told by `redecideWanted`, as of their change. By this event they would be
  // as old as the task.
  const changesNothing = deciding.every((name) => sameContent(folded.fields[name], state.folded?.fields[name]));
  if (changesNothing) return { state: { ...state, folded }, command: null };
  return decide({ ...state, folded }, folded, choices, new Date(0));
}

/**
 * The same after a change of preferences, without an event. `changedAt` is the time of asking: reminders before it are
 * not made.
 */
export function redecideWanted(state: WantedState, choices: ReminderChoices, changedAt: Date): WantedDecision {
  const decided = state.folded === null ? null : decide(state, state.folded, choices, changedAt);
  return decided === null || decided.command === null ? { state, command: null } : decided;
}

function decide(state: WantedState, folded: FoldedTask, choices: ReminderChoices, notBefore: Date): WantedDecision {
  const task = folded.fields;
  const reminders = wantedReminders(task, choices);
  const wanted = reminders.due === null || isClosed(task) ? null : textOf(reminders);
  if (wanted === state.wanted) return { state: { ...state, folded }, command: null };
  const requestedAt = new Date(Math.max(notBefore.getTime(), ...deciding.map((name) => task[name]?.time ?? 0)));
  return {
    state: { folded, wanted, commands: state.commands + 1 },
    command: commandOf(folded, wanted === null ? { ...reminders, rules: [] } : reminders, requestedAt),
  };
}

function isClosed(task: FoldedFields): boolean {
  return (
    fieldValue(task, "status") === "completed" ||
    fieldValue(task, "deleted_at") !== null ||
    fieldValue(task, "is_recurring_template") === true
  );
}

/**
 * The version is part of it: whoever reads the command lets a newer due time of an event win, so it must hear of the
 * newest.
 */
function textOf({ due, dueVersion, rules }: WantedReminders): string {
  return [dueVersion, due?.toISOString(), ...rules.map(({ rule, offset_ms }) => `${rule}=${offset_ms}`)].join(" ");
}

/** Each field travels with its version and time, so its reader can fold commands and events together in any order. */
function commandOf(
  { id, user_id, fields: task }: FoldedTask,
  { due, dueVersion, dueTime, rules }: WantedReminders,
  requested_at: Date,
): SetTaskReminders {
  const setBy = (name: string) => ({ version: task[name]?.version ?? 0, time: new Date(task[name]?.time ?? 0) });
  const [status, deleted] = [setBy("status"), setBy("deleted_at")];
  const title = fieldValue(task, "title");
  return {
    task_id: id,
    user_id,
    due_date: due,
    due_version: dueVersion,
    due_time: dueTime,
    status: fieldValue(task, "status") === "completed" ? "completed" : "open",
    status_version: status.version,
    status_time: status.time,
    deleted: fieldValue(task, "deleted_at") !== null,
    deleted_version: deleted.version,
    deleted_time: deleted.time,
    title: typeof title === "string" ? title : null,
    is_template: fieldValue(task, "is_recurring_template") === true,
    rules,
    requested_at,
  };
}

function keepFields(task: FoldedTask): FoldedTask {
  const fields = kept.flatMap((name) => {
    const field = task.fields[name];
    return field === undefined ? [] : [[name, field] as const];
  });
  return { ...task, fields: Object.fromEntries(fields) };
}
