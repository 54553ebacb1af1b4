import type { BatchHandler } from "../../shared/consume/handler.ts";
import { deriveId } from "../../shared/derive-id.ts";
import type { Received } from "../../shared/message.ts";
import { addDeliveries, type NewDelivery } from "./store-deliveries.ts";

/**
 * Writes what a fired reminder is to send, one row per channel, and sends nothing: the sender does. Replay is safe because
 * a delivery is unique by event and channel. `onWritten` is a hint, given before the commit.
 */
export function makeWriteDeliveries(channels: readonly string[], onWritten: () => void): BatchHandler {
  return async (messages, { tx }) => {
    const rows = messages.flatMap((message) => deliveriesOf(message, channels));
    await addDeliveries(tx, rows);
    if (rows.length > 0) onWritten();
    return messages.map(() => []);
  };
}

function deliveriesOf(message: Received, channels: readonly string[]): readonly NewDelivery[] {
  if (message.type !== "ReminderTriggered") return [];
  const { data } = message;
  return channels.map((channel) => ({
    id: deriveId("delivery", message.id, channel),
    eventId: message.id,
    channel,
    userId: data.user_id,
    reminderId: data.id,
    taskId: data.task_id,
    title: data.title,
    remindAt: data.remind_at,
    triggeredAt: data.triggered_at,
  }));
}
