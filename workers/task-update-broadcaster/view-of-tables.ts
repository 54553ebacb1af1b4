import type { FieldValue, FoldedFields } from "../../shared/tasks/fold-fields.ts";
import type { FoldedReminder, FoldedReminders } from "./fold-reminder.ts";
import type { View } from "./fold-view.ts";

/** A task as task-service's table has it; dates are RFC 3339 text. `version` is of its newest event. */
export type TaskFacts = Readonly<{ id: string; user_id: string; version: number; updated_at: string }> &
  Readonly<Record<string, FieldValue>>;

/** A reminder as reminder-service's table has it. */
export type ReminderFacts = Readonly<{ id: string; user_id: string; version: number }> &
  Readonly<Record<string, FieldValue>>;

/**
 * The view that folding all events of a task gives, made of the tables of those who wrote them. Every field counts as
 * set by the newest event: so older ones that come late change nothing, and what comes next does. Of reminders that are
 * over the tables keep the newest hundred of a task, so what `known` has beyond them stays. `viewVersion` is the known
 * one.
 */
export function viewOfTables(task: TaskFacts, reminders: readonly ReminderFacts[], known: View | null): View {
  const { id, user_id, version, ...fields } = task;
  const time = Date.parse(task.updated_at);
  const own = reminders.filter((reminder) => reminder.user_id === user_id);
  const rebuilt: FoldedReminders = Object.fromEntries(
    own.map(({ id: reminderId, user_id: owner, version: of, ...set }): [string, FoldedReminder] => [
      reminderId,
      { user_id: owner, version: of, fields: fieldsAt(set, of, timeOf(set)) },
    ]),
  );
  return {
    taskId: id,
    userId: user_id,
    folded: { id, user_id, version, fields: fieldsAt(fields, version, time) },
    reminders: { ...known?.reminders, ...rebuilt },
    viewVersion: known?.viewVersion ?? 0,
  };
}

function fieldsAt(set: Readonly<Record<string, FieldValue>>, version: number, time: number): FoldedFields {
  return Object.fromEntries(Object.entries(set).map(([name, value]) => [name, { value, version, time }]));
}

/** As the reminder's events say it: its scheduling has no time. */
function timeOf(set: Readonly<Record<string, FieldValue>>): number {
  const at =
    set["status"] === "triggered" ? set["triggered_at"] : set["status"] === "dismissed" ? set["dismissed_at"] : null;
  return typeof at === "string" ? Date.parse(at) : 0;
}
