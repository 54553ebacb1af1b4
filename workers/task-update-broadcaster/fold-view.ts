import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import { foldTask, isCreated, type FoldedTask } from "../../shared/tasks/fold-task.ts";
import { isTaskEvent, type TaskEvent } from "../../shared/tasks/task-event.ts";
import { taskView } from "../../shared/tasks/task-view.ts";
import type { ReceivedMessage } from "../../shared/messages/message.ts";
import type { ChangeType } from "../../shared/messages/records.ts";
import { foldReminder, reminderViews, type FoldedReminders, type ReminderEvent } from "./fold-reminder.ts";

/**
 * What is known of one task and its reminders. `folded` is null in a placeholder: only reminders have been heard of.
 */
export type View = Readonly<{
  taskId: string;
  userId: string;
  folded: FoldedTask | null;
  reminders: FoldedReminders;
  viewVersion: number;
}>;

type ViewEvent = TaskEvent | ReminderEvent;

/**
 * What an event did to a view: a change to tell, nothing to tell (a placeholder, a duplicate), or not ours to merge.
 */
type FoldOutcome = Readonly<{ view: View; change: ChangeType | "silent" | "foreign" }>;

/** The event of a received message, or null for types this role does not fold. */
export function viewEventOf(message: ReceivedMessage): ViewEvent | null {
  if (isTaskEvent(message)) return message;
  switch (message.type) {
    case "ReminderScheduled":
    case "ReminderTriggered":
    case "ReminderDismissed":
      return message;
    case "TaskChanged":
    case "CreateOccurrence":
    case "RemoveOccurrence":
    case "SeriesEnded":
    case "SetTaskReminders":
      return null;
  }
}

export function taskIdOf(event: ViewEvent): string {
  return "task_id" in event.data ? event.data.task_id : event.subject;
}

/**
 * Folds one event into a view; `viewVersion` is left to the caller. The kind of change:
 * - `deleted` for whatever changes while the task is deleted, its reminders too: so it is the last thing told of it,
 *   and a client that goes by the kind alone does not bring it back;
 * - `created` when the task becomes known (its TaskCreated, late or not);
 * - `completed` when that event set the field; a late one that something newer has overtaken is `updated`;
 * - `updated` for every other change, reopening, restoring and reminders included;
 * - `silent` when nothing changed, or the task's TaskCreated has not come yet: a view with holes would overwrite a
 *   good one.
 */
export function foldView(view: View | null, event: ViewEvent): FoldOutcome {
  const { user_id: userId } = event.data;
  const base = view ?? { taskId: taskIdOf(event), userId, folded: null, reminders: {}, viewVersion: 0 };
  return isTaskEvent(event) ? foldTaskEvent(base, event) : foldReminderEvent(base, event);
}

/** The JSON of TaskChanged: the task as HTTP shows it, its reminders, and the version to compare views by. */
export function viewPayload(folded: FoldedTask, view: View): string {
  const reminders = reminderViews(view.reminders, folded);
  return JSON.stringify({ ...taskView(folded), view_version: view.viewVersion, reminders });
}

function foldTaskEvent(view: View, event: TaskEvent): FoldOutcome {
  const { user_id } = event.data;
  if (view.folded !== null && view.folded.user_id !== user_id) return { view, change: "foreign" };
  const folded = foldTask(view.folded, event);
  if (folded === view.folded) return { view, change: "silent" };
  // The task's events say whose it is; a placeholder's reminders of somebody else are not shown.
  return { view: { ...view, folded, userId: user_id }, change: kindOf(view.folded, folded, event) };
}

function foldReminderEvent(view: View, event: ReminderEvent): FoldOutcome {
  const owners = [view.folded?.user_id, view.reminders[event.subject]?.user_id];
  if (owners.some((user) => user !== undefined && user !== event.data.user_id)) return { view, change: "foreign" };
  const reminders = foldReminder(view.reminders, event);
  if (reminders === view.reminders) return { view, change: "silent" };
  const known = view.folded;
  if (!isCreated(known)) return { view: { ...view, reminders }, change: "silent" };
  return { view: { ...view, reminders }, change: isDeleted(known) ? "deleted" : "updated" };
}

function kindOf(before: FoldedTask | null, after: FoldedTask, event: TaskEvent): ChangeType | "silent" {
  if (!isCreated(after)) return "silent";
  if (isDeleted(after)) return "deleted";
  if (!isCreated(before)) return "created";
  const isCompletedHere = after.fields["completed_at"]?.version === event.sequence;
  return event.type === "TaskCompleted" && isCompletedHere ? "completed" : "updated";
}

function isDeleted(task: FoldedTask): boolean {
  return fieldValue(task.fields, "deleted_at") !== null;
}
