import type { Fetched } from "../broker.ts";
import type { Received } from "../message.ts";
import type { Tracked } from "./offsets.ts";

/** A record the guard took, on its way through a lane. */
export type Item = Readonly<{ record: Fetched; tracked: Tracked; lane: string; bytes: number }>;

/** An item whose record could be read. */
export type Readable = Readonly<{ item: Item; message: Received }>;

/** What became of a message in a group. `skipped` is an event type this build does not know. */
export type Outcome = "done" | "duplicate" | "parked" | "dead" | "skipped";

/** The years 1 to 9999. */
const firstMs = Date.parse("0001-01-01T00:00:00.000Z");
const lastMs = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * The records of a lane are of whole keys; records without one keep the order of their partition. A producer may say any 64 bits are
 * the time: what no Date or no Postgres can hold is moved to the nearest they can, or the record could not even be buried.
 */
export function makeItem(record: Fetched, tracked: Tracked): Item {
  const timestamp = Math.min(Math.max(record.timestamp, firstMs), lastMs);
  return {
    record: timestamp === record.timestamp ? record : { ...record, timestamp },
    tracked,
    lane: record.key ?? `${record.topic}/${record.partition}`,
    bytes: (record.value?.length ?? 0) + 256,
  };
}
