import type { Fetched } from "../broker.ts";
import type { Received } from "../message.ts";
import type { Tracked } from "./offsets.ts";

/** A record the guard took, on its way through a lane. */
export type Item = Readonly<{ record: Fetched; tracked: Tracked; lane: string; bytes: number }>;

/** An item whose record could be read. */
export type Readable = Readonly<{ item: Item; message: Received }>;

/** What became of a message in a group. `skipped` is an event type this build does not know. */
export type Outcome = "done" | "duplicate" | "parked" | "dead" | "skipped";

/** The records of a lane are of whole keys; records without one keep the order of their partition. */
export function makeItem(record: Fetched, tracked: Tracked): Item {
  return {
    record,
    tracked,
    lane: record.key ?? `${record.topic}/${record.partition}`,
    bytes: (record.value?.length ?? 0) + 256,
  };
}
