import type { Handler } from "../../shared/consume/handler.ts";
import { Problem } from "../../shared/problem.ts";
import type { CreateOccurrence } from "../../shared/records.ts";
import { taskCreated } from "./decide-task.ts";
import type { TaskRow } from "./task-row.ts";

/** Why a command was done without effect: it no longer applies, which is normal. */
export type Ignored = "template_missing" | "template_deleted" | "no_template" | "exists";

/** A template as a command needs it. */
export type Template = Pick<
  TaskRow,
  "user_id" | "title" | "description" | "priority" | "tags" | "is_recurring_template" | "deleted_at"
>;

/**
 * Makes the occurrence a command asks for, from its template as it is now, and tells it as TaskCreated.
 * Replay is safe because the id of the occurrence is computed from series and recurrence id, and the table is unique on both.
 */
export function makeHandleTaskCommands(countIgnored: (why: Ignored) => void): Handler {
  return async (message, { tx, now, log }) => {
    if (message.type !== "CreateOccurrence") throw new Problem("INVARIANT", `task-commands carries no ${message.type}`);
    const command = message.data;
    const ignore = (why: Ignored) => {
      countIgnored(why);
      log.debug("command_ignored", { why, templateId: command.template_id, occurrenceId: command.occurrence_id });
      return [];
    };
    // Shared lock: the template is neither changed nor deleted until the occurrence is committed.
    const [template] = await tx<Template[]>`
      select user_id, title, description, priority, tags, is_recurring_template, deleted_at
      from tasks where id = ${command.template_id} for share`;
    const row = decideOccurrence(template ?? null, command, now);
    if (typeof row === "string") return ignore(row);
    const made = await tx`
      insert into tasks (id, user_id, title, description, created_at, updated_at, due_date, due_on, due_tz, priority, tags,
        template_id, recurrence_id)
      values (${row.id}, ${row.user_id}, ${row.title}, ${row.description}, ${row.created_at}, ${row.updated_at}, ${row.due_date},
        ${row.due_on}, ${row.due_tz}, ${row.priority}, ${[...row.tags]}::text[], ${row.template_id}, ${row.recurrence_id})
      on conflict do nothing
      returning id`;
    return made.length === 0 ? ignore("exists") : [taskCreated(row)];
  };
}

/** The row of an occurrence, or why there is none. A template of another user counts as missing. */
export function decideOccurrence(template: Template | null, command: CreateOccurrence, now: Date): TaskRow | Ignored {
  if (template === null || template.user_id !== command.user_id) return "template_missing";
  if (template.deleted_at !== null) return "template_deleted";
  if (!template.is_recurring_template) return "no_template";
  return {
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
    status: "open",
    completed_at: null,
    deleted_at: null,
    is_recurring_template: false,
    recurrence_pattern: null,
    template_id: command.template_id,
    recurrence_id: command.recurrence_id,
    version: 1,
  };
}
