import type { Message } from "../../shared/messages/message.ts";
import type { CreateOccurrence, RemoveOccurrence } from "../../shared/messages/records.ts";
import { pick } from "../../shared/pick.ts";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { parseRecurrencePatternText } from "../../shared/recurrence/recurrence-pattern.ts";
import { inheritedFields } from "../../shared/tasks/task-fields.ts";
import { isPastEnd } from "./cut-pattern.ts";
import { decideComplete, decideDelete, taskCreated } from "./decide-task.ts";
import { dueNow } from "./follow-schedule.ts";
import { newRow, type TaskRow } from "./task-row.ts";

/** Why a command was done without effect: it no longer applies, which is normal. */
export type IgnoreReason =
  "template_missing" | "template_deleted" | "no_template" | "past_end" | "exists" | "missing" | "touched";

/** A template as a command needs it. */
export const templateColumns = [
  "user_id",
  ...inheritedFields,
  "is_recurring_template",
  "recurrence_pattern",
  "deleted_at",
] as const;
export type Template = Pick<TaskRow, (typeof templateColumns)[number]>;

/** A row as it is to be and the events that tell how it came about, in order. */
export type OccurrenceDecision = Readonly<{ row: TaskRow; events: readonly Message[] }>;

/**
 * The occurrence a command asks for, completed at once where it was completed ahead of its time; or why there is none.
 * Asked for before the worker heard that the pattern changed, it is due as the pattern says now. A template of another
 * user counts as missing.
 */
export function decideOccurrence(
  template: Template | null,
  command: CreateOccurrence,
  now: Date,
): OccurrenceDecision | IgnoreReason {
  if (template === null || template.user_id !== command.user_id) return "template_missing";
  if (template.deleted_at !== null) return "template_deleted";
  if (!template.is_recurring_template || template.recurrence_pattern === null) return "no_template";
  // Asked for before the worker heard that the series was ended or split there.
  const pattern = parseRecurrencePatternText(template.recurrence_pattern);
  if (isPastEnd(pattern, plainId(command.recurrence_id))) return "past_end";
  const row = newRow({
    id: command.occurrence_id,
    user_id: template.user_id,
    ...pick(template, inheritedFields),
    created_at: now,
    updated_at: now,
    ...dueNow(command, pattern),
    template_id: command.template_id,
    recurrence_id: command.recurrence_id,
  });
  if (command.completed_at === null) return { row, events: [taskCreated(row)] };
  const completed = decideComplete(row, command.completed_at);
  return { row: completed.row, events: [taskCreated(row), ...(completed.event ? [completed.event] : [])] };
}

/** The tombstone of an occurrence nobody has touched since the command was decided; or why it stays. */
export function decideRemoval(
  row: TaskRow | null,
  command: RemoveOccurrence,
  now: Date,
): OccurrenceDecision | IgnoreReason {
  if (row === null || row.user_id !== command.user_id || row.template_id !== command.template_id) return "missing";
  if (row.version !== command.version || row.status !== "open" || row.deleted_at !== null) return "touched";
  const { row: deleted, event } = decideDelete(row, now);
  return { row: deleted, events: event ? [event] : [] };
}
