import { expect, test } from "bun:test";
import type { MessageType } from "../../../shared/messages/message.ts";
import { isTaskEvent, taskEventTypes } from "../../../shared/tasks/task-event.ts";

test("an event of a task is known by its type, whatever topic brings it", () => {
  const on = (topic: string, type: MessageType) => isTaskEvent({ type, topic } as const);
  expect(taskEventTypes.filter((type) => on("task-events", type))).toEqual([...taskEventTypes]);
  // A record that joins the topic later has no status, due or time of its own that these readers would know.
  expect(on("task-events", "SeriesEnded")).toBe(false);
  expect(on("task-events", "TaskChanged")).toBe(false);
});
