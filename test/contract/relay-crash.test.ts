import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { insertOutbox, outboxChannel } from "../../shared/outbox/outbox.ts";
import { freshDatabase, type FreshDatabase } from "../support/database.ts";
import { relayRow } from "../support/relay-world.ts";
import { stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);

const log = makeLog({}, "error");
const prefix = `crash-${crypto.randomUUID().slice(0, 8)}-`;
const topic = "task-events";
const keys = 40;
let database: FreshDatabase;
let db: Db;
let env: Record<string, string>;

beforeAll(async () => {
  database = await freshDatabase();
  db = await openDb({ url: database.url, directUrl: null, statementMs: 20_000 }, { role: "test", poolSize: 4, log });
  env = { DATABASE_URL: database.url, KAFKA_BROKERS: stack().kafkaBrokers, KAFKA_PREFIX: prefix, LOG_LEVEL: "warn" };
  await using broker = await openBroker(readConfig(kafkaSettings, env), { clientId: "test", log });
  await broker.admin.createTopic({ name: topic, partitions: 6, configs: {} });
});
afterAll(async () => {
  await using broker = await openBroker(readConfig(kafkaSettings, env), { clientId: "test", log });
  await broker.admin.deleteTopic(topic);
  await db[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const startRelay = () =>
  Bun.spawn([process.execPath, `${import.meta.dirname}/../../workers/outbox-relay/main.ts`], {
    env: { ...process.env, ...env, PORT: "0" },
    stdout: "inherit",
    stderr: "inherit",
  });

test("relays killed and frozen at any moment lose nothing: per key, first appearances come in commit order", async () => {
  const relays = [startRelay(), startRelay()];
  const notifier = db.notifier(outboxChannel);
  const began = performance.now();
  let isOver = false;
  let written = 0;
  try {
    // A burst makes rounds that take a while, and the fault that follows hits them.
    let wanted = null as (() => void) | null;
    const writing = (async () => {
      while (!isOver || wanted) {
        const done = wanted;
        wanted = null;
        const sequences = Array.from({ length: done ? 200 : 1 }, () => ++written);
        const rows = sequences.flatMap((sequence) =>
          Array.from({ length: keys }, (_, n) => relayRow(`key-${n}`, sequence)),
        );
        await insertOutbox(db.sql, rows);
        notifier.notify();
        done?.();
        await Bun.sleep(10);
      }
    })();
    let faults = 0;
    const lastsMs = () => performance.now() - began;
    // A busy machine makes each of them slower.
    while (lastsMs() < 14_500 || (lastsMs() < 45_000 && faults < 5)) {
      await Bun.sleep(200 + Math.random() * 800);
      await new Promise<void>((resolve) => (wanted = resolve));
      await Bun.sleep(Math.random() * 200);
      const victim = faults++ % 2;
      const relay = relays[victim];
      if (!relay) continue;
      if (faults % 3 === 0) {
        // Longer than a lease: it comes back to shards that are somebody else's.
        relay.kill("SIGSTOP");
        setTimeout(() => relay.kill("SIGCONT"), 4500);
      } else {
        relay.kill("SIGKILL");
        relays[victim] = startRelay();
      }
    }
    await Bun.sleep(1_500); // the writing goes on over the last fault
    isOver = true;
    await writing;
    expect(faults).toBeGreaterThan(4);
    let left: readonly Readonly<{ waiting: string }>[] = [];
    await until(
      "everything published",
      async () => {
        left = await db.sql<{ waiting: string }[]>`
          select shard, left(owner, 4) as owner, epoch, expires_at > clock_timestamp() as held,
            (select count(*) from outbox where outbox.shard = outbox_shards.shard and published_at is null) as waiting
          from outbox_shards order by shard`;
        return left.every(({ waiting }) => waiting === "0");
      },
      { timeoutMs: 40_000, everyMs: 200, describe: () => JSON.stringify(left) },
    );
  } finally {
    for (const relay of relays) relay.kill("SIGCONT");
    for (const relay of relays) relay.kill("SIGTERM");
    // 143: it has only just been started again, and was still finding its modules.
    for (const code of await Promise.all(relays.map((relay) => relay.exited))) expect([0, 143]).toContain(code);
  }

  const appearances = new Map<string, number[]>();
  await using broker = await openBroker(readConfig(kafkaSettings, env), { clientId: "test", log });
  const ends = await broker.admin.offsets(topic, "end");
  const unread = new Map(ends);
  const reading = new AbortController();
  const from = new Map([...ends.keys()].map((partition) => [partition, 0n]));
  let records = 0;
  for await (const { records: fetched } of broker.tail({ topic, from, signal: reading.signal })) {
    for (const { key, value, partition, offset } of fetched) {
      records++;
      const sequence = Number(
        Buffer.from(value ?? [])
          .toString()
          .split("/")[1],
      );
      const of = appearances.get(key ?? "") ?? [];
      appearances.set(key ?? "", of);
      if (!of.includes(sequence)) of.push(sequence);
      if (offset + 1n >= (ends.get(partition) ?? 0n)) unread.delete(partition);
    }
    if (unread.size === 0) break;
  }
  reading.abort();
  const commitOrder = Array.from({ length: written }, (_, n) => n + 1);
  expect(appearances.size).toBe(keys);
  for (const sequences of appearances.values()) expect(sequences).toEqual(commitOrder);
  console.log(`${written * keys} rows, ${records - written * keys} duplicates`);
}, 150_000);
