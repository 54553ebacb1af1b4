import type { Task } from "../../workers/ui-gateway/page/shapes.ts";
import { viewOfRow } from "../../workers/task-service/task-row.ts";
import { taskRow } from "./task-row.ts";

/** A task as the page gets it: open, "Water the plants", of which nothing is said but what is given. */
export function shownTask(given: Partial<Task> = {}): Task {
  const row = taskRow({ id: "t1", user_id: "ada", title: "Water the plants" });
  return { ...viewOfRow(row), created_at: "2026-01-01T00:00:00.000Z", ...given };
}
