// B3: draining a backlog through the relay, against what its two halves manage alone: Postgres (claim and mark) and the
// producer.
import { setTimeout as sleep } from "node:timers/promises";
import { noLayouts } from "../support/no-layouts.ts";
import type { Producer } from "../../shared/messages/broker.ts";
import { readConfig } from "../../shared/role/config.ts";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { kafkaHeaders } from "../../shared/outbox/envelope.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { insertOutbox, shardCount, shardOf, lineOf, type OutboxRow } from "../../shared/outbox/outbox.ts";
import { claim, claimSettings, type ClaimedMessage } from "../../workers/outbox-relay/claim.ts";
import { openLeases } from "../../workers/outbox-relay/leases.ts";
import { makeMeters } from "../../workers/outbox-relay/meters.ts";
import { relayOutbox } from "../../workers/outbox-relay/relay-outbox.ts";
import { makeWake } from "../../shared/waiting/wake.ts";
import { freshDatabase } from "../support/database.ts";
import { cpuOf, type Bench } from "./bench.ts";
import { assertDurable } from "./machine.ts";

const topic = "task-events";
const rowsPerPage = 1000;
const log = makeLog({}, "error");

export const bench: Bench = {
  id: "B3",
  title: "relay: rows of a backlog per second, until acknowledged and marked",
  run: async ({ rounds, seconds, say }) => {
    const backlog = Math.max(10_000, seconds * 6000);
    const env = { ...process.env, KAFKA_PREFIX: `bench-${crypto.randomUUID().slice(0, 8)}-` };
    await using broker = await openBroker(readConfig(kafkaSettings, env), { clientId: "bench", log });
    await broker.admin.createTopic({ name: topic, partitions: 6, configs: {} });
    await using producer = await broker.producer();
    await using database = await freshDatabase({ used: false });
    const settings = { url: database.url, directUrl: null, statementMs: 60_000 };
    await using db = await openDb(settings, { role: "bench", poolSize: 6, log, settings: claimSettings });
    await assertDurable(db.sql);
    const ours: number[] = [];
    const limits: number[] = [];
    const halves: string[] = [];
    /** CPU seconds of the relay per 100,000 rows. */
    const cpus: number[] = [];
    try {
      for (let round = -1; round < rounds; round++) {
        say(round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`);
        await fill(db, backlog);
        const relay = () =>
          perSecond(backlog, async () => {
            const cpu = await cpuOf(() => drainByRelay(db, producer));
            if (round >= 0) cpus.push((cpu / backlog) * 100_000);
          });
        const limit = async () => {
          const postgres = await perSecond(backlog, () => drainAlone(db));
          const kafka = await perSecond(backlog, () => produceAlone(producer, backlog));
          if (round >= 0) halves.push(`${Math.round(postgres)}/${Math.round(kafka)}`);
          return 1 / (1 / postgres + 1 / kafka);
        };
        // A-B or B-A by turns: what drifts with time meets both sides alike.
        const steps = round % 2 === 0 ? [relay, limit] : [limit, relay];
        const figures = new Map<() => Promise<number>, number>();
        for (const step of steps) {
          await db.sql`update outbox set published_at = null where published_at is not null`;
          await db.sql`vacuum outbox`;
          figures.set(step, await step());
        }
        if (round < 0) continue;
        ours.push(figures.get(relay) ?? Number.NaN);
        limits.push(figures.get(limit) ?? Number.NaN);
      }
    } finally {
      await broker.admin.deleteTopic(topic);
    }
    const middle = (values: readonly number[]): number =>
      values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
    return [
      {
        what: "drain against the halves one after the other",
        ours: middle(ours),
        peer: middle(limits),
        unit: "rows/s",
        ratios: ours.map((figure, n) => figure / (limits[n] ?? Number.NaN)),
        target: "at least 0.8",
        note: `Postgres/producer alone, rows/s per round: ${halves.join(", ")}; above 1 the relay overlaps them; CPU of the relay ${middle(cpus).toFixed(1)} s per 100,000 rows`,
      },
    ];
  },
};

async function perSecond(rows: number, work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return rows / ((performance.now() - from) / 1000);
}

async function fill(db: Db, rows: number): Promise<void> {
  await db.sql`truncate outbox`;
  for (let from = 0; from < rows; from += 5000)
    await insertOutbox(
      db.sql,
      Array.from({ length: Math.min(5000, rows - from) }, (_, n) => makeRow(from + n)),
    );
}

function makeRow(n: number): OutboxRow {
  const key = deterministicId(n % 5000);
  return {
    shard: shardOf(key),
    line: lineOf(topic, key),
    topic,
    key,
    messageId: crypto.randomUUID(),
    type: "TaskUpdated",
    subject: key,
    sequence: n,
    time: new Date(),
    value: crypto.getRandomValues(new Uint8Array(200)),
    headers: JSON.stringify(headers(key)),
  };
}

function headers(key: string): readonly (readonly [string, string])[] {
  return [
    ["ce_specversion", "1.0"],
    ["ce_id", key],
    ["ce_source", "task-service"],
    ["ce_type", "TaskUpdated"],
    ["ce_time", "2026-01-01T00:00:00.000Z"],
    ["ce_subject", key],
    ["content-type", "application/vnd.confluent.avro"],
    ["ce_correlationid", key],
  ];
}

function deterministicId(n: number): string {
  return `00000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

async function drainByRelay(db: Db, producer: Producer): Promise<void> {
  const stop = new AbortController();
  const wake = makeWake();
  const instance = crypto.randomUUID();
  await using leases = await openLeases({ db, instance, log, onAcquired: wake.now });
  const meters = makeMeters(makeMetrics("bench", { process: false }), () => 0);
  const running = relayOutbox({
    db,
    producer,
    instance,
    leases,
    layouts: noLayouts,
    wake,
    signal: stop.signal,
    log,
    meters,
  });
  while ((await db.sql`select from outbox where published_at is null limit 1`).length > 0) await sleep(20);
  stop.abort();
  await running;
}

/** The same pages claimed and marked, without anything in between. */
async function drainAlone(db: Db): Promise<void> {
  const leases = Array.from({ length: shardCount }, (_, shard) => ({ shard, epoch: 0 }));
  const rowsPerShard = Math.ceil(rowsPerPage / shardCount);
  for (;;) {
    const page = await claim(db, {
      leases,
      busy: [],
      except: [],
      layouts: new Map(),
      rowsPerShard,
      bytesPerShard: 4_000_000,
    });
    if (page.length === 0) return;
    await markAlone(db, page);
  }
}

async function markAlone(db: Db, page: readonly ClaimedMessage[]): Promise<void> {
  await db.sql`
    update outbox o set published_at = clock_timestamp()
    from unnest(${page.map((row) => row.day)}::date[], ${page.map((row) => row.id)}::bigint[]) as done(day, id)
    where o.day = done.day and o.id = done.id and o.published_at is null`;
}

/** The same records from memory, a page per send. */
async function produceAlone(producer: Producer, rows: number): Promise<void> {
  for (let from = 0; from < rows; from += rowsPerPage)
    await producer.send(
      Array.from({ length: Math.min(rowsPerPage, rows - from) }, (_, n) => {
        const { key, value } = makeRow(from + n);
        return { topic, timestamp: Date.now(), key, value, headers: kafkaHeaders(headers(key), n) };
      }),
    );
}
