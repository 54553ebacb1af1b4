import { expect, setDefaultTimeout, test } from "bun:test";
import {
  consumerWorld,
  event,
  group,
  record,
  topic,
  type Consumer,
  type ConsumerWorld,
} from "../support/consumer-world.ts";
import { partitionOf } from "../../shared/kafka/partition.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);
const patience = { timeoutMs: 25_000 };
const timing = { lookEveryMs: 50 };
const zero = { topic, partition: 0 };

const keys = (count: number, of: number) => Array.from({ length: count }, (_, n) => `k${n % of}`);
const alarms = (consumer: Consumer) => consumer.lines.filter(({ event: name }) => name === "consumer_alarm");
const effectsOf = async (world: ConsumerWorld, key: string) =>
  (await world.effects()).filter((effect) => effect.key === key).map(({ n }) => n);

/** A key of each of three partitions. */
const of = [0, 1, 2].map((partition) => {
  for (let n = 0; ; n++) if (partitionOf(`key${n}`, 3) === partition) return `key${n}`;
});

test("holes of a log, at its start, between records and at its end, are passed over, committed and counted", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  const sent = await world.send(keys(10, 1));
  for (const offset of [0n, 4n, 5n]) world.fake?.tearOut(zero, offset);
  world.fake?.mark(zero);
  world.fake?.mark(zero);
  const consumer = world.start({ timing });
  await until("the commit at the end, 12", () => world.caughtUp(), patience);
  expect((await world.effects()).map(({ id }) => id)).toEqual(sent.filter((_, n) => ![0, 4, 5].includes(n)));
  expect(alarms(consumer)).toEqual([]);
  expect(await consumer.metrics.text()).toMatch(/consumer_passed_offsets_total\{[^}]*topic="task-events"[^}]*\} 5\n/);
  world.fake?.mark(zero);
  await world.send(keys(1, 1), 11);
  await until("what comes behind one more", async () => (await world.effects()).length === 8, patience);
});

test("a partition whose log was cut off below the position stands; the others of its member, and its group, go on", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 3 });
  await world.send([...of, ...of]);
  const first = world.start({});
  await until("all commits", () => world.caughtUp(), patience);
  await first.stop();
  await world.send([...of, ...of], 3);
  world.fake?.truncate(zero, 3n);
  const members = [world.start({ timing }), world.start({ timing })];
  for (const key of of.slice(1))
    await until(`4 effects of ${key}`, async () => (await effectsOf(world, key)).length === 4, patience);
  await until("an alarm", () => members.some((member) => alarms(member).length > 0), patience);
  await world.send(of, 5);
  for (const key of of.slice(1))
    await until(`5 effects of ${key}`, async () => (await effectsOf(world, key)).length === 5, patience);
  expect(await effectsOf(world, of[0] ?? "")).toEqual([1, 2]);
  expect(world.fake?.members(group)).toBe(2);
  const texts = await Promise.all(members.map(({ metrics }) => metrics.text()));
  expect(texts.join("").match(/consumer_partition_standing\{.*\} 1/g)).toHaveLength(1);
  expect(texts.join("")).toMatch(/consumer_partition_standing\{[^}]*partition="0"[^}]*\} 1\n/);
  const standing = members[alarms(members[0] as Consumer).length > 0 ? 0 : 1];
  expect(standing?.notes()).toEqual(["stands still at task-events/0: records are missing"]);
  expect(standing?.ready()).toBe(true);
});

test("records that are deleted while they wait to be read make their partition stand, also where nothing comes after them", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  await world.send(keys(10, 1));
  world.fake?.withhold(zero, 4n);
  for (let n = 5; n < 10; n++) world.fake?.withhold(zero, BigInt(n));
  const consumer = world.start({ timing });
  await until("four effects", async () => (await world.effects()).length === 4, patience);
  world.fake?.truncate(zero, 10n);
  await until("the alarm", () => alarms(consumer).length > 0, patience);
  expect(alarms(consumer)[0]).toMatchObject({ partition: "task-events/0", reason: "cut_off" });
});

test("a record no client is given, though the log has it, makes its partition stand once a second client leaves it out", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 3 });
  await world.send([...of, ...of, ...of]);
  world.fake?.withhold(zero, 1n);
  const consumer = world.start({ timing });
  await until("the alarm", () => alarms(consumer).length > 0, patience);
  await world.send(of, 4);
  for (const key of of.slice(1))
    await until(`4 effects of ${key}`, async () => (await effectsOf(world, key)).length === 4, patience);
  expect(alarms(consumer)).toMatchObject([{ partition: "task-events/0", reason: "skipped" }]);
  expect(await effectsOf(world, of[0] ?? "")).toEqual([1]);
});

