import type { Notification, ToldReminder } from "./channel.ts";
import { localTime } from "./local-time.ts";
import { oneLine } from "./one-line.ts";

/** What is posted: the fired reminder, or for a digest the list of them, oldest first. */
export function webhookBody({ id, userId, kind, reminders }: Notification): string {
  const [first] = reminders;
  if (first === undefined) throw new Error(`notification ${id} tells nothing`);
  const told = { id, user_id: userId };
  return JSON.stringify(
    kind === "reminder"
      ? {
          type: "reminder.triggered",
          timestamp: first.triggeredAt.toISOString(),
          data: { ...told, ...firedBody(first) },
        }
      : {
          type: "reminder.digest",
          timestamp: first.triggeredAt.toISOString(),
          data: { ...told, reminders: reminders.map(firedBody) },
        },
  );
}

/** What is posted to try an endpoint. */
export function testBody({ id, userId }: Pick<Notification, "id" | "userId">, at: Date): string {
  return JSON.stringify({ type: "endpoint.test", timestamp: at.toISOString(), data: { id, user_id: userId } });
}

/** A reminder in bodies and answers. */
export function firedBody(fired: ToldReminder) {
  const { reminderId, taskId, title, remindAt, triggeredAt, lateBy, tz, dueOn } = fired;
  return {
    reminder_id: reminderId,
    task_id: taskId,
    title: title === null ? null : oneLine(title),
    remind_at: remindAt?.toISOString() ?? null,
    remind_at_local: remindAt === null ? null : localTime(remindAt, tz),
    tz,
    due_on: dueOn,
    triggered_at: triggeredAt.toISOString(),
    late_by: lateBy,
  };
}
