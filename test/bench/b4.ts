// B4: from the commit of an outbox row to the broker's acknowledgement, against a bare NOTIFY and a bare produce in a
// row.
import { noLayouts } from "../support/no-layouts.ts";
import postgres from "postgres";
import type { Producer } from "../../shared/messages/broker.ts";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { insertOutbox, outboxChannel, shardOf, lineOf, type OutboxRow } from "../../shared/outbox/outbox.ts";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import type { Notifier } from "../../shared/postgres/notifier.ts";
import { claimSettings } from "../../workers/outbox-relay/claim.ts";
import { openLeases } from "../../workers/outbox-relay/leases.ts";
import { makeMeters } from "../../workers/outbox-relay/meters.ts";
import { relayOutbox } from "../../workers/outbox-relay/relay-outbox.ts";
import { makeWake } from "../../shared/waiting/wake.ts";
import { freshDatabase } from "../support/database.ts";
import { percentile, type Bench } from "./bench.ts";
import { assertDurable } from "./machine.ts";
import { paced } from "./paced.ts";

const rate = 500;
const topic = "task-events";
const log = makeLog({}, "error");

export const bench: Bench = {
  id: "B4",
  title: `relay: commit of an outbox row until the broker has it, ${rate}/s`,
  run: async ({ rounds, seconds, say }) => {
    const env = { ...process.env, KAFKA_PREFIX: `bench-${crypto.randomUUID().slice(0, 8)}-` };
    await using broker = await openBroker(readConfig(kafkaSettings, env), { clientId: "bench", log });
    await broker.admin.createTopic({ name: topic, partitions: 6, configs: {} });
    await using database = await freshDatabase({ used: false });
    const settings = { url: database.url, directUrl: null, statementMs: 60_000 };
    await using db = await openDb(settings, { role: "bench", poolSize: 12, log, settings: claimSettings });
    await assertDurable(db.sql);
    await using relay = await startRelay(db, await broker.producer());
    await using notifier = db.notifier(outboxChannel);
    await using bare = await openBare(database.url, await broker.producer());
    const ours: number[][] = [];
    const peers: number[][] = [];
    try {
      say("warming up both sides");
      await commitToAck(db, notifier, relay.acknowledged, 3);
      await paced(rate, 2, bare.wakeAndProduce);
      for (let round = 0; round < rounds; round++) {
        // A-B or B-A by turns: what drifts with time meets both sides alike.
        const runs = [
          async () => void ours.push(await commitToAck(db, notifier, relay.acknowledged, seconds)),
          async () => void peers.push(await paced(rate, seconds, bare.wakeAndProduce)),
        ];
        for (const run of round % 2 === 0 ? runs : runs.toReversed()) await run();
        say(`round ${round + 1}: ${told(ours.at(-1) ?? [])}, bare ${told(peers.at(-1) ?? [])}`);
      }
    } finally {
      await broker.admin.deleteTopic(topic);
    }
    return ([0.5, 0.99] as const).map((share) => ({
      what: `${share === 0.5 ? "p50" : "p99"} against NOTIFY and one produce in a row`,
      ours: percentile(ours.flat(), share),
      peer: percentile(peers.flat(), share),
      unit: " ms",
      ratios: ours.map((times, round) => percentile(times, share) / percentile(peers[round] ?? [], share)),
      target: share === 0.5 ? "<= 1.5" : "<= 2",
      note: `${ours.flat().length} rows; relay and load in one process; broker acknowledges from its page cache (Apache Kafka)`,
    }));
  },
};

function told(times: readonly number[]): string {
  return `p50 ${percentile(times, 0.5).toFixed(1)} p99 ${percentile(times, 0.99).toFixed(1)} ms`;
}

/** Commits single rows at the rate (open loop) and measures each from its commit until it was acknowledged, ms. */
async function commitToAck(
  db: Db,
  notifier: Notifier,
  acknowledged: Map<string, (at: number) => void>,
  seconds: number,
): Promise<number[]> {
  const times: number[] = [];
  await paced(rate, seconds, async () => {
    const row = makeRow();
    const { promise, resolve } = Promise.withResolvers<number>();
    acknowledged.set(row.key, resolve);
    await insertOutbox(db.sql, [row]);
    const committed = performance.now();
    notifier.notify();
    // The relay may have found the row before its writer heard of the commit.
    times.push(Math.max(0, (await promise) - committed));
  });
  return times.slice(Math.floor(times.length / 5));
}

async function startRelay(db: Db, producer: Producer) {
  const acknowledged = new Map<string, (at: number) => void>();
  const stop = new AbortController();
  const wake = makeWake();
  const listener = await db.listen(outboxChannel, wake.now);
  const instance = crypto.randomUUID();
  const leases = await openLeases({ db, instance, log, onAcquired: wake.now });
  const meters = makeMeters(makeMetrics("bench", { process: false }), () => 0);
  const watched: Producer = {
    send: async (records) => {
      await producer.send(records);
      const at = performance.now();
      for (const { key } of records) {
        acknowledged.get(key ?? "")?.(at);
        acknowledged.delete(key ?? "");
      }
    },
    [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose](),
  };
  const signal = stop.signal;
  const running = relayOutbox({
    db,
    producer: watched,
    instance,
    leases,
    layouts: noLayouts,
    wake,
    signal,
    log,
    meters,
  });
  return {
    acknowledged,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      wake.now();
      await running;
      await leases[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
      await producer[Symbol.asyncDispose]();
    },
  };
}

/** The least any relay woken by Postgres must do: hear a notification, send one record. */
async function openBare(url: string, producer: Producer) {
  const sql = postgres(url, { max: 4, onnotice: () => {} });
  const heard = new Map<string, () => void>();
  await sql.listen("bench", (id) => {
    heard.get(id)?.();
    heard.delete(id);
  });
  return {
    wakeAndProduce: async () => {
      const { key, value } = makeRow();
      const { promise, resolve } = Promise.withResolvers<void>();
      heard.set(key, resolve);
      const produced = promise.then(() => producer.send([{ topic, timestamp: Date.now(), key, value, headers: [] }]));
      await Promise.all([sql`select pg_notify('bench', ${key})`, produced]);
    },
    [Symbol.asyncDispose]: async () => {
      await sql.end();
      await producer[Symbol.asyncDispose]();
    },
  };
}

function makeRow(): OutboxRow {
  const key = crypto.randomUUID();
  return {
    shard: shardOf(key),
    line: lineOf(topic, key),
    topic,
    key,
    messageId: crypto.randomUUID(),
    type: "TaskUpdated",
    subject: key,
    sequence: 1,
    time: new Date(),
    value: crypto.getRandomValues(new Uint8Array(200)),
    headers: JSON.stringify([["ce_id", key]]),
  };
}
