import type { Fetched } from "../broker.ts";
import { readEnvelope } from "../outbox/envelope.ts";
import type { Received } from "../message.ts";
import { Problem } from "../problem.ts";
import { topicNames, type TopicName } from "../topics.ts";

/** The part of the codec that reading needs. */
export type Decoder = Readonly<{
  decode: (
    topic: TopicName,
    value: Uint8Array,
  ) => Promise<Readonly<{ type: string; data: unknown }> | Readonly<{ unknown: string }>>;
}>;

export type ReadResult = Readonly<{ message: Received }> | Readonly<{ unknown: string }>;

/**
 * Makes a message of a record. Throws Problem UNDECODABLE for what can never be read, and the registry's error while the
 * record's schema is not known here and cannot be asked for. `unknown` is an event type of a newer build.
 */
export async function readRecord(codec: Decoder, record: Fetched): Promise<ReadResult> {
  const topic = topicNames.find((name) => name === record.topic);
  if (topic === undefined) throw new Problem("UNDECODABLE", `the topic ${record.topic} has no schemas`);
  if (record.value === null) throw new Problem("UNDECODABLE", "the record has no value");
  const decoded = await codec.decode(topic, record.value);
  if ("unknown" in decoded) return decoded;
  const envelope = readEnvelope(record.headers);
  if (envelope.type !== decoded.type)
    throw new Problem("UNDECODABLE", `the header ce_type says ${envelope.type}, the schema ${decoded.type}`);
  if (record.key === null) throw new Problem("UNDECODABLE", "the record has no key");
  // The codec gives the data of the type it names; the compiler cannot see the two go together.
  return {
    message: {
      ...envelope,
      data: decoded.data,
      key: record.key,
      topic,
      partition: record.partition,
      offset: record.offset,
      timestamp: record.timestamp,
      value: record.value,
      headers: record.headers,
    } as Received,
  };
}
