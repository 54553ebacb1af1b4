import { expect, setDefaultTimeout, test } from "bun:test";
import { Admin as KafkaAdmin, Producer, compatibilityPartitioner } from "@platformatic/kafka";
import type { Admin, OutgoingRecord } from "../../shared/messages/broker.ts";
import { partitionOf } from "../../shared/kafka/partition.ts";
import { topicNames } from "../../shared/messages/topics.ts";
import { resetConsumerGroup } from "../../workers/operator/actions/reset-consumer-group.ts";
import { measureLag } from "../../workers/operator/measure-lag.ts";
import { readNewest } from "../../workers/operator/read-newest.ts";
import { consumerWorld, event, group, topic, type Consumer } from "../support/consumer-world.ts";
import { stack } from "../support/stack.ts";
import { makeAnew } from "../support/make-anew.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(90_000);
const patience = { timeoutMs: 40_000 };
const timing = { lookEveryMs: 300 };
const bootstrapBrokers = stack().kafkaBrokers.split(",");
const alarms = (consumer: Consumer) => consumer.lines.filter(({ event: name }) => name === "consumer_alarm");
const zero = { topic, partition: 0 };

/** Another's tool, which writes in transactions. */
function openForeign() {
  const client = new Producer({
    clientId: "foreign",
    bootstrapBrokers,
    idempotent: true,
    transactionalId: crypto.randomUUID(),
    timeout: 60_000, // of a transaction, too: after 5 s, as usual here, the broker may end it
    partitioner: compatibilityPartitioner,
  });
  return {
    transaction: async (records: readonly OutgoingRecord[], prefix: string, outcome: "commit" | "abort" | "open") => {
      const transaction = await client.beginTransaction();
      await transaction.send({
        messages: records.map(({ topic: name, key, value, headers }) => ({
          topic: prefix + name,
          ...(key === null ? {} : { key: Buffer.from(key) }),
          ...(value === null ? {} : { value: Buffer.from(value) }),
          headers: new Map(headers.map(([header, content]) => [Buffer.from(header), Buffer.from(content)])),
        })),
      });
      if (outcome === "commit") await transaction.commit();
      if (outcome === "abort") await transaction.abort();
      return transaction;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Those the operator's figures ask about, too. */
async function makeOtherTopics({ createTopic }: Admin): Promise<void> {
  for (const name of topicNames) if (name !== topic) await createTopic({ name, partitions: 1, configs: {} });
}

test("transactions of others leave markers, which are passed, and aborted records, which have no effect", async () => {
  await using world = await consumerWorld({ kafka: "real", partitions: 1 });
  await using foreign = openForeign();
  const { prefix } = world;
  await world.send(["a"]);
  await foreign.transaction([event("a", 2)], prefix, "commit");
  // Two aborted by one producer within one fetch: the client's own filter knows the last of them only.
  await foreign.transaction([event("a", 90), event("a", 91)], prefix, "abort");
  await foreign.transaction([event("a", 3)], prefix, "commit");
  await foreign.transaction([event("a", 92)], prefix, "abort");
  await world.send(["a"], 4);
  await foreign.transaction([event("a", 5)], prefix, "commit");
  const consumer = world.start({ timing });
  await until("everything is committed, the last marker too", () => world.caughtUp(), patience);
  expect((await world.effects()).map(({ n }) => n)).toEqual([1, 2, 3, 4, 5]);
  expect(alarms(consumer)).toEqual([]);
  await consumer.stop();

  const from = new Map([[0, 0n]]);
  const [end = 0n] = (await world.broker.admin.offsets(topic, "end")).values();
  const stop = new AbortController();
  const seen: bigint[] = [];
  for await (const { records, next } of world.broker.tail({ topic, from, signal: stop.signal })) {
    seen.push(...records.map(({ offset }) => offset));
    if (next.get(0) === end) break;
  }
  stop.abort();
  expect(seen).toHaveLength(5);
  expect(await world.broker.admin.nextRecord({ ...zero, offset: (seen.at(-1) ?? 0n) + 1n })).toBe(end);
  expect(await world.broker.admin.nextRecord({ ...zero, offset: 2n })).toBe(seen[2] as bigint);
  expect((await readNewest(world.broker, topic, 3)).length).toBeGreaterThan(0);
  expect(await world.broker.admin.read(topic, new Map([[0, 3n]]))).toMatchObject([{ offset: seen[2] as bigint }]);
});

test("what a transaction has written is neither read nor missed before it is committed", async () => {
  await using world = await consumerWorld({ kafka: "real", partitions: 1 });
  await using foreign = openForeign();
  const consumer = world.start({ timing: { ...timing, stuckMs: 3_000, watchEveryMs: 200 } });
  await world.send(["a"]);
  const open = await foreign.transaction([event("a", 2)], world.prefix, "open");
  await world.send(["a"], 3);
  await until("the first", async () => (await world.effects()).length === 1, patience);
  expect(await world.broker.admin.offsets(topic, "end")).toEqual(new Map([[0, 1n]]));
  await Bun.sleep(7_500); // longer than a member may stand still with records to read
  expect(consumer.lines.filter(({ event: name }) => name === "client_failed")).toEqual([]);
  await open.commit();
  await until("all", async () => (await world.effects()).length === 3, patience);
  expect((await world.effects()).map(({ n }) => n)).toEqual([1, 2, 3]);
});

test("after a loss the runbook's commands get the partition going, and nothing else had to stand", async () => {
  await using world = await consumerWorld({ kafka: "real", partitions: 3 });
  const of = [0, 1, 2].map((partition) => {
    for (let n = 0; ; n++) if (partitionOf(`key${n}`, 3) === partition) return `key${n}`;
  });
  const first = world.start({});
  await world.send(of);
  await until("all commits", () => world.caughtUp(), patience);
  await first.stop();
  await world.send([...of, ...of], 2);
  const admin = new KafkaAdmin({ clientId: "cut", bootstrapBrokers });
  await admin.deleteRecords({
    topics: [{ name: world.prefix + topic, partitions: [{ partition: 0, offset: 2n }] }],
  });
  await admin.close();
  const second = world.start({ timing });
  await until("the alarm", () => alarms(second).length > 0, patience);
  expect(alarms(second)).toMatchObject([{ partition: "task-events/0", reason: "cut_off", committed: 1, start: 2 }]);
  await until("the other keys", async () => (await world.effects()).length === 7, patience);
  expect((await world.effects()).filter(({ key }) => key === of[0])).toHaveLength(1);
  const { db, broker } = world;
  await makeOtherTopics(broker.admin);
  const reset = () =>
    resetConsumerGroup(
      { db, admin: broker.admin },
      { group, to: "earliest", force: false },
      { by: { who: "test", via: "cli", reason: "log was cut off" }, dryRun: false },
    );
  expect(reset()).rejects.toMatchObject({ code: "REFUSED" });
  await reset().catch(() => {});
  await second.stop();
  await reset();
  const third = world.start({ timing });
  await until("all commits", () => world.caughtUp(), patience);
  expect(alarms(third)).toEqual([]);
  expect((await world.effects()).filter(({ key }) => key === of[0]).map(({ n }) => n)).toEqual([1, 3]);
});

test("partitions that are added are read by a running group, each record once", async () => {
  await using world = await consumerWorld({ kafka: "real", partitions: 2 });
  const members = [world.start({ timing }), world.start({ timing })];
  const keys = Array.from({ length: 12 }, (_, n) => `k${n}`);
  const sent = [...(await world.send(keys))];
  await until("twelve", async () => (await world.effects()).length === 12, patience);
  const admin = new KafkaAdmin({ clientId: "grow", bootstrapBrokers });
  await admin.createPartitions({ topics: [{ name: world.prefix + topic, count: 6 }] });
  await admin.close();
  // A new producer knows of them at once; the other one within half a minute.
  const producer = await world.broker.producer();
  const later = keys.map((key) => event(key, 2));
  await producer.send(later);
  await producer[Symbol.asyncDispose]();
  await until("all of them", async () => (await world.effects()).length === 24, patience);
  await until("all commits", () => world.caughtUp(), patience);
  expect(new Set((await world.effects()).map(({ id }) => id)).size).toBe(sent.length + later.length);
  expect(members.flatMap(alarms)).toEqual([]);
});

test("the lag of a group that does not run counts no markers", async () => {
  await using world = await consumerWorld({ kafka: "real", partitions: 1 });
  await using foreign = openForeign();
  const consumer = world.start({});
  await world.send(["a"]);
  await until("all commits", () => world.caughtUp(), patience);
  await consumer.stop();
  await foreign.transaction([event("a", 9)], world.prefix, "abort");
  await makeOtherTopics(world.broker.admin);
  const lag = (await measureLag(world.broker.admin, new Date())).find(
    (one) => one.group === group && one.topic === topic,
  );
  expect(lag).toMatchObject({ messages: 0, seconds: 0 });
});

test("a tail that grows reads partitions that are added, from their first record", async () => {
  await using world = await consumerWorld({ kafka: "real", partitions: 1 });
  const stop = new AbortController();
  const seen: number[] = [];
  let known = 0;
  const reading = (async () => {
    const options = { topic, from: new Map([[0, 0n]]), grows: true, signal: stop.signal };
    for await (const { records, partitions } of world.broker.tail(options)) {
      seen.push(...records.map(({ partition }) => partition));
      known = partitions;
    }
  })();
  await until("an answer", () => known === 1, patience);
  const admin = new KafkaAdmin({ clientId: "grow", bootstrapBrokers });
  await admin.createPartitions({ topics: [{ name: world.prefix + topic, count: 4 }] });
  await admin.close();
  const producer = await world.broker.producer();
  await producer.send(Array.from({ length: 20 }, (_, n) => event(`k${n}`, 1)));
  await producer[Symbol.asyncDispose]();
  await until("all twenty", () => seen.length === 20, patience);
  stop.abort();
  await reading;
  expect(known).toBe(4);
  expect(new Set(seen).size).toBe(4);
});

test("a tail whose topic is deleted and made again, with more records than it has read, says so and gives none of them", async () => {
  await using world = await consumerWorld({ kafka: "real", partitions: 1 });
  const { admin } = world.broker;
  await world.send(["a", "a"]);
  const stop = new AbortController();
  const seen: bigint[] = [];
  const reading = (async () => {
    for await (const { records } of world.broker.tail({ topic, from: new Map([[0, 0n]]), signal: stop.signal }))
      seen.push(...records.map(({ offset }) => offset));
    return "stopped";
  })().catch((error: unknown) => error);
  await until("both", () => seen.length === 2, patience);
  await makeAnew(admin, topic);
  await using other = await world.broker.producer();
  await other.send([3, 4, 5, 6].map((n) => event("a", n)));
  const late = setTimeout(() => stop.abort(), 30_000);
  expect(await reading).toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
  clearTimeout(late);
  expect(seen).toEqual([0n, 1n]);
});
