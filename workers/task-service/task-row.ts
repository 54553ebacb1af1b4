import type { TaskView } from "../../shared/tasks/task-view.ts";
import type { Priority, TaskStatus } from "../../shared/records.ts";

/**
 * A row of `tasks`. `recurrence_pattern` is JSON text; `due_on` is "YYYY-MM-DD"; `remind` null means the user's usual ones.
 * `view_version` is read beside it, of the broadcaster's row: the newest view made of what was committed by then, `null` where
 * there is none. A row that was changed since still has all of that view.
 */
export type TaskRow = Readonly<{
  id: string;
  user_id: string;
  title: string;
  description: string | null;
  created_at: Date;
  updated_at: Date;
  due_date: Date | null;
  due_on: string | null;
  due_tz: string | null;
  priority: Priority | null;
  tags: readonly string[];
  remind: readonly string[] | null;
  status: TaskStatus;
  completed_at: Date | null;
  deleted_at: Date | null;
  is_recurring_template: boolean;
  recurrence_pattern: string | null;
  template_id: string | null;
  recurrence_id: string | null;
  version: number;
  view_version: number | null;
}>;

/** The HTTP shape of a task; what folding its events gives is the same, but for the version of the view. */
export function viewOfRow(row: TaskRow): TaskView & Pick<TaskRow, "view_version"> {
  const text = (time: Date | null) => time?.toISOString() ?? null;
  return {
    id: row.id,
    user_id: row.user_id,
    title: row.title,
    description: row.description,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    due_date: text(row.due_date),
    due_on: row.due_on,
    due_tz: row.due_tz,
    priority: row.priority,
    tags: row.tags,
    remind: row.remind,
    status: row.status,
    completed_at: text(row.completed_at),
    deleted_at: text(row.deleted_at),
    is_recurring_template: row.is_recurring_template,
    recurrence_pattern: row.recurrence_pattern === null ? null : JSON.parse(row.recurrence_pattern),
    template_id: row.template_id,
    recurrence_id: row.recurrence_id,
    version: row.version,
    view_version: row.view_version,
  };
}
