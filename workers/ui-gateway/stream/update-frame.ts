import type { FetchedRecord } from "../../../shared/messages/broker.ts";
import type { ChangeType, TaskChanged } from "../../../shared/messages/records.ts";
import { formatStreamCursor } from "./stream-cursor.ts";
import type { NoticeData } from "./stream-events.ts";

/** One TaskChanged as every connection of its user gets it: encoded once, shared, never changed. */
export type Frame = Readonly<{
  partition: number;
  offset: bigint;
  userId: string;
  taskId: string;
  /** The version of the task's view; a record not above the last of its task is old. */
  sequence: number;
  /** A whole server-sent event. */
  bytes: Uint8Array;
  changeType: ChangeType;
  /** Whether its view is that of a completed task. */
  isCompleted: boolean;
  /** Where in `bytes` the JSON of TaskChanged lies, its payload an object. */
  json: Readonly<{ start: number; end: number }>;
}>;

const encoder = new TextEncoder();
/** It comes first, so that its place is known. */
const label = '{"change_type":"';

/**
 * The frame of a record of task-updates, or `mixed` when key, record and payload do not all name one user: such a
 * record would show somebody's task to somebody else. Throws for a payload that is no JSON.
 */
export function makeFrame(
  record: Pick<FetchedRecord, "partition" | "offset" | "key">,
  changed: TaskChanged,
  { epoch, sequence }: { epoch: string; sequence: number },
): Frame | "mixed" {
  const { user_id: userId, task_id: taskId } = changed;
  const payload: unknown = JSON.parse(changed.payload);
  if (record.key !== userId || valueOf(payload, "user_id") !== userId) return "mixed";
  const { partition, offset } = record;
  const head = `id: ${formatStreamCursor({ epoch, partition, offset })}\nevent: task.changed\ndata: `;
  const { change_type: changeType, ...rest } = changed;
  // JSON.stringify writes no line breaks, which would end the data of the event.
  const bytes = encoder.encode(`${head}${label}${changeType}",${JSON.stringify({ ...rest, payload }).slice(1)}\n\n`);
  return {
    partition,
    offset,
    userId,
    taskId,
    sequence,
    changeType,
    isCompleted: valueOf(payload, "status") === "completed",
    bytes,
    json: { start: head.length, end: bytes.byteLength - 2 },
  };
}

/**
 * What stands for two changes of one task where only the newer view is given: it, told as the strongest of what
 * happened in both that is still true of it. Completed says more than created, that more than updated; a deleted view
 * is `deleted` by itself.
 */
export function mergeChanges(older: Frame, newer: Frame): Frame {
  if (newer.changeType !== "updated") return newer;
  const { changeType } = older;
  const stillHolds = changeType === "created" || (changeType === "completed" && newer.isCompleted);
  return stillHolds ? toldAs(newer, changeType) : newer;
}

function toldAs(frame: Frame, changeType: ChangeType): Frame {
  const { bytes, json } = frame;
  const start = json.start + label.length;
  const name = encoder.encode(changeType);
  const rest = bytes.subarray(start + frame.changeType.length);
  const all = new Uint8Array(start + name.byteLength + rest.byteLength);
  all.set(bytes.subarray(0, start));
  all.set(name, start);
  all.set(rest, start + name.byteLength);
  return { ...frame, changeType, bytes: all, json: { start: json.start, end: all.byteLength - 2 } };
}

/** An event of the stream itself. `data` is never empty: a browser does not dispatch an event without data. */
export function noticeBytes<Name extends keyof NoticeData>(
  event: Name,
  data: NoticeData[Name],
  { id, retryMs }: { id?: string; retryMs?: number } = {},
): Uint8Array {
  return encoder.encode(
    `${retryMs === undefined ? "" : `retry: ${retryMs}\n`}${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
  );
}

export const heartbeatBytes = encoder.encode(": still here\n\n");

function valueOf(payload: unknown, name: string): unknown {
  return typeof payload === "object" && payload !== null ? Reflect.get(payload, name) : undefined;
}
