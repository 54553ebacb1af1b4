import { Problem } from "../../../shared/problem.ts";
import type { ReminderChoices } from "../../../shared/reminders/resolve-reminders.ts";
import type { Breathe } from "../../../shared/waiting/breathe.ts";
import { decideComing, type TaskForecast } from "../decide-coming.ts";
import { decideCreate } from "../decide-task.ts";
import type { TaskRow } from "../task-row.ts";
import type { BatchOperation } from "./batch-schema.ts";

/** A new task, and what will come of it. */
export type MadeTask = Readonly<{ row: TaskRow; coming: TaskForecast }>;

/**
 * What each create makes, by the id that `targets` gives it, or why it makes nothing. It needs no row, so it is done
 * before any is locked; 500 with ten reminders each take 0.2 s, so others have their turn in between.
 */
export async function makeTasks(
  operations: readonly BatchOperation[],
  by: Readonly<{
    targets: readonly string[];
    userId: string;
    now: Date;
    zone: string | null;
    choices: ReminderChoices;
    breathe: Breathe;
  }>,
): Promise<ReadonlyMap<string, MadeTask | Problem>> {
  const made = new Map<string, MadeTask | Problem>();
  for (const [at, operation] of operations.entries()) {
    if (operation.op !== "create") continue;
    await by.breathe();
    const id = by.targets[at] ?? "";
    try {
      const row = decideCreate(operation.task, { ...by, id });
      made.set(id, { row, coming: decideComing(row, by.choices) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      made.set(id, error);
    }
  }
  return made;
}
