import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Producer as TransactionalProducer } from "@platformatic/kafka";
import type {
  Assignment,
  Broker,
  FetchedRecord,
  JoinOptions,
  Member,
  OutgoingRecord,
} from "../../shared/messages/broker.ts";
import { sendFailureOf } from "../../shared/messages/broker.ts";
import { openBroker } from "../../shared/kafka/kafka-broker.ts";
import { partitionOf } from "../../shared/kafka/partition.ts";
import { openRdKafkaBroker } from "../../shared/librdkafka/librdkafka-broker.ts";
import { loadRdKafka } from "../../shared/librdkafka/load.ts";
import { makeLog } from "../../shared/role/log.ts";
import { makeFakeBroker } from "../support/fake-broker.ts";
import { stack } from "../support/stack.ts";
import { settlesWithin } from "../../shared/waiting/wait.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(40_000);

const text = (value: string) => new TextEncoder().encode(value);
const record = (topic: string, key: string, value: string): OutgoingRecord => ({
  topic,
  timestamp: Date.now(),
  key,
  value: text(value),
  headers: [],
});
const values = (records: readonly FetchedRecord[]) => records.map(({ value }) => Buffer.from(value ?? []).toString());

const prefix = `broker-contract-${crypto.randomUUID().slice(0, 8)}.`;
const config = () => ({
  brokers: stack().kafkaBrokers.split(","),
  prefix,
  tls: false,
  tlsCaFile: null,
  tlsCertFile: null,
  tlsKeyFile: null,
  saslMechanism: null,
  saslUsername: null,
  saslPassword: null,
});
const options = { clientId: "contract", log: makeLog({}, "error") };
/**
 * Under Node, where `broker-librdkafka.test.ts` runs this file, the second driver. It alone: `openBroker` would fall
 * back.
 */
const drivers: Record<string, () => Promise<Broker>> =
  "Bun" in globalThis
    ? {
        "the fake broker": () => Promise.resolve(makeFakeBroker()),
        "Kafka through driver 1": () => openBroker(config(), options),
      }
    : {
        "Kafka through driver 2": async () => {
          const client = await loadRdKafka();
          if ("reason" in client) throw new Error(client.reason);
          console.log(`librdkafka ${client.librdkafkaVersion}, Node ${process.version}`);
          return openRdKafkaBroker(client, config(), options);
        },
      };

