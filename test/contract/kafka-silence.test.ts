import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { sendFailureOf, type Broker } from "../../shared/messages/broker.ts";
import { readConfig } from "../../shared/role/config.ts";
import { openAdmin } from "../../shared/kafka/administer.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeNaming } from "../../shared/kafka/naming.ts";
import { openProducer } from "../../shared/kafka/produce.ts";
import { clientOptions } from "../../shared/kafka/settings.ts";
import { loadRdKafka } from "../../shared/librdkafka/load.ts";
import { openProducer as openRdKafkaProducer } from "../../shared/librdkafka/produce.ts";
import { rdKafkaOptions } from "../../shared/librdkafka/settings.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openSilence, type Silence } from "../support/silence.ts";
import { stack } from "../support/stack.ts";

setDefaultTimeout(60_000);

const log = makeLog({}, "error");
const prefix = `silence-${crypto.randomUUID().slice(0, 8)}.`;
const topic = "task-events";
const config = (brokers: string) => readConfig(kafkaSettings, { KAFKA_BROKERS: brokers, KAFKA_PREFIX: prefix });
const record = (value: string) => ({ topic, timestamp: Date.now(), key: "k", value: Buffer.from(value), headers: [] });

let broker: Broker;
let silence: Silence;
beforeAll(async () => {
  broker = await openBroker(config(stack().kafkaBrokers), { clientId: "silence", log });
  await broker.admin.createTopic({ name: topic, partitions: 1, configs: {} });
  silence = await openSilence(stack().kafkaBrokers);
});
afterAll(async () => {
  await silence?.[Symbol.asyncDispose]();
  await broker?.admin.deleteTopic(topic);
  await broker?.[Symbol.asyncDispose]();
});

const first = () => openProducer(clientOptions(config(silence.address), "silence"), makeNaming(prefix), log, 3_000);
/** Under Node too; there `broker-librdkafka.test.ts` runs this file. */
const second = async () => {
  const client = await loadRdKafka();
  if ("reason" in client) throw new Error(client.reason);
  console.log(`librdkafka ${client.librdkafkaVersion}, Node ${process.version}`);
  const base = rdKafkaOptions(config(silence.address), "silence");
  return openRdKafkaProducer(client, base, makeNaming(prefix), log, () => {}, 3_000);
};

test.each([["the first driver", first], ...("Bun" in globalThis ? [] : [["librdkafka", second] as const])])(
  "%s: a send to a broker that takes connections and answers nothing is given up, and the next one is not stuck behind it",
  async (_, open) => {
    await using producer = await open();
    const before = (await broker.admin.offsets(topic, "end")).get(0) ?? 0n;
    silence.set(true);
    const failures = await Promise.all(
      ["a", "b"].map((value) => producer.send([record(value)]).then(() => null, sendFailureOf)),
    );
    expect(failures).toEqual(["unreachable", "unreachable"]);
    expect(silence.connections()).toBeGreaterThan(0);
    silence.set(false);
    await producer.send([record("c")]);
    expect(await broker.admin.offsets(topic, "end")).toEqual(new Map([[0, before + 1n]]));
  },
);

test("a question to such a broker is given up too, and what was asked is told", async () => {
  await using admin = openAdmin(clientOptions(config(silence.address), "silence"), makeNaming(prefix), log, 1_000);
  silence.set(true);
  const failure = await admin.groups().then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({
    code: "TIMEOUT",
    message: "Kafka was asked to list its groups: no answer in 1000 ms",
  });
});
