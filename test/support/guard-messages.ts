import { deriveId } from "../../shared/messages/derive-id.ts";
import type { ReceivedOf } from "../../shared/messages/message.ts";
import type { ReminderRule, SetTaskReminders } from "../../shared/messages/records.ts";
import { taskCreated } from "./task-created.ts";

/** Messages about one task as the reminder service receives them; times are ms since the epoch. */
export const taskId = "0190a000-0000-7000-8000-00000000000a";
export const userId = "0190a000-0000-7000-8000-000000000001";
export const otherUserId = "0190a000-0000-7000-8000-000000000002";

type TaskEventType = "TaskCreated" | "TaskUpdated" | "TaskCompleted" | "TaskDeleted";
type About = Readonly<{ task?: string; user?: string }>;

function event<T extends TaskEventType>(
  type: T,
  sequence: number,
  time: number,
  data: ReceivedOf<T>["data"],
): ReceivedOf<T> {
  return received(type, "task-events", sequence, time, data);
}

function received<T extends TaskEventType | "SetTaskReminders">(
  type: T,
  topic: "task-events" | "reminder-commands",
  sequence: number,
  time: number,
  data: ReceivedOf<T>["data"],
): ReceivedOf<T> {
  const subject = "id" in data ? data.id : data.task_id;
  return {
    type,
    topic,
    key: subject,
    subject,
    sequence,
    data,
    id: deriveId("test", subject, type, String(sequence)),
    time: new Date(time),
    source: topic === "task-events" ? "task-service" : "reminder-scheduling-worker",
    correlationId: "test",
    causationId: null,
    traceparent: null,
    partition: 0,
    offset: 0n,
    timestamp: time,
    value: new Uint8Array(),
    headers: [],
    // The pieces fit by construction; the compiler cannot see it for a type parameter.
  } as unknown as ReceivedOf<T>;
}

const date = (ms: number | null) => (ms === null ? null : new Date(ms));

export function created(
  version: number,
  time: number,
  {
    due,
    day = null,
    template = false,
    task = taskId,
    user = userId,
  }: Readonly<{ due: number | null; day?: string | null; template?: boolean }> & About,
) {
  return event(
    "TaskCreated",
    version,
    time,
    taskCreated({
      id: task,
      user_id: user,
      title: "a task",
      created_at: new Date(time),
      due_date: date(due),
      is_recurring_template: template,
      due_on: day,
    }),
  );
}

export function updated(
  version: number,
  time: number,
  { due, task = taskId, user = userId, ...set }: Readonly<{ due?: number | null; [field: string]: unknown }> & About,
) {
  const due_date = due === undefined ? {} : { due_date: date(due)?.toISOString() ?? null };
  const updated_fields = { ...set, ...due_date } as ReceivedOf<"TaskUpdated">["data"]["updated_fields"];
  return event("TaskUpdated", version, time, { id: task, user_id: user, updated_fields, timestamp: new Date(time) });
}

export function completed(version: number, time: number, { task = taskId, user = userId }: About = {}) {
  return event("TaskCompleted", version, time, { id: task, user_id: user, completed_at: new Date(time) });
}

export function deleted(version: number, time: number, { task = taskId, user = userId }: About = {}) {
  return event("TaskDeleted", version, time, { id: task, user_id: user, deleted_at: new Date(time) });
}

/** `[value, version, time]` of a field. */
type Field<T> = readonly [T, number, number];

export function command(
  sequence: number,
  of: Readonly<{
    due: Field<number | null>;
    status?: Field<SetTaskReminders["status"]>;
    deleted?: Field<boolean>;
    template?: boolean;
    title?: string;
    rules?: readonly ReminderRule[];
    /** When it was asked for; when the due date was set, by default. */
    asked?: number;
  }> &
    About,
) {
  const { due, status = ["open", 1, 1], deleted: gone = [false, 1, 1], task = taskId, user = userId } = of;
  return received("SetTaskReminders", "reminder-commands", sequence, due[2], {
    task_id: task,
    user_id: user,
    due_date: date(due[0]),
    due_version: due[1],
    due_time: new Date(due[2]),
    status: status[0],
    status_version: status[1],
    status_time: new Date(status[2]),
    deleted: gone[0],
    deleted_version: gone[1],
    deleted_time: new Date(gone[2]),
    title: of.title ?? "a task",
    is_template: of.template ?? false,
    rules: of.rules ?? [{ rule: "PT0S", offset_ms: 0 }],
    requested_at: new Date(of.asked ?? due[2]),
  });
}