test.each([
  ["and is still shorter than what was read", 2],
  ["and has grown beyond what was read", 9],
])("a log that lost its end %s is told of, and nothing new is taken for repeated", async (_, again) => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 3 });
  await world.send(Array.from({ length: 8 }, () => of).flat());
  const consumer = world.start({ timing: { lookEveryMs: 3_600_000 } });
  await until("all commits", () => world.caughtUp(), patience);
  world.fake?.cutOff(zero, 4n);
  await world.send(
    Array.from({ length: again }, () => of[0] ?? ""),
    100,
  );
  await until("the alarm", () => alarms(consumer).length > 0, patience);
  expect(alarms(consumer)[0]).toMatchObject({ partition: "task-events/0", reason: "shortened" });
  await world.send(of.slice(1), 9);
  for (const key of of.slice(1))
    await until(`9 effects of ${key}`, async () => (await effectsOf(world, key)).length === 9, patience);
  expect(await effectsOf(world, of[0] ?? "")).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test("a log that lost its end and grew beyond the commit while nobody read it is told of by each who reads it next", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 3 });
  await world.send(Array.from({ length: 8 }, () => of).flat());
  const first = world.start({});
  await until("all commits", () => world.caughtUp(), patience);
  await first.stop();
  world.fake?.cutOff(zero, 4n);
  await world.send(
    Array.from({ length: 9 }, () => of[0] ?? ""),
    100,
  );
  for (const n of [9, 10]) {
    const next = world.start({});
    await until("the alarm", () => alarms(next).length > 0, patience);
    expect(alarms(next)).toMatchObject([{ partition: "task-events/0", reason: "shortened" }]);
    await world.send(of.slice(1), n);
    for (const key of of.slice(1))
      await until(`${n} effects of ${key}`, async () => (await effectsOf(world, key)).length === n, patience);
    await next.stop();
  }
  expect(await effectsOf(world, of[0] ?? "")).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test("a later leader whose log has nothing left of what was committed is read on", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  await world.send(keys(8, 1));
  const first = world.start({});
  await until("all commits", () => world.caughtUp(), patience);
  await first.stop();
  world.fake?.truncate(zero, 8n);
  world.fake?.cutOff(zero, 8n);
  await world.send(keys(2, 1), 9);
  const next = world.start({});
  await until("both", async () => (await world.effects()).length === 10, patience);
  expect(alarms(next)).toEqual([]);
});

test("a log that lost its end and got nothing since is told of", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  await world.send(keys(8, 1));
  const consumer = world.start({ timing });
  await until("all commits", () => world.caughtUp(), patience);
  world.fake?.cutOff(zero, 4n);
  await until("the alarm", () => alarms(consumer).length > 0, patience);
  expect(alarms(consumer)[0]).toMatchObject({ reason: "shortened", position: 8, end: 4 });
});

test("a leader that changes and keeps the log changes nothing", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  await world.send(keys(4, 1));
  const consumer = world.start({ timing });
  await until("all commits", () => world.caughtUp(), patience);
  world.fake?.cutOff(zero, 4n);
  await world.send(keys(4, 1), 5);
  await until("all effects", async () => (await world.effects()).length === 8, patience);
  expect(alarms(consumer)).toEqual([]);
});

test("partitions that are added while a group reads are read by it, each once", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 2 });
  const members = [world.start({ timing }), world.start({ timing })];
  await until("both joined", () => members.every((member) => member.ready()), patience);
  const sent = [...(await world.send(keys(20, 10)))];
  world.fake?.addPartitions(topic, 6);
  sent.push(...(await world.send(keys(20, 10), 3)));
  await until("all commits", () => world.caughtUp(), patience);
  expect((await world.effects()).map(({ id }) => id).toSorted()).toEqual(sent.toSorted());
  await world.sendRaw([event("later", 1)]);
  await until("what comes later", async () => (await effectsOf(world, "later")).length === 1, patience);
});

test("the same reader stays well when its log is asked in vain", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  await world.send(keys(4, 1));
  const consumer = world.start({ handle: record(), timing });
  await until("all commits", () => world.caughtUp(), patience);
  const { fake } = world;
  fake?.mark(zero);
  fake?.setDown(true);
  await until("a failure", () => consumer.lines.some(({ event: name }) => name === "client_failed"), patience);
  fake?.setDown(false);
  await until("the marker is passed", () => world.caughtUp(), patience);
});
