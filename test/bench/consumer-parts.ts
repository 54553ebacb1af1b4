import { readSchemas } from "../../shared/avro/files.ts";
import type { Broker, OutgoingRecord } from "../../shared/messages/broker.ts";
import { openCodec, type Codec } from "../../shared/avro/codec.ts";
import { readConfig } from "../../shared/role/config.ts";
import { consumerConnections } from "../../shared/consume/consume.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { kafkaHeaders, messageContentType, writeEnvelope } from "../../shared/outbox/envelope.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { uuidV7 } from "../../shared/uuid.ts";
import { freshDatabase } from "../support/database.ts";
import { assertDurable } from "./machine.ts";

/**
 * What a consumer under measurement needs, on a real broker and a durable database of its own with a table
 * `effects(id, n)`.
 */
export async function openConsumerParts(
  options: Readonly<{ topics: readonly string[]; partitions: number; connections?: number }>,
) {
  await using parts = new AsyncDisposableStack();
  const log = makeLog({}, "error");
  const env = { ...process.env, KAFKA_PREFIX: `bench-${crypto.randomUUID().slice(0, 8)}-` };
  const broker: Broker = parts.use(await openBroker(readConfig(kafkaSettings, env), { clientId: "bench", log }));
  for (const name of options.topics) {
    const configs = { "retention.ms": "604800000" };
    await broker.admin.createTopic({ name, partitions: options.partitions, configs });
    parts.defer(() => broker.admin.deleteTopic(name));
  }
  const database = parts.use(await freshDatabase({ used: false }));
  const poolSize = options.connections ?? consumerConnections;
  const settings = { url: database.url, directUrl: null, statementMs: 60_000 };
  const db = parts.use(await openDb(settings, { role: "bench", poolSize, log }));
  await assertDurable(db.sql);
  await db.sql`create table effects (id uuid primary key, n int not null)`;
  const registry = openRegistry(readConfig(registrySettings, env));
  for (const { subject, current } of await readSchemas())
    await registry.register(subject, JSON.stringify(current.schema));
  const codec = await openCodec({ registry, db, log });
  const producer = parts.use(await broker.producer());
  const opened = parts.move();
  return {
    broker,
    db,
    codec,
    /** Sends as many records over so many keys, the keys by turns. */
    fill: async (topic: string, records: number, keys: number): Promise<void> => {
      for (let from = 0; from < records; from += 1000)
        await producer.send(
          Array.from({ length: Math.min(1000, records - from) }, (_, n) => makeRecord(codec, topic, from + n, keys)),
        );
    },
    /** Forgets effects and what the group has handled, and throws unless every one of `records` had its effect once. */
    settle: async (records: number): Promise<void> => {
      const [row] = await db.sql<{ rows: number; ids: number }[]>`
        select count(*)::int as rows, count(distinct id)::int as ids from effects`;
      if (row?.rows !== records || row.ids !== records)
        throw new Error(`${records} records had ${row?.rows} effects of ${row?.ids}`);
      await db.sql`truncate effects, inbox`;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function makeRecord(codec: Codec, topic: string, n: number, keys: number): OutgoingRecord {
  const key = `00000000-0000-7000-8000-${(n % keys).toString(16).padStart(12, "0")}`;
  const updated_fields = { title: `Task ${n}`, priority: "High", tags: ["home", "soon"] };
  const envelope = writeEnvelope({
    id: uuidV7(),
    time: new Date(),
    source: "task-service",
    type: "TaskUpdated",
    subject: key,
    contentType: messageContentType,
    correlationId: key,
    causationId: null,
    traceparent: null,
  });
  return {
    topic,
    timestamp: Date.now(),
    key,
    value: codec.encode("TaskUpdated", { id: key, user_id: key, updated_fields, timestamp: new Date() }),
    headers: kafkaHeaders(envelope, n + 1),
  };
}
