import { z } from "@hono/zod-openapi";

const instant = z.string().openapi({ format: "date-time", example: "2026-12-31T23:59:59.000Z" });

/** A reminder as HTTP and the stream of changes show it. */
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
    generation: z.number().int().openapi({
      description: "Counts how often it was scheduled; 0 in a change, where the events of an older build did not say.",
    }),
    version: z.number().int().openapi({ description: "Counts its own changes." }),
  })
  .openapi("Reminder");
export type ReminderView = z.infer<typeof reminderSchema>;
