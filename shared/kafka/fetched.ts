import type { KafkaRecord, RecordsBatch } from "@platformatic/kafka";
import type { Fetched } from "../broker.ts";
import type { Headers } from "../message.ts";

/** Attribute bit of a batch that holds transaction markers instead of records. */
const controlBatch = 1 << 5;

/** The records of one fetched partition from `offset` on (a batch may begin before the offset asked for), in order. */
export function fetchedFrom(
  topic: string,
  partition: number,
  offset: bigint,
  batches: readonly RecordsBatch[],
): readonly Fetched[] {
  return batches
    .filter((batch) => (batch.attributes & controlBatch) === 0)
    .flatMap((batch) =>
      batch.records.map((record: KafkaRecord) => ({
        topic,
        partition,
        offset: batch.firstOffset + BigInt(record.offsetDelta),
        timestamp: Number(batch.firstTimestamp + record.timestampDelta),
        ...keyOf(record.key),
        value: record.value,
        headers: toHeaders(record.headers),
        generation: 0,
      })),
    )
    .filter((record) => record.offset >= offset);
}

/** A key as text; with its bytes beside it where text cannot say them. */
export function keyOf(bytes: Uint8Array | null | undefined): Pick<Fetched, "key" | "keyBytes"> {
  if (bytes === null || bytes === undefined) return { key: null };
  const key = Buffer.from(bytes).toString();
  return key.includes("\u{fffd}") && !Buffer.from(key).equals(bytes) ? { key, keyBytes: bytes } : { key };
}

export function toHeaders(
  entries: readonly (readonly [Buffer | null | undefined, Buffer | null | undefined])[],
): Headers {
  return entries.map(([name, value]) => [name?.toString() ?? "", value ?? new Uint8Array()] as const);
}
