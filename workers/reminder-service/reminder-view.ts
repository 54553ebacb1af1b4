import { z } from "@hono/zod-openapi";
import type { Reminder } from "./reminder.ts";

const instant = z.string().openapi({ format: "date-time", example: "2026-12-31T23:59:59.000Z" });

export const reminderSchema = z
  .object({
    id: z.string().openapi({ format: "uuid" }),
    task_id: z.string().openapi({ format: "uuid" }),
    rule: z
      .string()
      .nullable()
      .openapi({ description: "The rule that made it, such as PT15M; null for one set by a person." }),
    remind_at: instant,
    snoozed_from: instant
      .nullable()
      .openapi({ description: "The time it had before it was snoozed; null where it is not snoozed." }),
    drop_after: z
      .string()
      .nullable()
      .openapi({ description: "How late it may fire; later it is dismissed as expired. null: however late." }),
    status: z.enum(["pending", "triggered", "dismissed"]).openapi({
      description:
        "Completing or deleting the task dismisses what is pending. What has triggered stays so until it is dismissed by hand; " +
        "show it only while its task is open.",
    }),
    triggered_at: instant.nullable(),
    dismissed_at: instant.nullable(),
    reason: z.string().nullable().openapi({ description: "Why it is dismissed." }),
    generation: z.number().int().openapi({ description: "Counts how often it was scheduled." }),
    version: z.number().int(),
  })
  .openapi("Reminder");
export type ReminderView = z.infer<typeof reminderSchema>;

export function reminderView(reminder: Reminder): ReminderView {
  return {
    id: reminder.id,
    task_id: reminder.taskId,
    rule: reminder.rule,
    remind_at: reminder.remindAt.toISOString(),
    snoozed_from: reminder.snoozedFrom?.toISOString() ?? null,
    drop_after: reminder.dropAfter,
    status: reminder.status,
    triggered_at: reminder.triggeredAt?.toISOString() ?? null,
    dismissed_at: reminder.dismissedAt?.toISOString() ?? null,
    reason: reminder.reason,
    generation: reminder.generation,
    version: reminder.version,
  };
}
