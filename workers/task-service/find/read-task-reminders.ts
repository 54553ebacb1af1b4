import type { Sql } from "../../../shared/postgres/db.ts";
import type { ReminderView } from "../../../shared/reminders/reminder-schema.ts";

/** By the id of a task: its reminders by time, then id, whatever became of them. */
export type TaskReminders = ReadonlyMap<string, readonly ReminderView[]>;

type ReminderRow = Omit<ReminderView, "remind_at" | "snoozed_from" | "triggered_at" | "dismissed_at"> &
  Readonly<{ remind_at: Date; snoozed_from: Date | null; triggered_at: Date | null; dismissed_at: Date | null }>;

/**
 * The reminders of these tasks of a user, those that were deleted left out, as they are committed now. They are the
 * reminder service's rows, as its own lists show them.
 */
export function readTaskReminders({ sql }: Readonly<{ sql: Sql }>) {
  return async (userId: string, taskIds: readonly string[]): Promise<TaskReminders> => {
    if (taskIds.length === 0) return new Map();
    const rows = await sql<ReminderRow[]>`
      select id, task_id, rule, remind_at, snoozed_from, drop_after, status, triggered_at, dismissed_at, reason,
        generation::float8 as generation, greatest(version, (select told_floor()))::float8 as version
      from reminders
      where task_id = any(${[...taskIds]}::uuid[]) and user_id = ${userId} and reason is distinct from 'removed'
      order by remind_at, id`;
    return Map.groupBy(rows.map(viewOf), ({ task_id }) => task_id);
  };
}

function viewOf({ remind_at, snoozed_from, triggered_at, dismissed_at, ...rest }: ReminderRow): ReminderView {
  return {
    ...rest,
    remind_at: remind_at.toISOString(),
    snoozed_from: snoozed_from?.toISOString() ?? null,
    triggered_at: triggered_at?.toISOString() ?? null,
    dismissed_at: dismissed_at?.toISOString() ?? null,
  };
}
