import { fieldValue, foldFields, type FoldedFields } from "../../shared/tasks/fold-fields.ts";
import { foldTask } from "../../shared/tasks/fold-task.ts";
import type { ReceivedTaskEvent } from "../../shared/tasks/task-event.ts";
import { parseRelativeReminder } from "../../shared/tasks/relative-reminder.ts";
import type { TaskField } from "../../shared/tasks/task-fields.ts";
import type { ReceivedOf } from "../../shared/messages/message.ts";
import type { ReminderRule } from "../../shared/messages/records.ts";

/**
 * The task, as far as its reminders depend on it, folded from its events and from commands alike: any order and any
 * repetition gives the same. Fields of the task have the task's versions. The `wanted_…` fields, which only commands
 * carry, have the command's sequence: a command is taken whole or not at all, because its offsets belong to its due
 * instant.
 */
export type GuardRow = Readonly<{
  taskId: string;
  userId: string;
  fields: FoldedFields;
  /**
   * The highest version of a pruned reminder: a new one may get its id, and counts on from there. 0 for none. At least
   * the version that may have been published before the database went back in time.
   */
  floor?: number;
}>;

export type GuardMessage = ReceivedTaskEvent | ReceivedOf<"SetTaskReminders">;

const kept = [
  "title",
  "priority",
  "due_date",
  "due_on",
  "status",
  "deleted_at",
  "is_recurring_template",
] satisfies TaskField[];

/**
 * Folds a message in; pure. Returns `guard` itself when the message says nothing new, or is about another user's task.
 */
export function foldGuard(guard: GuardRow, message: GuardMessage): GuardRow {
  if (message.data.user_id !== guard.userId) return guard;
  const fields = message.type === "SetTaskReminders" ? foldCommand(guard.fields, message) : foldEvent(guard, message);
  return fields === guard.fields ? guard : { ...guard, fields };
}

function foldEvent({ taskId, userId, fields }: GuardRow, event: ReceivedTaskEvent): FoldedFields {
  const { fields: all } = foldTask({ id: taskId, user_id: userId, version: 0, fields }, event);
  if (kept.every((name) => all[name] === fields[name])) return fields;
  return { ...fields, ...Object.fromEntries(kept.flatMap((name) => (all[name] ? [[name, all[name]]] : []))) };
}

function foldCommand(before: FoldedFields, { data, sequence }: ReceivedOf<"SetTaskReminders">): FoldedFields {
  const at = (time: Date) => time.getTime();
  let fields = foldFields(before, { status: data.status }, data.status_version, at(data.status_time));
  const deleted = { deleted_at: data.deleted ? data.deleted_time.toISOString() : null };
  fields = foldFields(fields, deleted, data.deleted_version, at(data.deleted_time));
  const wanted = {
    wanted_due: data.due_date?.toISOString() ?? null,
    wanted_due_version: data.due_version,
    wanted_due_time: at(data.due_time),
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
  /**
   * When the newest of due, status, deletion, template and rules was set, in ms: an instant not after it was past when
   * asked for.
   */
  askedAt: number;
  /** The same without due and rules: what counts for a reminder that has a time of its own. */
  openedAt: number;
}>;

/**
 * The state by the folded fields. If an event and a command differ in a field that only one of them may know yet, the
 * newer one counts.
 */
export function taskState({ fields }: GuardRow): TaskState {
  const title = fieldValue(fields, "title") ?? fieldValue(fields, "wanted_title");
  const time = (name: string) => fields[name]?.time ?? 0;
  const openedAt = Math.max(time("status"), time("deleted_at"), time("is_recurring_template"));
  const { due, dueTime, rules } = dueState(fields);
  return {
    closed:
      fieldValue(fields, "deleted_at") !== null
        ? "deleted"
        : fieldValue(fields, "status") === "completed"
          ? "completed"
          : null,
    isTemplate: (fieldValue(fields, "is_recurring_template") ?? fieldValue(fields, "wanted_template")) === true,
    due,
    rules,
    title: typeof title === "string" ? title : null,
    askedAt: Math.max(openedAt, dueTime, time("wanted_rules")),
    openedAt,
  };
}

/**
 * A due time newer than the one the command was decided from counts at once, so that what it replaces does not fire any
 * more. Until the next command the instant of a whole day is not known, nor are those of rules on the calendar: for now
 * there is none.
 */
function dueState(
  fields: FoldedFields,
): Readonly<{ due: number | null; dueTime: number; rules: readonly ReminderRule[] }> {
  const field = (name: string) => fields[name] ?? { value: null, version: -1, time: 0 };
  const number = (name: string, otherwise: number) => {
    const value = fieldValue(fields, name);
    return typeof value === "number" ? value : otherwise;
  };
  const instantOf = (value: unknown) => (typeof value === "string" ? Date.parse(value) : null);
  const rules = readRules(fieldValue(fields, "wanted_rules"));
  const [date, day] = [field("due_date"), field("due_on")];
  if (Math.max(date.version, day.version) <= number("wanted_due_version", -1))
    return { due: instantOf(field("wanted_due").value), dueTime: number("wanted_due_time", 0), rules };
  const isDay = day.value !== null && (date.value === null || day.version > date.version);
  return {
    due: isDay ? null : instantOf(date.value),
    dueTime: Math.max(date.time, day.time),
    rules: rules.filter(({ rule }) => isDistance(rule)),
  };
}

/** Whether the rule lies the same time before any due instant. */
function isDistance(text: string): boolean {
  const rule = parseRelativeReminder(text);
  return rule?.kind === "before" && rule.days === 0;
}

// Written by foldCommand alone, from a decoded record.
function readRules(text: unknown): readonly ReminderRule[] {
  return typeof text === "string" ? (JSON.parse(text) as readonly ReminderRule[]) : [];
}
