import { Consumer } from "@platformatic/kafka";
import type { FetchedRecord, PartitionOffset } from "../messages/broker.ts";
import { fetchRequest } from "./fetch-request.ts";
import { readAnswer } from "./fetched.ts";
import { hasProtocolError } from "./kafka-error.ts";
import type { Naming } from "./naming.ts";
import type { ClientOptions } from "./settings.ts";
import { leadersOf } from "./tail.ts";
import { within } from "./within.ts";

/** A batch is given whole, whatever this says; more of it only saves questions. */
const bytesEach = 64 << 10;
const bytesAlone = 1 << 20;

/** Offsets at or beyond the end have no record; one below the log's start rejects the whole call. */
export async function readAt(
  base: ClientOptions,
  naming: Naming,
  topic: string,
  at: ReadonlyMap<number, bigint>,
): Promise<readonly FetchedRecord[]> {
  if (at.size === 0) return [];
  return withReader(base, async (consumer) => {
    const { topicId, byNode } = await leadersOf(consumer, naming.physical(topic), [...at.keys()]);
    const found: FetchedRecord[] = [];
    for (const [node, partitions] of byNode) {
      const reader = { consumer, node, topicId, topic };
      const offsets = new Map(partitions.map((partition) => [partition, at.get(partition) ?? 0n]));
      const answers = await ask(reader, offsets, bytesEach);
      for (const [partition, from] of offsets) {
        // Only the first partition of an answer is sure to get its batch when that is larger than the limit.
        const { records = [], next = from } = answers.get(partition) ?? {};
        const record = records[0] ?? (await firstFrom(reader, partition, next)).record;
        if (record !== null) found.push(record);
      }
    }
    return found;
  });
}

/** See `Admin.nextRecord`. */
export function findNextRecord(
  base: ClientOptions,
  naming: Naming,
  { topic, partition, offset }: PartitionOffset,
): Promise<bigint> {
  return withReader(base, async (consumer) => {
    const { topicId, byNode } = await leadersOf(consumer, naming.physical(topic), [partition]);
    const [node = -1] = byNode.keys();
    try {
      const { record, next } = await firstFrom({ consumer, node, topicId, topic }, partition, offset);
      return record?.offset ?? next;
    } catch (cause) {
      if (!hasProtocolError(cause, "OFFSET_OUT_OF_RANGE")) throw cause;
      throw Object.assign(new Error(`offset ${offset} of ${topic}/${partition} is not in the log`, { cause }), {
        code: "OFFSET_OUT_OF_RANGE",
      });
    }
  });
}

type LookUpReader = Readonly<{ consumer: Consumer; node: number; topicId: string; topic: string }>;

/** Asks on past markers and aborted records, until there is a record or nothing more. */
async function firstFrom(
  reader: LookUpReader,
  partition: number,
  from: bigint,
): Promise<Readonly<{ record: FetchedRecord | null; next: bigint }>> {
  for (let next = from; ;) {
    const answer = (await ask(reader, new Map([[partition, next]]), bytesAlone)).get(partition);
    const record = answer?.records[0];
    if (record !== undefined) return { record, next: record.offset };
    if (answer === undefined || answer.next === next) return { record: null, next };
    next = answer.next;
  }
}

async function ask(
  { consumer, node, topicId, topic }: LookUpReader,
  offsets: ReadonlyMap<number, bigint>,
  maxBytes: number,
) {
  const { responses } = await consumer.fetch(fetchRequest(node, topicId, offsets, 100, maxBytes));
  return new Map(
    responses.flatMap(({ partitions }) =>
      partitions.map((answer) => {
        const { partitionIndex } = answer;
        return [partitionIndex, readAnswer(topic, partitionIndex, offsets.get(partitionIndex) ?? 0n, answer)] as const;
      }),
    ),
  );
}

async function withReader<T>(base: ClientOptions, work: (consumer: Consumer) => Promise<T>): Promise<T> {
  const consumer = new Consumer({ ...base, groupId: `${base.clientId}-reader`, retries: 3, autocommit: false });
  consumer.on("error", () => {});
  try {
    return await work(consumer);
  } finally {
    await within(1_000, consumer.close(true));
  }
}
