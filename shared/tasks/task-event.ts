import type { MessageType, ReceivedOf } from "../messages/message.ts";
import { topics } from "../messages/topics.ts";

/** The types of a task's events, said once: what the topic `task-events` carries. */
export const taskEventTypes = topics["task-events"].records;
type TaskEventType = (typeof taskEventTypes)[number];

export type ReceivedTaskEvent = { [T in TaskEventType]: ReceivedOf<T> }[TaskEventType];

/** An event of a task, as far as folding looks at it: a received message is one. */
export type TaskEvent = {
  [T in TaskEventType]: Pick<ReceivedOf<T>, "type" | "subject" | "sequence" | "data">;
}[TaskEventType];

const known: ReadonlySet<string> = new Set(taskEventTypes);

/**
 * Asks the type and not the topic: what holds for these types need not hold for a record that joins them on their
 * topic.
 */
export function isTaskEvent<M extends Readonly<{ type: MessageType }>>(
  message: M,
): message is Extract<M, { type: TaskEventType }> {
  return known.has(message.type);
}

/** When it happened, as its data say. */
export function eventTime(event: TaskEvent): Date {
  switch (event.type) {
    case "TaskCreated":
      return event.data.created_at;
    case "TaskUpdated":
      return event.data.timestamp;
    case "TaskCompleted":
      return event.data.completed_at;
    case "TaskDeleted":
      return event.data.deleted_at;
  }
}
