import type { Fetched } from "../../shared/broker.ts";
import type { TaskChanged } from "../../shared/records.ts";
import { formatStreamCursor } from "../../shared/stream-cursor.ts";

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
  /** Where in `bytes` the JSON of TaskChanged lies, its payload an object. */
  json: Readonly<{ start: number; end: number }>;
}>;

const encoder = new TextEncoder();

/**
 * The frame of a record of task-updates, or `mixed` when key, record and payload do not all name one user: such a record
 * would show somebody's task to somebody else. Throws for a payload that is no JSON.
 */
export function makeFrame(
  record: Pick<Fetched, "partition" | "offset" | "key">,
  changed: TaskChanged,
  { epoch, sequence }: { epoch: string; sequence: number },
): Frame | "mixed" {
  const { user_id: userId, task_id: taskId } = changed;
  const payload: unknown = JSON.parse(changed.payload);
  if (record.key !== userId || ownerOf(payload) !== userId) return "mixed";
  const { partition, offset } = record;
  const head = `id: ${formatStreamCursor({ epoch, partition, offset })}\nevent: task.changed\ndata: `;
  // JSON.stringify writes no line breaks, which would end the data of the event.
  const bytes = encoder.encode(`${head}${JSON.stringify({ ...changed, payload })}\n\n`);
  return {
    partition,
    offset,
    userId,
    taskId,
    sequence,
    bytes,
    json: { start: head.length, end: bytes.byteLength - 2 },
  };
}

export type Notice = "cursor" | "reset" | "auth" | "drain";

/** An event of the stream itself. `data` is never empty: a browser does not dispatch an event without data. */
export function noticeBytes(
  event: Notice,
  data: Readonly<Record<string, string | number>>,
  { id, retryMs }: { id?: string; retryMs?: number } = {},
): Uint8Array {
  return encoder.encode(
    `${retryMs === undefined ? "" : `retry: ${retryMs}\n`}${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
  );
}

export const heartbeatBytes = encoder.encode(": still here\n\n");

function ownerOf(payload: unknown): unknown {
  return typeof payload === "object" && payload !== null && "user_id" in payload ? payload.user_id : undefined;
}