describe.each(Object.entries(drivers))("%s", (name, open) => {
  let broker: Broker;
  let topicNumber = 0;
  beforeAll(async () => {
    broker = await open();
  });
  afterAll(async () => {
    for (const { name } of await broker.admin.groups()) await broker.admin.deleteGroup(name).catch(() => {});
    for (const { name } of await broker.admin.topics()) await broker.admin.deleteTopic(name);
    await broker[Symbol.asyncDispose]();
  });

  const setup = async (partitions = 2) => {
    const topic = `t${++topicNumber}`;
    await broker.admin.createTopic({ name: topic, partitions, configs: {} });
    // The broker applies what the controller has decided a moment later, and fails who joins before.
    const isKnown = () => broker.admin.topicId(topic).then(Boolean, () => false);
    await until("the topic is known", isKnown);
    const producer = await broker.producer();
    return { topic, producer, group: `g${topicNumber}` };
  };

  /** A member that notes what it is told. */
  const join = async (group: string, topic: string, more: Partial<JoinOptions> = {}) => {
    const seen = {
      records: [] as FetchedRecord[],
      assignments: [] as Assignment[],
      rebalances: 0,
      failed: [] as Error[],
    };
    const member: Member = await broker.join({
      group,
      topics: [topic],
      onRecords: async (records) => {
        seen.records.push(...records);
      },
      onFailed: (error) => seen.failed.push(error),
      ...more,
      onAssigned: (assignment) => {
        seen.assignments.push(assignment);
        more.onAssigned?.(assignment);
      },
      onRebalancing: () => {
        seen.rebalances += 1;
        more.onRebalancing?.();
      },
    });
    await until("an assignment", () => seen.assignments.length > 0, { timeoutMs: 20_000 });
    return { seen, member };
  };

  const readAll = async (topic: string, from: ReadonlyMap<number, bigint>, count: number) => {
    const stop = new AbortController();
    const found: FetchedRecord[] = [];
    for await (const { records } of broker.tail({ topic, from, signal: stop.signal })) {
      found.push(...records);
      if (found.length >= count) stop.abort();
    }
    return found;
  };

  test("a record arrives with its key, bytes and headers, repeated names in order", async () => {
    const { topic, producer } = await setup(1);
    const headers = [
      ["a", text("1")],
      ["b", new Uint8Array([0xff, 0x00])],
      ["a", text("2")],
    ] as const;
    const at = Date.now() - 90_001;
    await producer.send([
      { topic, timestamp: at, key: "k", value: new Uint8Array([0, 1, 255]), headers },
      { topic, timestamp: Date.now(), key: null, value: null, headers: [] },
    ]);
    const [first, second] = await readAll(topic, new Map([[0, 0n]]), 2);
    expect(first).toMatchObject({ topic, partition: 0, offset: 0n, key: "k", generation: 0 });
    expect([...(first?.value ?? [])]).toEqual([0, 1, 255]);
    expect(first?.headers.map(([name, value]) => [name, ...value])).toEqual(
      headers.map(([name, value]) => [name, ...value]),
    );
    expect(first?.timestamp).toBe(at);
    expect([second?.key, second?.value]).toEqual([null, null]);
  });

  test("records of one key stay in one partition, in the order sent", async () => {
    const { topic, producer } = await setup(3);
    const sent = Array.from({ length: 60 }, (_, n) => record(topic, `k${n % 5}`, String(n)));
    await producer.send(sent.slice(0, 30));
    await producer.send(sent.slice(30));
    const found = await readAll(topic, new Map([0, 1, 2].map((partition) => [partition, 0n])), 60);
    for (let key = 0; key < 5; key++) {
      const own = found.filter((one) => one.key === `k${key}`);
      expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
      expect(values(own).map(Number)).toEqual(Array.from({ length: 12 }, (_, n) => n * 5 + key));
    }
  });

  test("a key's partition is the one that every driver, and the Java client, chooses", async () => {
    const { topic, producer } = await setup(3);
    const keys = Array.from({ length: 12 }, (_, n) => `ключ-${n}`);
    await producer.send(keys.map((key) => record(topic, key, key)));
    const found = await readAll(topic, new Map([0, 1, 2].map((partition) => [partition, 0n])), keys.length);
    for (const { key, partition } of found)
      expect({ key, partition }).toEqual({ key, partition: partitionOf(key ?? "", 3) });
  });

  if (name !== "the fake broker")
    test("a member is given what transactions of others have committed, and nothing of what they aborted", async () => {
      const { topic, producer, group } = await setup(1);
      const others = new TransactionalProducer({
        clientId: "foreign",
        bootstrapBrokers: stack().kafkaBrokers.split(","),
        idempotent: true,
        transactionalId: crypto.randomUUID(),
      });
      let end = 1n;
      const transaction = async (value: string, isCommitted: boolean) => {
        const one = await others.beginTransaction();
        await one.send({ messages: [{ topic: prefix + topic, key: Buffer.from("k"), value: Buffer.from(value) }] });
        await (isCommitted ? one.commit() : one.abort());
        // The broker answers before its marker is in the log.
        end += 2n;
        await until("the marker", async () => (await broker.admin.offsets(topic, "end")).get(0) === end);
      };
      await producer.send([record(topic, "k", "1")]);
      await transaction("aborted", false);
      await transaction("2", true);
      await transaction("aborted too", false);
      await producer.send([record(topic, "k", "3")]);
      await others.close();
      const { seen, member } = await join(group, topic);
      await until("the last", () => seen.records.length >= 3);
      expect(values(seen.records)).toEqual(["1", "2", "3"]);
      expect(seen.records.map(({ offset }) => offset)).toEqual([0n, 3n, 7n]);
      expect(await broker.admin.nextRecord({ topic, partition: 0, offset: 4n })).toBe(7n);
      await member[Symbol.asyncDispose]();
    });

  test("a commit of a member that has left its group is not taken", async () => {
    const { topic, producer, group } = await setup(1);
    await producer.send([record(topic, "k", "a")]);
    const { member } = await join(group, topic);
    await member[Symbol.asyncDispose]();
    expect(member.isActive()).toBe(false);
    const failure = await Promise.resolve()
      .then(() => member.commit([{ topic, partition: 0, offset: 1n }]))
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(await broker.admin.committed(group)).toEqual([]);
  });

  test("what is too large is refused, what has no topic is not", async () => {
    const { topic, producer } = await setup(1);
    const noise = crypto.getRandomValues(new Uint8Array(60_000));
    const large = Buffer.concat(
      Array.from({ length: 20 }, () => Buffer.from(noise).map((byte) => byte ^ (Math.random() * 256))),
    );
    const refused = await producer
      .send([{ topic, timestamp: Date.now(), key: "k", value: large, headers: [] }])
      .catch(sendFailureOf);
    expect(refused).toBe("refused");
    const unreachable = await producer.send([record("nowhere", "k", "v")]).catch(sendFailureOf);
    expect(unreachable).toBe("unreachable");
    await producer.send([record(topic, "k", "fits")]);
  });

  test("a time the broker does not take is not the record's fault: it may be sent again", async () => {
    const { topic, producer } = await setup(1);
    const early = { ...record(topic, "k", "v"), timestamp: Date.now() + 2 * 3_600_000 };
    expect(await producer.send([early]).catch(sendFailureOf)).toBe("unreachable");
    await producer.send([{ ...early, timestamp: Date.now() }]);
  });

  test("a tail reads from where it is told and then what comes", async () => {
    const { topic, producer } = await setup(1);
    await producer.send(["a", "b", "c"].map((value) => record(topic, "k", value)));
    const stop = new AbortController();
    const found: string[] = [];
    const reading = (async () => {
      for await (const { records } of broker.tail({ topic, from: new Map([[0, 1n]]), signal: stop.signal }))
        found.push(...values(records));
    })();
    await until("b and c", () => found.length === 2);
    await producer.send([record(topic, "k", "d")]);
    await until("d", () => found.length === 3);
    stop.abort();
    await reading;
    expect(found).toEqual(["b", "c", "d"]);
  });

  test.each([
    ["by its reader", false],
    ["by its signal", true],
  ])("a tail that is left while more waits for its reader ends, %s", async (_, byItsSignal) => {
    const { topic, producer } = await setup(1);
    // More than a fetch takes, however well it is compressed: the next is there before the reader asks for it.
    const large = () => Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString("hex");
    for (let n = 0; n < 12; n++) await producer.send([record(topic, "k", large())]);
    const stop = new AbortController();
    const reading = (async () => {
      for await (const { records } of broker.tail({ topic, from: new Map([[0, 0n]]), signal: stop.signal })) {
        await sleep(1_500);
        if (byItsSignal) stop.abort();
        if (records.length > 0) break;
      }
    })();
    expect(await settlesWithin(10_000, reading)).toBeTrue();
    stop.abort();
  });

  test("a tail that is asked for an offset beyond the log says so", async () => {
    const { topic } = await setup(1);
    const reading = readAll(topic, new Map([[0, 7n]]), 1);
    expect(reading).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
    await reading.catch(() => {});
  });

  test("a member is told its partitions before their records, from the log's start when nothing is committed", async () => {
    const { topic, producer, group } = await setup();
    await producer.send(Array.from({ length: 20 }, (_, n) => record(topic, `k${n}`, String(n))));
    const order: string[] = [];
    const { member } = await join(group, topic, {
      onAssigned: ({ partitions }) =>
        order.push(`assigned ${partitions.length} from ${partitions.map((at) => at.committed)}`),
      onRecords: async (records) => {
        order.push(...values(records));
      },
    });
    await until("all records", () => order.length === 21);
    expect(order[0]).toBe("assigned 2 from 0,0");
    expect(
      order
        .slice(1)
        .map(Number)
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 20 }, (_, n) => n));
    await member[Symbol.asyncDispose]();
  });

  test("the next member goes on from the commit and is told the log's bounds", async () => {
    const { topic, producer, group } = await setup(1);
    await producer.send(["a", "b", "c"].map((value) => record(topic, "k", value)));
    const first = await join(group, topic);
    await until("three records", () => first.seen.records.length === 3);
    await first.member.commit([{ topic, partition: 0, offset: 1n }]);
    expect(await broker.admin.committed(group)).toEqual([{ topic, partition: 0, offset: 1n }]);
    const { leaderEpoch = -1 } = first.seen.records[1] ?? {};
    expect(leaderEpoch).toBeGreaterThanOrEqual(0);
    await first.member.commit([{ topic, partition: 0, offset: 2n, leaderEpoch }]);
    expect(await broker.admin.committed(group)).toEqual([{ topic, partition: 0, offset: 2n, leaderEpoch }]);
    await first.member[Symbol.asyncDispose]();
    const second = await join(group, topic);
    await until("the rest", () => second.seen.records.length > 0);
    expect(second.seen.assignments[0]?.partitions).toMatchObject([
      { topic, partition: 0, committed: 2n, leaderEpoch, start: 0n, end: 3n },
    ]);
    expect(values(second.seen.records)).toEqual(["c"]);
    await second.member[Symbol.asyncDispose]();
  });

  test("members share partitions, are told of rebalances and take over from one who leaves", async () => {
    const { topic, producer, group } = await setup(4);
    const first = await join(group, topic);
    expect(first.seen.assignments.at(-1)?.partitions.length).toBe(4);
    const second = await join(group, topic);
    await until("both have two", () =>
      [first, second].every(({ seen }) => seen.assignments.at(-1)?.partitions.length === 2),
    );
    if (name === "the fake broker") expect(first.seen.rebalances).toBe(1);
    // A broker may make two of it, as where a join is late.
    else expect(first.seen.rebalances).toBeGreaterThanOrEqual(1);
    const generations = first.seen.assignments.map(({ generation }) => generation);
    expect(generations.at(-1)).toBeGreaterThan(generations[0] ?? 0);
    await first.member[Symbol.asyncDispose]();
    await until("the second has all", () => second.seen.assignments.at(-1)?.partitions.length === 4, {
      timeoutMs: 20_000,
    });
    await producer.send(Array.from({ length: 20 }, (_, n) => record(topic, `k${n}`, String(n))));
    await until("all records", () => second.seen.records.length >= 20);
    expect(
      second.seen.records.every(({ generation }) => generation === second.seen.assignments.at(-1)?.generation),
    ).toBe(true);
    await second.member[Symbol.asyncDispose]();
  });

  test("a commit begun inside the rebalance event is taken", async () => {
    const { topic, producer, group } = await setup(1);
    await producer.send([record(topic, "k", "a")]);
    const commits: Promise<void>[] = [];
    let member: Member | null = null;
    const first = await join(group, topic, {
      onRebalancing: () => {
        if (member !== null) commits.push(member.commit([{ topic, partition: 0, offset: 1n }]));
      },
    });
    member = first.member;
    const second = await join(group, topic);
    await until("the commit", () => commits.length > 0);
    await commits[0];
    expect(await broker.admin.committed(group)).toEqual([{ topic, partition: 0, offset: 1n }]);
    await first.member[Symbol.asyncDispose]();
    await second.member[Symbol.asyncDispose]();
  });

  test("a member holds back while its records are worked on", async () => {
    const { topic, producer, group } = await setup(1);
    let working = 0;
    let most = 0;
    let seen = 0;
    const { member } = await join(group, topic, {
      onRecords: async (records) => {
        most = Math.max(most, ++working);
        await sleep(5); // longer than delivering takes: overlapping calls would show
        seen += records.length;
        working -= 1;
      },
    });
    for (let n = 0; n < 10; n++) await producer.send([record(topic, "k", String(n))]);
    await until("all records", () => seen === 10);
    expect(most).toBe(1);
    await member[Symbol.asyncDispose]();
  });

  test("a group rebalances while a member works on its records for long, and nothing is left out", async () => {
    const { topic, producer, group } = await setup(2);
    const send = (from: number) =>
      producer.send(Array.from({ length: 20 }, (_, n) => record(topic, `k${n}`, String(from + n))));
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const delivered: FetchedRecord[] = [];
    const note = (records: readonly FetchedRecord[]) => void delivered.push(...records);
    await send(0);
    let isWorking = false;
    const first = await join(group, topic, {
      onRecords: async (records) => {
        isWorking = true;
        await released;
        note(records);
      },
      // It ends its work as soon as it hears of the rebalance: whatever a driver had stopped meanwhile must go on after
      // it.
      onRebalancing: release,
    });
    await until("work", () => isWorking);
    await send(20);
    await sleep(1_000); // longer than a driver waits before it stops fetching
    const second = await join(group, topic, { onRecords: async (records) => note(records) });
    await until("both own one", () =>
      [first, second].every(({ seen }) => seen.assignments.at(-1)?.partitions.length === 1),
    );
    await send(40);
    await until("all records", () => new Set(values(delivered)).size === 60);
    for (const { seen, member } of [first, second]) {
      expect(seen.failed).toEqual([]);
      await member[Symbol.asyncDispose]();
    }
  });

  test("a member may await its commits while it works on records", async () => {
    const { topic, producer, group } = await setup(1);
    const all = 60;
    await producer.send(Array.from({ length: all }, (_, n) => record(topic, "k", String(n))));
    let committed = 0n;
    let member: Member | null = null;
    const joined = await join(group, topic, {
      onRecords: async (records) => {
        while (member === null) await sleep(5); // records may come before `join` has resolved
        for (const { offset } of records) {
          await member.commit([{ topic, partition: 0, offset: offset + 1n }]);
          committed = offset + 1n;
        }
      },
    });
    member = joined.member;
    await until("all", () => committed === BigInt(all));
    await member[Symbol.asyncDispose]();
    expect(await broker.admin.committed(group)).toEqual([{ topic, partition: 0, offset: BigInt(all) }]);
  });

  test("topics are listed while others are deleted", async () => {
    const { topic } = await setup(1);
    const going = Array.from({ length: 40 }, (_, n) => `${topic}-going-${n}`);
    await Promise.all(going.map((name) => broker.admin.createTopic({ name, partitions: 1, configs: {} })));
    let areGone = false;
    const deleting = (async () => {
      for (const name of going) await broker.admin.deleteTopic(name);
    })().finally(() => (areGone = true));
    const list = async () => {
      while (!areGone) expect((await broker.admin.topics()).map(({ name }) => name)).toContain(topic);
    };
    await Promise.all([list(), list(), list(), list()]);
    await deleting;
  });

  test("administration shows topics, bounds, groups and single records", async () => {
    const { topic, producer, group } = await setup(2);
    await broker.admin.createTopic({ name: topic, partitions: 5, configs: {} });
    await broker.admin.alterConfigs(topic, { "retention.ms": "3600000" });
    const state = async () => (await broker.admin.topics()).find(({ name }) => name === topic);
    // The broker applies what the controller has decided a moment later.
    await until("the change", async () => (await state())?.configs["retention.ms"] === "3600000");
    expect((await state())?.partitions).toBe(2);
    await producer.send([record(topic, "a", "one")]);
    const ends = await broker.admin.offsets(topic, "end");
    const starts = await broker.admin.offsets(topic, "start");
    expect([...ends.values()].toSorted()).toEqual([0n, 1n]);
    expect([...starts.values()]).toEqual([0n, 0n]);
    expect(values(await broker.admin.read(topic, starts))).toEqual(["one"]);
    expect(await broker.admin.committed("no-such-group")).toEqual([]);
    const { member } = await join(group, topic);
    expect((await broker.admin.groups()).find(({ name }) => name === group)).toMatchObject({
      state: "Stable",
      members: 1,
    });
    await member[Symbol.asyncDispose]();
    await broker.admin.deleteGroup(group);
    expect((await broker.admin.groups()).find(({ name }) => name === group)).toBeUndefined();
  });
});
