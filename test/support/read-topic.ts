import type { FetchedRecord } from "../../shared/messages/broker.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { readConfig } from "../../shared/role/config.ts";
import { readEnvelope, type ReadEnvelope } from "../../shared/outbox/envelope.ts";
import { makeLog } from "../../shared/role/log.ts";
import { deadLetterTopics, topicNames } from "../../shared/messages/topics.ts";

/** How many records each topic has had so far. */
export async function topicEnds(env: Readonly<Record<string, string>>): Promise<Readonly<Record<string, number>>> {
  await using broker = await openBroker(readConfig(kafkaSettings, env), {
    clientId: "test",
    log: makeLog({}, "error"),
  });
  const all = [...topicNames, ...deadLetterTopics];
  const ends = await Promise.all(all.map((topic) => broker.admin.offsets(topic, "end")));
  return Object.fromEntries(
    all.map((topic, n) => [topic, [...(ends[n]?.values() ?? [])].reduce((sum, end) => sum + Number(end), 0)]),
  );
}

export type Read = Readonly<{ record: FetchedRecord; envelope: ReadEnvelope }>;

/** Every record of a topic up to its end as it is now, by partition and offset. */
export async function readTopic(env: Readonly<Record<string, string>>, topic: string): Promise<readonly Read[]> {
  await using broker = await openBroker(readConfig(kafkaSettings, env), {
    clientId: "test",
    log: makeLog({}, "error"),
  });
  const [start, end] = await Promise.all([broker.admin.offsets(topic, "start"), broker.admin.offsets(topic, "end")]);
  const missing = new Map([...end].filter(([partition, offset]) => offset > (start.get(partition) ?? 0n)));
  const found: FetchedRecord[] = [];
  if (missing.size === 0) return [];
  const stop = new AbortController();
  const from = new Map([...missing.keys()].map((partition) => [partition, start.get(partition) ?? 0n]));
  for await (const { records, next } of broker.tail({ topic, from, signal: stop.signal })) {
    found.push(...records.filter(({ partition, offset }) => offset < (end.get(partition) ?? 0n)));
    for (const [partition, offset] of next) if (offset >= (end.get(partition) ?? 0n)) missing.delete(partition);
    if (missing.size === 0) break;
  }
  stop.abort();
  return found
    .toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
    .map((record) => ({ record, envelope: readEnvelope(record.headers) }));
}
