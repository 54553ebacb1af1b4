import { z } from "@hono/zod-openapi";
import { expandedFields, expandedTask, type SelectedReminderTask } from "../../../shared/reminders/reminder-task.ts";
import type { ToldReminder } from "../channels/channel.ts";
import { channelNames, channels, type ChannelName } from "../channels/channels.ts";
import { localTime } from "../channels/local-time.ts";
import { firedBody } from "../channels/webhook-body.ts";

export type DeliveryRow = Readonly<{
  id: string;
  kind: "reminder" | "digest";
  channel: ChannelName;
  target: string;
  status: "pending" | "sending" | "bundled" | "delivered" | "failed" | "dropped" | "cancelled";
  reason: string | null;
  lastError: string | null;
  reminderId: string | null;
  taskId: string | null;
  title: string | null;
  remindAt: Date | null;
  triggeredAt: Date;
  lateBy: number | null;
  dueAt: Date;
  attempts: number;
  possiblyDuplicated: boolean;
  digestId: string | null;
  fallbackOf: string | null;
  deliveredAt: Date | null;
  readAt: Date | null;
  createdAt: Date;
}>;

/** Its task, where that was asked for. */
export type WithTask = Readonly<{ task?: SelectedReminderTask | null }>;

/** A row on its person's clock, see `ToldReminder`. */
export type PlacedRow = DeliveryRow & WithTask & Pick<ToldReminder, "tz" | "dueOn">;

/** What a digest tells: the first of them, and how many there are. */
export type DigestContent = Readonly<{ reminders: readonly (ToldReminder & WithTask)[]; count: number }>;

export type AttemptRow = Readonly<{
  attempt: number;
  at: Date;
  channel: ChannelName;
  outcome: "delivered" | "retry" | "failed" | "cancelled" | "unknown";
  reason: string | null;
  ms: number | null;
}>;

const instant = z.string().openapi({ format: "date-time", example: "2026-12-31T23:59:59.000Z" });
const uuid = z.string().openapi({ format: "uuid" });

export const statusSchema = z.enum(["pending", "bundled", "delivered", "failed", "dropped", "cancelled"]);
export const channelSchema = z.enum(channelNames);

/** When a reminder is for, on its person's clock. */
const localFields = {
  remind_at_local: z.string().nullable().openapi({
    format: "date-time",
    description: "remind_at on the clock of `tz`.",
    example: "2027-01-01T05:29:59.000+05:30",
  }),
  tz: z.string().openapi({
    description: "The due_tz of its task, else the zone of its user's preferences.",
    example: "Asia/Kolkata",
  }),
  due_on: z.string().nullable().openapi({ format: "date", description: "The day an all-day task is due." }),
};

export const firedSchema = z
  .object({
    reminder_id: uuid,
    task_id: uuid,
    title: z.string().nullable(),
    remind_at: instant.nullable(),
    ...localFields,
    triggered_at: instant,
    late_by: z.int().nullable().openapi({ description: "Seconds after remind_at; null when it fired in time." }),
  })
  .openapi("FiredReminder");

const notifiedSchema = firedSchema.extend(expandedFields).openapi("NotifiedReminder");

export const notificationSchema = z
  .object({
    id: uuid,
    kind: z.enum(["reminder", "digest"]),
    channel: channelSchema,
    target: z.string().nullable().openapi({ description: "The URL of the webhook or the address of the e-mail." }),
    status: statusSchema.openapi({
      description: "bundled: waits in a digest. dropped, cancelled: not sent; `reason` says why.",
    }),
    reason: z.string().nullable().openapi({ description: "Why it was not sent, or why the last attempt failed." }),
    reminder_id: uuid.nullable().openapi({ description: "null for a digest." }),
    task_id: uuid.nullable(),
    title: z.string().nullable().openapi({ description: "Of the task, as it was when the reminder fired." }),
    remind_at: instant.nullable(),
    ...localFields,
    triggered_at: instant,
    late_by: z.int().nullable().openapi({ description: "Seconds after remind_at; null when it fired in time." }),
    due_at: instant.openapi({ description: "It is told then, such as at the end of quiet hours." }),
    attempts: z.int(),
    possibly_duplicated: z.boolean().openapi({ description: "The receiver may have it twice, with the same id." }),
    digest_id: uuid.nullable().openapi({ description: "The digest it is told in." }),
    fallback_of: uuid
      .nullable()
      .openapi({ description: "The notification that failed before this one took its place." }),
    reminders: z
      .array(notifiedSchema)
      .openapi({ description: "What a digest tells, oldest first; in lists the first 20." }),
    reminder_count: z.int(),
    delivered_at: instant.nullable(),
    read_at: instant.nullable(),
    created_at: instant,
    ...expandedFields,
  })
  .openapi("Notification");
type NotificationView = z.infer<typeof notificationSchema>;

export const notificationDetailSchema = notificationSchema
  .extend({
    attempt_log: z
      .array(
        z.object({
          attempt: z.int(),
          at: instant,
          channel: channelSchema,
          outcome: z.enum(["delivered", "retry", "failed", "cancelled", "unknown"]),
          reason: z.string().nullable(),
          ms: z.int().nullable(),
        }),
      )
      .openapi({
        description: "The last 50 attempts, newest first. unknown: the sender vanished; it may have arrived.",
      }),
  })
  .openapi("NotificationDetail");

const iso = (at: Date | null) => at?.toISOString() ?? null;

export function notificationView(row: PlacedRow, told: DigestContent | undefined): NotificationView {
  return {
    id: row.id,
    kind: row.kind,
    channel: row.channel,
    target: row.target === "" ? null : channels[row.channel].shown(row.target),
    status: row.status === "sending" ? "pending" : row.status,
    reason: row.reason ?? row.lastError,
    reminder_id: row.reminderId,
    task_id: row.taskId,
    title: row.title,
    remind_at: iso(row.remindAt),
    remind_at_local: row.remindAt === null ? null : localTime(row.remindAt, row.tz),
    tz: row.tz,
    due_on: row.dueOn,
    triggered_at: row.triggeredAt.toISOString(),
    late_by: row.lateBy,
    due_at: row.dueAt.toISOString(),
    attempts: row.attempts,
    possibly_duplicated: row.possiblyDuplicated,
    digest_id: row.digestId,
    fallback_of: row.fallbackOf,
    reminders: (told?.reminders ?? []).map((one) => ({ ...firedBody(one), ...expandedTask(one.task) })),
    reminder_count: row.kind === "digest" ? (told?.count ?? 0) : 1,
    delivered_at: iso(row.deliveredAt),
    read_at: iso(row.readAt),
    created_at: row.createdAt.toISOString(),
    ...expandedTask(row.task),
  };
}

export function attemptView({
  at,
  ...attempt
}: AttemptRow): z.infer<typeof notificationDetailSchema>["attempt_log"][0] {
  return { ...attempt, at: at.toISOString() };
}
