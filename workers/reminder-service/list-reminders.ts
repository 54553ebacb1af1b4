import { z } from "@hono/zod-openapi";
import { decodeCursor, encodeCursor, placeParts } from "../../shared/http/cursor.ts";
import { nameList } from "../../shared/http/name-list.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import { selectReminderTask, type SelectedReminderTask } from "../../shared/reminders/reminder-task.ts";
import type { Reminder, ReminderState } from "./reminder.ts";
import { reminderColumns } from "./store-reminders.ts";

/** What may be said of a reminder's task; a deleted one is neither open nor completed. */
export const taskStatuses = ["open", "completed", "deleted"] as const;
type TaskStatusFilter = (typeof taskStatuses)[number];

type ReminderFilters = Readonly<{
  status: ReminderState | null;
  taskId: string | null;
  taskStatus: TaskStatusFilter | null;
  /** At it or later. */
  remindAfter: Date | null;
  /** Earlier than it. */
  remindBefore: Date | null;
}>;
type ReminderQuery = Partial<ReminderFilters> &
  Readonly<{ userId: string; limit: number; cursor: string | null; withTask?: boolean }>;

/** `task` is there where it was asked for. */
export type ListedReminder = Reminder & Readonly<{ task?: SelectedReminderTask | null }>;

const place = z.tuple([placeParts.time, placeParts.id]);

function listedColumns(sql: Sql, withTask: boolean) {
  return sql`${reminderColumns(sql)} ${withTask ? sql`, ${selectReminderTask(sql, "reminders")} as task` : sql``}`;
}

/** One reminder of a user; `null` where there is none, or it was deleted. */
export async function readReminder(
  sql: Sql,
  { id, userId, withTask = false }: Readonly<{ id: string; userId: string; withTask?: boolean }>,
): Promise<ListedReminder | null> {
  const [found] = await sql<ListedReminder[]>`
    select ${listedColumns(sql, withTask)} from reminders
    where id = ${id} and user_id = ${userId} and reason is distinct from 'removed'`;
  return found ?? null;
}

/**
 * A user's reminders by time, then id; a page and the cursor of the next one. Those of open tasks are found from the
 * open tasks, however long the history is: 300 tasks took 15 ms, 10,000 with 100,000 reminders 450. Those of completed
 * and deleted tasks are looked for along the time, which ends with the page or with the last reminder.
 */
export async function listReminders(
  sql: Sql,
  query: ReminderQuery,
): Promise<Readonly<{ items: readonly ListedReminder[]; nextCursor: string | null }>> {
  const { userId, limit, cursor, withTask = false } = query;
  const { status = null, taskId = null, taskStatus = null, remindAfter = null, remindBefore = null } = query;
  const filters = { task_status: taskStatus, remind_after: remindAfter, remind_before: remindBefore };
  const list = nameList(["reminders", status, taskId].join("/"), filters);
  const after = cursor === null ? null : decodeCursor(list, cursor, place);
  const narrowed = sql`
    reason is distinct from 'removed'
    ${status === null ? sql`` : sql`and status = ${status}`}
    ${taskId === null ? sql`` : sql`and task_id = ${taskId}`}
    ${remindAfter === null ? sql`` : sql`and remind_at >= ${remindAfter}`}
    ${remindBefore === null ? sql`` : sql`and remind_at < ${remindBefore}`}
    ${after === null ? sql`` : sql`and (remind_at, id) > (${after[0]}::timestamptz, ${after[1]}::uuid)`}`;
  const columns = listedColumns(sql, withTask);
  const inOrder = sql`order by remind_at, id limit ${limit + 1}`;
  // What waits is of open tasks anyway, but for those that were just closed.
  const fromTasks = taskStatus === "open" && status !== "pending" && taskId === null;
  // "offset 0" keeps user_id out of the inner query, else a plan may read all reminders of the user for each task.
  const found = fromTasks
    ? await sql<ListedReminder[]>`
          with open_tasks as materialized (
            select task_id as open_task from reminder_guards
            where user_id = ${userId} and not closed and ${isTask(sql, "open", "reminder_guards")}
          )
          select ${columns} from open_tasks
          cross join lateral (select * from reminders where task_id = open_task and ${narrowed} offset 0) reminders
          where user_id = ${userId} ${inOrder}`
    : await sql<ListedReminder[]>`
          select ${columns} from reminders where user_id = ${userId} and ${narrowed}
            ${taskStatus === null ? sql`` : sql`and ${isTask(sql, taskStatus, "reminders")}`}
          ${inOrder}`;
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return { items, nextCursor: hasMore ? encodeCursor(list, [last.remindAt.toISOString(), last.id]) : null };
}

/** A condition on the task of a row, by task-service's table. A subquery for the reason of `selectReminderTask`. */
function isTask(sql: Sql, status: TaskStatusFilter, table: "reminders" | "reminder_guards") {
  return sql`(
    select ${status === "deleted" ? sql`deleted_at is not null` : sql`deleted_at is null and tasks.status = ${status}`}
    from tasks where tasks.id = ${sql(table)}.task_id and tasks.user_id = ${sql(table)}.user_id)`;
}
