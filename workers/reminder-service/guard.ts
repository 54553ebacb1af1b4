import { fieldValue, foldFields, type FoldedFields } from "../../shared/tasks/fold-fields.ts";
import { foldTask } from "../../shared/tasks/fold-task.ts";
import type { ReceivedOf } from "../../shared/message.ts";
import type { ReminderRule } from "../../shared/records.ts";

/**
 * What is known of a task when its reminders are decided, folded from its events and from commands alike: any order and any
 * repetition gives the same. Fields of the task keep its versions; `wanted_rules`, `wanted_title` and `wanted_template`, which
 * only commands say, keep the command's sequence, and `wanted_due` the version of the due date it was decided from.
 */
export type Guard = Readonly<{ taskId: string; userId: string; fields: FoldedFields }>;

export type GuardMessage =
  | ReceivedOf<"TaskCreated">
  | ReceivedOf<"TaskUpdated">
  | ReceivedOf<"TaskCompleted">
  | ReceivedOf<"TaskDeleted">
  | ReceivedOf<"SetTaskReminders">;

const kept = ["title", "priority", "due_date", "status", "deleted_at", "is_recurring_template"];

/** Folds a message in; pure. Returns `guard` itself when the message says nothing new, or is about another user's task. */
export function foldGuard(guard: Guard, message: GuardMessage): Guard {
  if (message.data.user_id !== guard.userId) return guard;
  const fields = message.type === "SetTaskReminders" ? foldCommand(guard.fields, message) : foldEvent(guard, message);
  return fields === guard.fields ? guard : { ...guard, fields };
}

function foldEvent(
  { taskId, userId, fields }: Guard,
  event: Exclude<GuardMessage, ReceivedOf<"SetTaskReminders">>,
): FoldedFields {
  const { fields: all } = foldTask({ id: taskId, user_id: userId, version: 0, fields }, event);
  if (kept.every((name) => all[name] === fields[name])) return fields;
  return { ...fields, ...Object.fromEntries(kept.flatMap((name) => (all[name] ? [[name, all[name]]] : []))) };
}

function foldCommand(before: FoldedFields, { data, sequence }: ReceivedOf<"SetTaskReminders">): FoldedFields {
  const at = (time: Date) => time.getTime();
  let fields = foldFields(before, { status: data.status }, data.status_version, at(data.status_time));
  const deleted = { deleted_at: data.deleted ? data.deleted_time.toISOString() : null };
  fields = foldFields(fields, deleted, data.deleted_version, at(data.deleted_time));
  const due = { wanted_due: data.due_date?.toISOString() ?? null };
  fields = foldFields(fields, due, data.due_version, at(data.due_time));
  const wanted = {
    wanted_rules: JSON.stringify(data.rules.map(({ rule, offset_ms }) => ({ rule, offset_ms }))),
    wanted_title: data.title,
    wanted_template: data.is_template,
  };
  return foldFields(fields, wanted, sequence, at(data.requested_at));
}

export type TaskState = Readonly<{
  closed: "completed" | "deleted" | null;
  isTemplate: boolean;
  /** ms since the epoch; `null` when there is none, or none is known. */
  due: number | null;
  rules: readonly ReminderRule[];
  title: string | null;
  /** When the newest of due, status, deletion, template and rules was set, in ms: an instant not after it was past when asked for. */
  askedAt: number;
  /** The same without due and rules: what counts for a reminder that has a time of its own. */
  openedAt: number;
}>;

/** What the folded fields say; where an event and a command differ in what only one of them may know, the newer one counts. */
export function taskState({ fields }: Guard): TaskState {
  // The command decided from a version of the due date; for an all-day task only it knows the instant.
  const isEventNewer = (fields["due_date"]?.version ?? -1) > (fields["wanted_due"]?.version ?? -1);
  const dueField = isEventNewer ? "due_date" : "wanted_due";
  const due = fieldValue(fields, dueField);
  const title = fieldValue(fields, "title") ?? fieldValue(fields, "wanted_title");
  const time = (name: string) => fields[name]?.time ?? 0;
  const openedAt = Math.max(time("status"), time("deleted_at"), time("is_recurring_template"));
  return {
    closed:
      fieldValue(fields, "deleted_at") !== null
        ? "deleted"
        : fieldValue(fields, "status") === "completed"
          ? "completed"
          : null,
    isTemplate: (fieldValue(fields, "is_recurring_template") ?? fieldValue(fields, "wanted_template")) === true,
    due: typeof due === "string" ? Date.parse(due) : null,
    rules: readRules(fieldValue(fields, "wanted_rules")),
    title: typeof title === "string" ? title : null,
    askedAt: Math.max(openedAt, time(dueField), time("wanted_rules")),
    openedAt,
  };
}

// Written by foldCommand alone, from a decoded record.
function readRules(text: unknown): readonly ReminderRule[] {
  return typeof text === "string" ? (JSON.parse(text) as readonly ReminderRule[]) : [];
}
