// B5: records through a consumer whose effects are exactly once, against what Postgres takes alone and against a
// transaction per record.
import type { Broker, FetchedRecord } from "../../shared/messages/broker.ts";
import type { Codec } from "../../shared/avro/codec.ts";
import type { BatchHandler } from "../../shared/consume/handler.ts";
import { readRecord } from "../../shared/consume/handle-batch.ts";
import type { Db, Sql, Tx } from "../../shared/postgres/db.ts";
import { cpuOf, median, type Bench, type BenchRow } from "./bench.ts";
import { uuidV7 } from "../../shared/uuid.ts";
import { consumeAll } from "./consume-all.ts";
import { openConsumerParts } from "./consumer-parts.ts";

const topic = "task-events";
const readTopic = "task-events-dlq"; // nobody else reads these two here
const naiveTopic = "reminders-dlq";
const group = "task-update-broadcaster";
const batchSize = 200;
const writers = 8;
const epoch = 1_000_000;
type Side = "ours" | "limit" | "insert" | "read" | "naive";

export const bench: Bench = {
  id: "B5",
  title: "consumer: records per second, read, decoded, handled and in Postgres exactly once",
  run: async ({ rounds, seconds, say }) => {
    const records = Math.max(10_000, seconds * 4000);
    const naiveRecords = seconds * 100;
    const limitRecords = records * 4; // many times as fast: shorter runs would be bursts
    await using parts = await openConsumerParts({ topics: [topic, readTopic, naiveTopic], partitions: 6 });
    const { broker, db, codec } = parts;
    const figures: Record<Side, number[]> = { ours: [], limit: [], insert: [], read: [], naive: [] };
    /** CPU seconds of this process per 100,000 records. */
    const cpus: number[] = [];
    for (let round = -1; round < rounds; round++) {
      const measured = async (work: () => Promise<number>): Promise<number> => {
        let figure = Number.NaN;
        const cpu = await cpuOf(async () => (figure = await work()));
        if (round >= 0) cpus.push((cpu / records) * 100_000);
        return figure;
      };
      const steps = {
        ours: async () => {
          await parts.fill(topic, records, 5000);
          return measured(() => consumeAll({ broker, db, codec, topic, group, records, handleBatch: writeEffects }));
        },
        limit: () => insertAlone(db, limitRecords, true),
        insert: () => insertAlone(db, limitRecords, false),
        read: async () => {
          await parts.fill(readTopic, records, 5000);
          return readAlone(broker, readTopic, records, async (record) => void (await decode(codec, record)));
        },
        naive: async () => {
          await parts.fill(naiveTopic, naiveRecords, 5000);
          return readAlone(broker, naiveTopic, naiveRecords, (record) => handleNaively(db, codec, record));
        },
      };
      const effects = { ours: records, limit: limitRecords, insert: limitRecords, read: 0, naive: naiveRecords };
      const names = ["ours", "limit", "insert", "read", "naive"] as const;
      const told: string[] = [];
      // One way and the other by turns: what drifts with time meets all sides alike.
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const figure = await steps[name]();
        await parts.settle(effects[name]);
        told.push(`${name} ${Math.round(figure)}`);
        if (round >= 0) figures[name].push(figure);
      }
      say(`${round < 0 ? "warming up" : `round ${round + 1}`}: ${told.join(", ")} /s`);
    }
    const row = (peer: Side, what: string, target: string): BenchRow => ({
      what,
      ours: median(figures.ours),
      peer: median(figures[peer]),
      unit: " records/s",
      ratios: figures.ours.map((figure, n) => figure / (figures[peer][n] ?? Number.NaN)),
      target,
    });
    return [
      {
        ...row("limit", "against Postgres alone: inbox and effect, 200 by unnest", ">= 0.6"),
        note: `${writers} writers from memory; ours reads Kafka and decodes Avro in one process besides, with ${median(cpus).toFixed(1)} s of CPU per 100,000 records`,
      },
      { ...row("insert", "against Postgres alone: effect without inbox", "none") },
      { ...row("read", "against reading and decoding alone, in one process", "none") },
      {
        ...row("naive", "against a transaction per record", ">= 10"),
        note: "the same inbox and effect, one after the other",
      },
    ];
  },
};

const writeEffects: BatchHandler = async (messages, { tx }) => {
  await insertEffects(
    tx,
    messages.map(({ id, sequence }) => ({ id, n: sequence })),
  );
  return messages.map(() => []);
};

type Effect = Readonly<{ id: string; n: number }>;

async function insertEffects(tx: Tx | Sql, effects: readonly Effect[]): Promise<void> {
  await tx`
    insert into effects (id, n)
    select * from unnest(${effects.map(({ id }) => id)}::uuid[], ${effects.map(({ n }) => n)}::int[])`;
}

async function insertInbox(tx: Tx, ids: readonly string[]): Promise<number> {
  const rows = await tx`
    insert into inbox (epoch, message_id, time, fate)
    select ${epoch}, id, clock_timestamp(), 'done' from unnest(${ids}::uuid[]) as entry(id)
    on conflict do nothing returning message_id`;
  return rows.length;
}

/** The same rows as the consumer writes, from memory, in transactions of 200. */
async function insertAlone(db: Db, records: number, inbox: boolean): Promise<number> {
  const batches = Array.from({ length: records / batchSize }, () =>
    Array.from({ length: batchSize }, (_, n) => ({ id: uuidV7(), n })),
  );
  const from = performance.now();
  const write = async () => {
    for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
      const effects = batch;
      await db.transaction(async (tx) => {
        const entered = inbox
          ? insertInbox(
              tx,
              effects.map(({ id }) => id),
            )
          : null;
        await Promise.all([entered, insertEffects(tx, effects)]);
      });
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return records / ((performance.now() - from) / 1000);
}

async function decode(codec: Codec, record: FetchedRecord) {
  const read = await readRecord(codec, { ...record, topic });
  if (!("message" in read)) throw new Error("a record of an unknown type");
  return read.message;
}

/** What one writes first: a transaction per record, with the inbox and the effect. */
async function handleNaively(db: Db, codec: Codec, record: FetchedRecord): Promise<void> {
  const { id, sequence } = await decode(codec, record);
  await db.transaction(async (tx) => {
    if ((await insertInbox(tx, [id])) > 0) await insertEffects(tx, [{ id, n: sequence }]);
  });
}

/**
 * Every record in turn, in a group of its own; offsets are committed after each fetch. Records per second from the
 * first fetch.
 */
async function readAlone(
  broker: Broker,
  from: string,
  records: number,
  handle: (record: FetchedRecord) => Promise<void>,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let began: number | null = null;
  let handled = 0;
  const member = await broker.join({
    group: `reads-${from}`,
    topics: [from],
    onAssigned: () => {},
    onRebalancing: () => {},
    onFailed: reject,
    onRecords: async (batch) => {
      try {
        began ??= performance.now();
        for (const record of batch) await handle(record);
        handled += batch.length;
        const last = new Map(batch.map((record) => [record.partition, record.offset + 1n]));
        await member.commit([...last].map(([partition, offset]) => ({ topic: from, partition, offset })));
        if (handled >= records) resolve(performance.now() - began);
      } catch (error) {
        reject(error);
      }
    },
  });
  try {
    return records / ((await promise) / 1000);
  } finally {
    await member[Symbol.asyncDispose]();
  }
}
