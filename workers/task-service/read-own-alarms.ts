import type { Sql } from "../../shared/postgres/db.ts";

/** By the id of a task: the instants of its reminders that no rule of it says, in order. */
export type OwnAlarms = ReadonlyMap<string, readonly Date[]>;

/**
 * When these tasks of a user remind beside their rules: what was set by hand and waits, and what a snooze has put off.
 * The reminders are the reminder service's rows, read as they are committed.
 */
export function readOwnAlarms({ sql }: Readonly<{ sql: Sql }>) {
  return async (userId: string, taskIds: readonly string[]): Promise<OwnAlarms> => {
    if (taskIds.length === 0) return new Map();
    const rows = await sql<{ taskId: string; at: Date }[]>`
      select task_id as "taskId", remind_at as at from reminders
      where task_id = any(${[...taskIds]}::uuid[]) and user_id = ${userId} and status = 'pending'
        and (rule is null or snoozed_from is not null)
      order by remind_at, id`;
    const byTask = Map.groupBy(rows, ({ taskId }) => taskId);
    return new Map([...byTask].map(([taskId, each]) => [taskId, each.map(({ at }) => at)]));
  };
}
