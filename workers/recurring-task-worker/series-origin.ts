import type { Origin, Received } from "../../shared/messages/message.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { TaskEvent } from "../../shared/tasks/task-event.ts";

/**
 * A task as it is kept here: with the event that made its latest version, whose chain goes on where a timer of its
 * series fires.
 */
type Followed = FoldedTask & Readonly<{ origin?: Origin }>;

/** An event of a task with what names it; in the folds of tests it may be missing. */
export type FollowedEvent = TaskEvent & Partial<Pick<Received, "id" | "correlationId" | "traceparent">>;

/** The task with its origin: this event's, if it made the latest version, else the one from before. */
export function withOrigin(task: FoldedTask, before: FoldedTask | null, event: FollowedEvent): Followed {
  const origin = event.sequence === task.version ? readOrigin(event) : originOf(before);
  return origin === null ? task : { ...task, origin };
}

export function originOf(task: Followed | null): Origin | null {
  return task?.origin ?? null;
}

function readOrigin({ id, correlationId, traceparent = null }: FollowedEvent): Origin | null {
  return id === undefined || correlationId === undefined ? null : { messageId: id, correlationId, traceparent };
}
