import type { OutgoingRecord, Producer, SendFailure } from "../../shared/messages/broker.ts";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { insertOutbox, outboxChannel, shardOf, type OutboxRow } from "../../shared/outbox/outbox.ts";
import { claimSettings } from "../../workers/outbox-relay/claim.ts";
import { makeLayouts } from "../../workers/outbox-relay/layouts.ts";
import { openLeases } from "../../workers/outbox-relay/leases.ts";
import { makeMeters } from "../../workers/outbox-relay/meters.ts";
import { relayOutbox } from "../../workers/outbox-relay/relay-outbox.ts";
import { openRenewableProducer } from "../../workers/outbox-relay/renewable-producer.ts";
import { makeWake } from "../../shared/waiting/wake.ts";
import { freshDatabase } from "./database.ts";

/** What a send meets: null is taken; "written" is taken and answered with an error, as after a lost answer. */
type Weather = (records: readonly OutgoingRecord[]) => SendFailure | "written" | null;

/** A database with an outbox, a producer that keeps what it is given, and relays to start over them. */
export async function openRelayWorld() {
  const database = await freshDatabase();
  const log = makeLog({}, "error");
  const open = (role: string): Promise<Db> =>
    openDb(
      { url: database.url, directUrl: null, statementMs: 10_000 },
      { role, poolSize: 6, log, settings: claimSettings },
    );
  const db = await open("test");
  const notifier = db.notifier(outboxChannel);
  const taken: OutgoingRecord[] = [];
  const sends: number[] = [];
  const places = new Map<OutgoingRecord, number>();
  const world = {
    db,
    url: database.url,
    taken,
    sends,
    weather: (() => null) as Weather,
    /** Of the topic. A producer knows only of those there were when it was opened. */
    partitions: 6,
    /** How many the producer of a record knew of. */
    knownAt: (record: OutgoingRecord): number => places.get(record) ?? 0,
    /** Sends begun so far. */
    begun: 0,
    /** Awaited by every send before anything else. */
    gate: Promise.resolve() as Promise<unknown>,
    /** Sequences taken by the broker for a key of a topic, in order. */
    sequences: (key: string, topic = "task-events"): number[] =>
      taken.filter((record) => record.key === key && record.topic === topic).map(sequenceOf),
    write: async (rows: readonly OutboxRow[]): Promise<void> => {
      await insertOutbox(db.sql, rows);
      notifier.notify();
    },
    unpublished: async (): Promise<number> => {
      const [row] = await db.sql<{ n: number }[]>`select count(*)::int as n from outbox where published_at is null`;
      return row?.n ?? -1;
    },
    shardsOf: async (instance: string): Promise<number> =>
      (await db.sql`select from outbox_shards where owner = ${instance} and expires_at > clock_timestamp()`).length,
    /** Resolves once the relay has its first leases; disposing is the clean stop. */
    startRelay: async (instance: string) => {
      const relayDb = await open(`relay-${instance}`);
      const stop = new AbortController();
      const wake = makeWake();
      const leases = await openLeases({ db: relayDb, instance, log, onAcquired: wake.now });
      const metrics = makeMetrics("outbox-relay", { process: false });
      const meters = makeMeters(metrics, () => leases.held().length);
      const openProducer = async (): Promise<Producer> => {
        const knows = world.partitions;
        return {
          send: async (records) => {
            world.begun += 1;
            await world.gate;
            const weather = world.weather(records);
            if (weather === null || weather === "written") {
              taken.push(...records);
              for (const record of records) places.set(record, knows);
              sends.push(records.length);
            }
            if (weather !== null)
              throw Object.assign(new Error(weather), { failure: weather === "written" ? "unreachable" : weather });
          },
          [Symbol.asyncDispose]: async () => {},
        };
      };
      const producer = await openRenewableProducer(openProducer);
      const layouts = makeLayouts({
        db: relayDb,
        admin: { offsets: () => Promise.resolve(new Map(Array.from({ length: world.partitions }, (_, n) => [n, 0n]))) },
        renewProducer: producer.renew,
        wake: wake.now,
        log,
      });
      const listener = await relayDb.listen(outboxChannel, layouts.heard);
      const watching = layouts.watch(stop.signal);
      const count = { rounds: 0, turns: 0 };
      const running = relayOutbox({
        db: relayDb,
        producer,
        instance,
        leases,
        layouts,
        wake,
        signal: stop.signal,
        log: makeLog({}, "error", () => {}),
        meters,
        onRound: () => count.rounds++,
        onTurn: () => count.turns++,
      });
      return {
        count,
        leases,
        metrics,
        meters,
        [Symbol.asyncDispose]: async () => {
          stop.abort();
          wake.now();
          await Promise.all([running, watching]);
          await leases[Symbol.asyncDispose]();
          await listener[Symbol.asyncDispose]();
          await relayDb[Symbol.asyncDispose]();
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
  return world;
}

export function relayRow(key: string, sequence: number, of: Partial<OutboxRow> = {}): OutboxRow {
  return {
    shard: shardOf(key),
    line: 0,
    topic: "task-events",
    key,
    messageId: crypto.randomUUID(),
    type: "TaskUpdated",
    subject: key,
    sequence,
    time: new Date(),
    value: Buffer.from(`${key}/${sequence}`),
    headers: JSON.stringify([["ce_subject", key]]),
    ...of,
  };
}

export function sequenceOf(record: OutgoingRecord): number {
  const header = record.headers.findLast(([name]) => name === "ce_sequence");
  return Number(Buffer.from(header?.[1] ?? []).toString());
}
