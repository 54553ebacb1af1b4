import { z } from "@hono/zod-openapi";
import type { Sql } from "../postgres/db.ts";
import { taskSchema } from "../tasks/task-schema.ts";

const reminderTaskSchema = taskSchema
  .pick({
    id: true,
    title: true,
    due_date: true,
    due_on: true,
    due_tz: true,
    priority: true,
    tags: true,
    status: true,
    completed_at: true,
    deleted_at: true,
  })
  .openapi("ReminderTask");
type ReminderTask = z.output<typeof reminderTaskSchema>;

/** What a list takes whose items can have their task. */
export const expandQuery = {
  expand: z
    .enum(["task"])
    .optional()
    .openapi({ description: "task: with the task of each reminder, so that nobody asks for them one by one." }),
};

/** What such an item has more. */
export const expandedFields = {
  task: reminderTaskSchema.nullable().optional().openapi({
    description: "Only with `expand=task`: its task as it is now, a deleted one too; null where there is none.",
  }),
};

/** A task as `selectReminderTask` gives it: the times are Postgres' text. */
export type SelectedReminderTask = ReminderTask;

/**
 * A column for `select`: the task that a row of `table` names in `task_id`, of the same user, by task-service's table;
 * null where there is none. A subquery and no join, so that tasks are looked up by their id whatever the statistics
 * say.
 */
export function selectReminderTask(sql: Sql, table: "reminders" | "deliveries") {
  return sql`(
    select jsonb_build_object('id', tasks.id, 'title', title, 'due_date', due_date, 'due_on', due_on, 'due_tz', due_tz,
      'priority', tasks.priority, 'tags', tags, 'status', tasks.status, 'completed_at', completed_at, 'deleted_at', deleted_at)
    from tasks where tasks.id = ${sql(table)}.task_id and tasks.user_id = ${sql(table)}.user_id)`;
}

/** The fields of `expandedFields`; none where the task was not selected. */
export function expandedTask(task: SelectedReminderTask | null | undefined): Readonly<{ task?: ReminderTask | null }> {
  if (task === undefined || task === null) return task === undefined ? {} : { task: null };
  const time = (text: string | null) => (text === null ? null : new Date(text).toISOString());
  return {
    task: {
      id: task.id,
      title: task.title,
      due_date: time(task.due_date),
      due_on: task.due_on,
      due_tz: task.due_tz,
      priority: task.priority,
      tags: task.tags,
      status: task.status,
      completed_at: time(task.completed_at),
      deleted_at: time(task.deleted_at),
    },
  };
}
