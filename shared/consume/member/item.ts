import type { FetchedRecord } from "../../messages/broker.ts";
import type { ReceivedMessage } from "../../messages/message.ts";
import type { TrackedRecord } from "./offsets.ts";

/** A record the guard took, on its way through a lane. */
export type QueuedRecord = Readonly<{ record: FetchedRecord; tracked: TrackedRecord; lane: string; bytes: number }>;

/** An item whose record could be read. */
export type Readable = Readonly<{ item: QueuedRecord; message: ReceivedMessage }>;

/**
 * What became of a message in a group. `skipped`: of a type this build does not know, or of
 * no concern to the group. `lost`: of a change the database
 * has lost.
 */
export type MessageOutcome = "done" | "duplicate" | "parked" | "dead" | "skipped" | "lost";

/** The years 1 to 9999. */
const firstMs = Date.parse("0001-01-01T00:00:00.000Z");
const lastMs = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * All records of a key go to one lane; records without a key go by their partition. A producer may write any 64 bits as
 * the time: one that `Date` or Postgres cannot hold becomes the nearest that they can, or the record could not even
 * become a dead letter.
 */
export function makeItem(record: FetchedRecord, track: (lane: string) => TrackedRecord): QueuedRecord {
  const lane = record.key ?? `${record.topic}/${record.partition}`;
  const timestamp = Math.min(Math.max(record.timestamp, firstMs), lastMs);
  return {
    record: timestamp === record.timestamp ? record : { ...record, timestamp },
    tracked: track(lane),
    lane,
    bytes: (record.value?.length ?? 0) + 256,
  };
}
