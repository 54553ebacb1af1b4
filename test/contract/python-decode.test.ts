import { expect, test } from "bun:test";
import { join } from "node:path";
import { openCodec } from "../../shared/avro/codec.ts";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openRegistry } from "../../shared/avro/registry.ts";
import { readSchemas, schemasFolder } from "../../shared/avro/files.ts";
import { fullName } from "../../shared/avro/json.ts";
import { recordDecoder, recordType } from "../../shared/avro/record-type.ts";
import { maxMessageBytes, topicNames } from "../../shared/messages/topics.ts";
import { readNewest } from "../../workers/operator/read-newest.ts";
import { findPython, lacks, runPython } from "../support/python.ts";
import { stack } from "../support/stack.ts";

const python = await findPython();

test.skipIf(lacks(python))(
  `a consumer in Python decodes every record of every topic, knowing only the registry${python.why}`,
  async () => {
    const registryUrl = stack().schemaRegistryUrl;
    const registry = openRegistry({ url: registryUrl, user: null, password: null, timeoutMs: 5000 });
    const log = makeLog({}, "error");
    const histories = await readSchemas();
    for (const { subject, current } of histories) await registry.register(subject, JSON.stringify(current.schema));
    const codec = await openCodec({ registry, log });

    // Written through Kafka and read back, so that what Python sees are the bytes a foreign consumer would see.
    await using kafka = await ownTopics();
    const written: Readonly<{ name: string; data: unknown }>[] = [];
    for (const { topic, type, current } of histories) {
      const decode = recordDecoder(recordType(current.schema), recordType(current.schema));
      const file = Bun.file(join(schemasFolder, current.path.replace(".avsc", ".golden.json")));
      for (const { bytes, value } of (await file.json()) as readonly { bytes: string; value: unknown }[]) {
        const data = decode(Buffer.from(bytes, "hex"), 0) as never;
        await kafka.send(topic, codec.encode(type, data));
        written.push({ name: fullName(current.schema), data: value });
      }
    }
    const lines = await Promise.all(topicNames.map((topic) => kafka.read(topic)));
    expect(lines.flat()).toHaveLength(written.length);
    const input = lines.flat().map((value) => `${JSON.stringify({ value: Buffer.from(value).toString("base64") })}\n`);
    const output = await runPython(python, [join(import.meta.dir, "python_decode.py"), registryUrl], input.join(""));
    const decoded = output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(decoded).toHaveLength(written.length);
    for (const record of written) expect(decoded).toContainEqual(record);
  },
  120_000,
);

async function ownTopics() {
  const env = { KAFKA_BROKERS: stack().kafkaBrokers, KAFKA_PREFIX: `python-${crypto.randomUUID().slice(0, 8)}.` };
  const broker = await openBroker(readConfig(kafkaSettings, env), {
    clientId: "python-test",
    log: makeLog({}, "error"),
  });
  const configs = { "max.message.bytes": String(maxMessageBytes) };
  for (const name of topicNames) await broker.admin.createTopic({ name, partitions: 2, configs });
  const producer = await broker.producer();
  return {
    send: (topic: string, value: Uint8Array) =>
      producer.send([{ topic, timestamp: Date.now(), key: crypto.randomUUID(), value, headers: [] }]),
    read: async (topic: string) =>
      (await readNewest(broker, topic, 1000)).flatMap(({ value }) => (value === null ? [] : [value])),
    [Symbol.asyncDispose]: async () => {
      await producer[Symbol.asyncDispose]();
      for (const name of topicNames) await broker.admin.deleteTopic(name);
      await broker[Symbol.asyncDispose]();
    },
  };
}
