import { z } from "@hono/zod-openapi";

export type DeliveryRow = Readonly<{
  id: string;
  reminderId: string;
  taskId: string;
  channel: string;
  status: "pending" | "sending" | "delivered" | "failed";
  deliveredAt: Date | null;
  createdAt: Date;
}>;

const instant = z.string().openapi({ format: "date-time", example: "2026-12-31T23:59:59.000Z" });
const uuid = z.string().openapi({ format: "uuid" });

export const notificationSchema = z
  .object({
    id: uuid,
    reminder_id: uuid,
    task_id: uuid,
    channel: z.string().openapi({ example: "webhook" }),
    status: z.enum(["pending", "delivered", "failed"]),
    delivered_at: instant.nullable(),
    created_at: instant,
  })
  .openapi("Notification");
export type NotificationView = z.infer<typeof notificationSchema>;

export function notificationView(row: DeliveryRow): NotificationView {
  return {
    id: row.id,
    reminder_id: row.reminderId,
    task_id: row.taskId,
    channel: row.channel,
    status: row.status === "sending" ? "pending" : row.status,
    delivered_at: row.deliveredAt?.toISOString() ?? null,
    created_at: row.createdAt.toISOString(),
  };
}
