import type { KafkaRecord, RecordsBatch } from "@platformatic/kafka";
import type { FetchedRecord } from "../messages/broker.ts";
import type { Headers } from "../messages/message.ts";
import { emptyAborted, isControl, type PartitionAnswer } from "./aborted.ts";

/**
 * The records of one fetched partition from `offset` on, in order, and the offset to read next: beyond markers and
 * aborted ones. `epoch` is of the leader that wrote what is before that; `null` where the answer has nothing.
 */
export function readAnswer(
  topic: string,
  partition: number,
  offset: bigint,
  answer: PartitionAnswer,
): Readonly<{ records: readonly FetchedRecord[]; next: bigint; epoch: number | null }> {
  emptyAborted(answer);
  const batches = answer.records ?? [];
  const last = batches.at(-1);
  const end = last === undefined ? offset : last.firstOffset + BigInt(last.lastOffsetDelta) + 1n;
  const records = fetchedFrom(topic, partition, offset, batches);
  return { records, next: end > offset ? end : offset, epoch: last?.partitionLeaderEpoch ?? null };
}

/** The records of batches from `offset` on (a batch may begin before the offset asked for), in order. */
function fetchedFrom(
  topic: string,
  partition: number,
  offset: bigint,
  batches: readonly RecordsBatch[],
): readonly FetchedRecord[] {
  return batches
    .filter((batch) => !isControl(batch))
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
        leaderEpoch: batch.partitionLeaderEpoch,
      })),
    )
    .filter((record) => record.offset >= offset);
}

/** A key as text; with its bytes beside it where text cannot say them. */
export function keyOf(bytes: Uint8Array | null | undefined): Pick<FetchedRecord, "key" | "keyBytes"> {
  if (bytes === null || bytes === undefined) return { key: null };
  const key = Buffer.from(bytes).toString();
  return key.includes("\u{fffd}") && !Buffer.from(key).equals(bytes) ? { key, keyBytes: bytes } : { key };
}

export function toHeaders(
  entries: readonly (readonly [Buffer | null | undefined, Buffer | null | undefined])[],
): Headers {
  return entries.map(([name, value]) => [name?.toString() ?? "", value ?? new Uint8Array()] as const);
}
