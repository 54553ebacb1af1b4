import { z } from "@hono/zod-openapi";
import { decodeCursor, encodeCursor, placeParts } from "../../shared/http/cursor.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import type { Reminder, ReminderState } from "./reminder.ts";
import { reminderColumns } from "./store-reminders.ts";

type ReminderQuery = Readonly<{
  userId: string;
  status: ReminderState | null;
  taskId: string | null;
  limit: number;
  cursor: string | null;
}>;

const place = z.tuple([placeParts.time, placeParts.id]);

/** One reminder of a user; `null` where there is none, or it was deleted. */
export async function readReminder(
  sql: Sql,
  { id, userId }: Readonly<{ id: string; userId: string }>,
): Promise<Reminder | null> {
  const [found] = await sql<Reminder[]>`
    select ${reminderColumns(sql)} from reminders
    where id = ${id} and user_id = ${userId} and reason is distinct from 'removed'`;
  return found ?? null;
}

/** A user's reminders by time, then id; a page and the cursor of the next one. */
export async function listReminders(
  sql: Sql,
  query: ReminderQuery,
): Promise<Readonly<{ items: readonly Reminder[]; nextCursor: string | null }>> {
  const { userId, status, taskId, limit, cursor } = query;
  const list = ["reminders", status, taskId].join("/");
  const after = cursor === null ? null : decodeCursor(list, cursor, place);
  const found = await sql<Reminder[]>`
    select ${reminderColumns(sql)} from reminders
    where user_id = ${userId} and reason is distinct from 'removed'
      ${status === null ? sql`` : sql`and status = ${status}`}
      ${taskId === null ? sql`` : sql`and task_id = ${taskId}`}
      ${after === null ? sql`` : sql`and (remind_at, id) > (${after[0]}::timestamptz, ${after[1]}::uuid)`}
    order by remind_at, id limit ${limit + 1}`;
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return { items, nextCursor: hasMore ? encodeCursor(list, [last.remindAt.toISOString(), last.id]) : null };
}
