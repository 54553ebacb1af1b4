import type { TaskRow } from "../../workers/task-service/task-row.ts";

const at = new Date("2026-03-01T10:00:00Z");

/** A row of the task service: an open task called "task" with nothing more said, changed as given. */
export function taskRow(over: Partial<TaskRow> & Pick<TaskRow, "id" | "user_id">): TaskRow {
  return {
    title: "task",
    description: null,
    created_at: at,
    updated_at: at,
    due_date: null,
    due_on: null,
    due_tz: null,
    priority: null,
    tags: [],
    remind: null,
    status: "open",
    completed_at: null,
    deleted_at: null,
    is_recurring_template: false,
    recurrence_pattern: null,
    template_id: null,
    recurrence_id: null,
    version: 1,
    view_version: null,
    ...over,
  };
}
