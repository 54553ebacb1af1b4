import { z } from "@hono/zod-openapi";
import { decodeCursor, encodeCursor, placeParts } from "../../../shared/http/cursor.ts";
import { nameList } from "../../../shared/http/name-list.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import { preferencesOf } from "../../../shared/preferences/read-preferences.ts";
import { selectReminderTask } from "../../../shared/reminders/reminder-task.ts";
import type { FiredReminder } from "../channels/channel.ts";
import type { ChannelName } from "../channels/channels.ts";
import type { AttemptRow, DeliveryRow, PlacedRow, DigestContent, WithTask } from "./notification-view.ts";
import { readDues, toldReminder, zoneAndDay } from "../send/read-dues.ts";

type NotificationQuery = Readonly<{
  userId: string;
  limit: number;
  cursor: string | null;
  status: DeliveryRow["status"] | null;
  channel: ChannelName | null;
  /** In the person's list, and not read yet, or read; `null` for all. */
  unread: boolean | null;
  /** Made at it or later. */
  createdAfter: Date | null;
  /** Made earlier than it. */
  createdBefore: Date | null;
  withTask: boolean;
}>;

type ListedNotification = Readonly<{ row: PlacedRow; told: DigestContent | undefined }>;

const cursorPlace = z.tuple([placeParts.time, placeParts.id]);
const toldInLists = 20;

/** The columns of a notification, for `select`. */
function notificationColumns(sql: Sql, withTask: boolean) {
  return sql`id, kind, channel, target, status, reason, last_error as "lastError", reminder_id as "reminderId",
    task_id as "taskId", title, remind_at as "remindAt", triggered_at as "triggeredAt", late_by as "lateBy", due_at as "dueAt",
    attempts, possibly_duplicated as "possiblyDuplicated", digest_id as "digestId", fallback_of as "fallbackOf",
    delivered_at as "deliveredAt", read_at as "readAt", created_at as "createdAt" ${taskColumn(sql, withTask)}`;
}

function taskColumn(sql: Sql, withTask: boolean) {
  return withTask ? sql`, ${selectReminderTask(sql, "deliveries")} as task` : sql``;
}

/**
 * A user's notifications, newest first; a page and the cursor of the next one. What is told in a digest is in the
 * digest, unless asked for by its status or cancelled.
 */
export async function listNotifications(
  sql: Sql,
  { userId, limit, cursor, status, channel, unread, createdAfter, createdBefore, withTask }: NotificationQuery,
): Promise<Readonly<{ items: readonly ListedNotification[]; nextCursor: string | null }>> {
  const filters = { status, channel, unread, created_after: createdAfter, created_before: createdBefore };
  const list = nameList("notifications", filters);
  const after = cursor === null ? null : decodeCursor(list, cursor, cursorPlace);
  const found = await sql<(DeliveryRow & WithTask)[]>`
    select ${notificationColumns(sql, withTask)} from deliveries
    where user_id = ${userId}
      and ${status === "bundled" ? sql`status = 'bundled'` : sql`(digest_id is null or status = 'cancelled') and status <> 'bundled'`}
      ${status === null ? sql`` : status === "pending" ? sql`and status in ('pending', 'sending')` : sql`and status = ${status}`}
      ${channel === null ? sql`` : sql`and channel = ${channel}`}
      ${unread === null ? sql`` : sql`and channel = 'in-app' and status = 'delivered' and digest_id is null`}
      ${unread === null ? sql`` : unread ? sql`and read_at is null` : sql`and read_at is not null`}
      ${createdAfter === null ? sql`` : sql`and created_at >= ${createdAfter}`}
      ${createdBefore === null ? sql`` : sql`and created_at < ${createdBefore}`}
      ${after === null ? sql`` : sql`and (created_at, id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`}
    order by created_at desc, id desc limit ${limit + 1}`;
  const rows = found.slice(0, limit);
  const items = await place(sql, rows, { userId, most: toldInLists, withTask });
  const last = rows.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return {
    items,
    nextCursor: hasMore ? encodeCursor(list, [last.createdAt.toISOString(), last.id]) : null,
  };
}

/** One notification of a user with all it tells and its last attempts, newest first; `null` when there is none. */
export async function findNotification(
  sql: Sql,
  { id, userId, withTask }: Readonly<{ id: string; userId: string; withTask: boolean }>,
): Promise<(ListedNotification & Readonly<{ attempts: readonly AttemptRow[] }>) | null> {
  const [row] = await sql<(DeliveryRow & WithTask)[]>`
    select ${notificationColumns(sql, withTask)} from deliveries where id = ${id} and user_id = ${userId}`;
  if (row === undefined) return null;
  const [listed] = await place(sql, [row], { userId, most: Number.MAX_SAFE_INTEGER, withTask });
  if (listed === undefined) return null;
  const attempts = await sql<AttemptRow[]>`
    select attempt, at, channel, outcome, reason, ms from delivery_attempts
    where delivery_id = ${id} order by at desc, attempt desc limit 50`;
  return { ...listed, attempts };
}

/** `most`: so many reminders of each digest. */
type PlaceOptions = Readonly<{ userId: string; most: number; withTask: boolean }>;

/** Rows of one user with what the digests among them tell, each on its person's clock of now. */
async function place(
  sql: Sql,
  rows: readonly (DeliveryRow & WithTask)[],
  { userId, ...options }: PlaceOptions,
): Promise<readonly ListedNotification[]> {
  if (rows.length === 0) return [];
  const [members, { tz }] = await Promise.all([readMembers(sql, rows, options), preferencesOf(sql, userId)]);
  const told = [...rows, ...[...members.values()].flat()];
  const dues = await readDues(
    sql,
    told.map(({ taskId }) => ({ taskId, userId })),
  );
  return rows.map((row) => {
    const reminders = members.get(row.id);
    const [first] = reminders ?? [];
    return {
      row: { ...row, ...zoneAndDay(dues.get(row.taskId ?? ""), tz) },
      told: reminders && {
        reminders: reminders.map((one) => ({ ...one, ...toldReminder(one, dues, tz) })),
        count: first?.count ?? 0,
      },
    };
  });
}

type ListedDigestEntry = FiredReminder & WithTask & Readonly<{ digestId: string; count: number }>;

async function readMembers(
  sql: Sql,
  rows: readonly DeliveryRow[],
  { most, withTask }: Omit<PlaceOptions, "userId">,
): Promise<ReadonlyMap<string, readonly ListedDigestEntry[]>> {
  const digests = rows.filter(({ kind }) => kind === "digest").map(({ id }) => id);
  if (digests.length === 0) return new Map();
  const members = await sql<ListedDigestEntry[]>`
    select * ${taskColumn(sql, withTask)} from (
      select digest_id as "digestId", reminder_id as "reminderId", task_id as "taskId", title, remind_at as "remindAt",
        triggered_at as "triggeredAt", late_by as "lateBy", (count(*) over (partition by digest_id))::int as count,
        row_number() over (partition by digest_id order by coalesce(remind_at, triggered_at), id) as place, task_id, user_id
      from deliveries where digest_id = any(${digests}::uuid[]) and status <> 'cancelled'
    ) deliveries where place <= ${most} order by place`;
  return Map.groupBy(members, ({ digestId }) => digestId);
}
