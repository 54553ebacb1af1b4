import type { Message } from "../../shared/message.ts";
import type { CreateOccurrence, RemoveOccurrence } from "../../shared/records.ts";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { parseRecurrencePatternText } from "../../shared/recurrence/recurrence-pattern.ts";
import { isPastEnd } from "./cut-pattern.ts";
import { decideComplete, decideDelete, taskCreated } from "./decide-task.ts";
import type { TaskRow } from "./task-row.ts";

/** Why a command was done without effect: it no longer applies, which is normal. */
export type Ignored =
  "template_missing" | "template_deleted" | "no_template" | "past_end" | "exists" | "missing" | "touched";

/** A template as a command needs it. */
export type Template = Pick<
  TaskRow,
  | "user_id"
  | "title"
  | "description"
  | "priority"
  | "tags"
  | "remind"
  | "is_recurring_template"
  | "recurrence_pattern"
  | "deleted_at"
>;

/** A row as it is to be and the events that tell how it came about, in order. */
export type Decided = Readonly<{ row: TaskRow; events: readonly Message[] }>;

/**
 * The occurrence a command asks for, completed at once where it was completed ahead of its time; or why there is none. A template of
 * another user counts as missing.
 */
export function decideOccurrence(template: Template | null, command: CreateOccurrence, now: Date): Decided | Ignored {
  if (template === null || template.user_id !== command.user_id) return "template_missing";
  if (template.deleted_at !== null) return "template_deleted";
  if (!template.is_recurring_template || template.recurrence_pattern === null) return "no_template";
  // Asked for before the worker heard that the series was ended or split there.
  const pattern = parseRecurrencePatternText(template.recurrence_pattern);
  if (isPastEnd(pattern, plainId(command.recurrence_id))) return "past_end";
  const row: TaskRow = {
    id: command.occurrence_id,
    user_id: template.user_id,
    title: template.title,
    description: template.description,
    created_at: now,
    updated_at: now,
    due_date: command.due_date,
    due_on: command.due_on,
    due_tz: command.due_tz,
    priority: template.priority,
    tags: template.tags,
    remind: template.remind,
    status: "open",
    completed_at: null,
    deleted_at: null,
    is_recurring_template: false,
    recurrence_pattern: null,
    template_id: command.template_id,
    recurrence_id: command.recurrence_id,
    version: 1,
    view_version: null,
  };
  if (command.completed_at === null) return { row, events: [taskCreated(row)] };
  const completed = decideComplete(row, command.completed_at);
  return { row: completed.row, events: [taskCreated(row), ...(completed.event ? [completed.event] : [])] };
}

/** The tombstone of an occurrence nobody has touched since the command was decided; or why it stays. */
export function decideRemoval(row: TaskRow | null, command: RemoveOccurrence, now: Date): Decided | Ignored {
  if (row === null || row.user_id !== command.user_id || row.template_id !== command.template_id) return "missing";
  if (row.version !== command.version || row.status !== "open" || row.deleted_at !== null) return "touched";
  const { row: deleted, event } = decideDelete(row, now);
  return { row: deleted, events: event ? [event] : [] };
}
