import type { Origin, ReceivedMessage } from "../../shared/messages/message.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { TaskEvent } from "../../shared/tasks/task-event.ts";

/**
 * A task as it is kept here: with the event that made its latest version, whose chain goes on where a timer of its
 * series fires.
 */
type FollowedTask = FoldedTask & Readonly<{ origin?: Origin }>;

/** An event of a task with what names it; in the folds of tests it may be missing. */
export type FollowedEvent = TaskEvent & Partial<Pick<ReceivedMessage, "id" | "correlationId" | "traceparent">>;

/** The task with its origin: this event's, if it made the latest version, else the one from before. */
export function withOrigin(task: FoldedTask, before: FoldedTask | null, event: FollowedEvent): FollowedTask {
  const origin = event.sequence === task.version ? readOrigin(event) : originOf(before);
  return origin === null ? task : { ...task, origin };
}

export function originOf(task: FollowedTask | null): Origin | null {
  return task?.origin ?? null;
}

function readOrigin({ id, correlationId, traceparent = null }: FollowedEvent): Origin | null {
  return id === undefined || correlationId === undefined ? null : { messageId: id, correlationId, traceparent };
}
