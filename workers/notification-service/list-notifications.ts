import { z } from "@hono/zod-openapi";
import { decodeCursor, encodeCursor } from "../../shared/http/cursor.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import type { DeliveryRow } from "./notification-view.ts";

export type NotificationQuery = Readonly<{ userId: string; limit: number; cursor: string | null }>;

const list = "notifications";
const place = z.tuple([z.iso.datetime(), z.guid()]);

/** A user's notifications, newest first; a page and the cursor of the next one. */
export async function listNotifications(
  sql: Sql,
  { userId, limit, cursor }: NotificationQuery,
): Promise<Readonly<{ items: readonly DeliveryRow[]; nextCursor: string | null }>> {
  const after = cursor === null ? null : decodeCursor(list, cursor, place);
  const found = await sql<DeliveryRow[]>`
    select id, reminder_id as "reminderId", task_id as "taskId", channel, status, delivered_at as "deliveredAt",
      created_at as "createdAt"
    from deliveries
    where user_id = ${userId}
      ${after === null ? sql`` : sql`and (created_at, id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`}
    order by created_at desc, id desc limit ${limit + 1}`;
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return { items, nextCursor: hasMore ? encodeCursor(list, [last.createdAt.toISOString(), last.id]) : null };
}
