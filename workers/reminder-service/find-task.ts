import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";

const patienceMs = 2_000;
const everyMs = 50;

/**
 * Resolves when the task is a live one of the user and known here. Whether there is one is asked of task-service's table, so that
 * unknown, foreign and deleted tasks are refused alike and at once; only a task whose creation is still on its way through Kafka is
 * waited for, up to 2 s. Throws TASK_NOT_FOUND, and UNAVAILABLE where it has not arrived by then.
 */
export async function findTask(sql: Sql, taskId: string, userId: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const [task] = await sql<{ isKnown: boolean }[]>`
      select guard.task_id is not null as "isKnown"
      from tasks left join reminder_guards guard on guard.task_id = tasks.id and guard.user_id = tasks.user_id
      where tasks.id = ${taskId} and tasks.user_id = ${userId} and tasks.deleted_at is null`;
    if (task === undefined) throw new Problem("TASK_NOT_FOUND");
    if (task.isKnown) return;
    if (performance.now() > deadline)
      throw new Problem("UNAVAILABLE", "The task is not known to the reminders yet", { retryAfterSeconds: 1 });
    await sleep(everyMs);
  }
}

/** The task of a user's reminder. Throws REMINDER_NOT_FOUND, also for one of another user or, unless `removed`, one that was deleted. */
export async function findReminder(
  sql: Sql,
  { id, userId, removed = false }: Readonly<{ id: string; userId: string; removed?: boolean }>,
): Promise<string> {
  const [found] = await sql<{ taskId: string }[]>`
    select task_id as "taskId" from reminders
    where id = ${id} and user_id = ${userId} ${removed ? sql`` : sql`and reason is distinct from 'removed'`}`;
  if (found === undefined) throw new Problem("REMINDER_NOT_FOUND");
  return found.taskId;
}
