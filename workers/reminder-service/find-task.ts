import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";

const patienceMs = 2_000;
const everyMs = 50;

/**
 * Resolves when the task is known here and is the user's. Its creation may still be on its way through Kafka, so a task not
 * heard of is waited for up to 2 s. Throws TASK_NOT_FOUND after that, and at once for a task of another user.
 */
export async function findTask(sql: Sql, taskId: string, userId: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const [guard] = await sql<{ userId: string }[]>`
      select user_id as "userId" from reminder_guards where task_id = ${taskId}`;
    if (guard?.userId === userId) return;
    if (guard !== undefined || performance.now() > deadline) throw new Problem("TASK_NOT_FOUND");
    await sleep(everyMs);
  }
}

/** The task of a user's reminder. Throws REMINDER_NOT_FOUND, also for one of another user. */
export async function findReminder(sql: Sql, id: string, userId: string): Promise<string> {
  const [found] = await sql<{ taskId: string }[]>`
    select task_id as "taskId" from reminders where id = ${id} and user_id = ${userId}`;
  if (found === undefined) throw new Problem("REMINDER_NOT_FOUND");
  return found.taskId;
}
