import { expect, setDefaultTimeout, test } from "bun:test";
import type { FetchedRecord } from "../../shared/messages/broker.ts";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { consumerWorld, event, group, topic } from "../support/consumer-world.ts";
import { openRedpandaProtocol } from "../support/redpanda-protocol.ts";
import { stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(90_000);

// Every call of the driver, in the versions of Kafka's protocol that Redpanda has: older ones than Kafka 4.3 speaks
// otherwise, without topic ids. It says nothing of what Redpanda itself does with them.
test("all of the broker port works in the protocol versions of Redpanda", async () => {
  await using protocol = await openRedpandaProtocol(stack().kafkaBrokers.split(",")[0] ?? "");
  await using world = await consumerWorld({ kafka: "real", partitions: 3 });
  const settings = readConfig(kafkaSettings, { KAFKA_BROKERS: protocol.broker, KAFKA_PREFIX: world.prefix });
  await using broker = await openBroker(settings, { clientId: "redpanda-protocol", log: makeLog({}, "error") });

  const producer = await broker.producer();
  await producer.send(Array.from({ length: 300 }, (_, n) => event(`k${n % 7}`, n)));
  const consumer = world.start({ broker });
  await until("all is handled", async () => (await world.effects()).length >= 300, { timeoutMs: 40_000 });
  await consumer.stop();

  const { admin } = broker;
  const end = await admin.offsets(topic, "end");
  expect([...end.values()].reduce((sum, offset) => sum + offset, 0n)).toBe(300n);
  const committed = await admin.committed(group);
  expect(new Map(committed.map(({ partition, offset }) => [partition, offset]))).toEqual(new Map(end));
  expect(await admin.offsets(topic, "start")).toEqual(new Map([...end.keys()].map((partition) => [partition, 0n])));

  const tailed: FetchedRecord[] = [];
  const from = new Map([...end.keys()].map((partition) => [partition, 0n]));
  for await (const { records } of broker.tail({ topic, from, signal: AbortSignal.timeout(30_000) })) {
    tailed.push(...records);
    if (tailed.length >= 300) break;
  }
  expect(tailed).toHaveLength(300);
  expect(await admin.read(topic, new Map([[0, 0n]]))).not.toHaveLength(0);

  await admin.alterConfigs(topic, { "retention.ms": "86400000" });
  await admin.addPartitions(topic, 4);
  // The broker applies what the controller has decided a moment later.
  await until("both changes", async () => {
    const found = (await admin.topics()).find(({ name }) => name === topic);
    return found?.partitions === 4 && found.configs["retention.ms"] === "86400000";
  });
  expect((await admin.groups()).find(({ name }) => name === group)).toMatchObject({ members: 0 });
  await admin.setOffsets(group, [{ topic, partition: 0, offset: 1n }]);
  await admin.deleteGroup(group);
  await admin.createTopic({ name: "task-commands", partitions: 1, configs: {} });
  await admin.deleteTopic("task-commands");
  // What clears up after this test deletes whatever is listed.
  await until("it is gone", async () => (await admin.topics()).every(({ name }) => name !== "task-commands"));

  // That the older versions were used: no topic ids in Fetch (13) and Metadata (10), no batched FindCoordinator (4).
  expect([0, 1, 3, 10, 11].map((api) => protocol.used.get(api))).toEqual([7, 11, 8, 3, 6]);
});
