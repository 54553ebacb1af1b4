import { pick } from "../../shared/pick.ts";
import type { TaskCreated } from "../../shared/messages/records.ts";
import { createdFields } from "../../shared/tasks/task-fields.ts";
import { taskRow } from "./task-row.ts";

/** The data of TaskCreated of a plain task, of which nothing is said but what is given. */
export function taskCreated(given: Partial<TaskCreated> & Pick<TaskCreated, "id" | "user_id">): TaskCreated {
  return { ...pick(taskRow(given), ["id", "user_id", ...createdFields]), ...given };
}
