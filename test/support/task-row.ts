import { newRow, type TaskRow } from "../../workers/task-service/task-row.ts";

const at = new Date("2026-03-01T10:00:00Z");

/** A row of the task service: an open task called "task" with nothing more said, changed as given. */
export function taskRow(over: Partial<TaskRow> & Pick<TaskRow, "id" | "user_id">): TaskRow {
  return { ...newRow({ id: over.id, user_id: over.user_id, title: "task", created_at: at, updated_at: at }), ...over };
}
