import type { FetchedRecord } from "../../shared/messages/broker.ts";
import { openGroup } from "../../shared/consume/group-epoch.ts";
import { type HandleBatch, handleBatch, readRecord } from "../../shared/consume/handle-batch.ts";
import { park } from "../../shared/consume/parking/park.ts";
import type { WorkParkedKey } from "../../shared/consume/parking/work-parked-key.ts";
import { makeLog } from "../../shared/role/log.ts";
import type { ReceivedMessage } from "../../shared/messages/message.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { consumerWorld, event, group, topic, write } from "./consumer-world.ts";
import { makeJsonCodec } from "./json-codec.ts";

export type KeyedRecord = FetchedRecord & Readonly<{ key: string }>;

/** A record as a client delivers it: number `n` of its key, at that offset of partition 0. */
export const fetched = (n: number, key = "k"): KeyedRecord => ({
  ...event(key, n),
  topic,
  key,
  partition: 0,
  offset: BigInt(n),
  timestamp: Date.now(),
  generation: 1,
});

/**
 * The parts of the kernel on a database, without a client: batches, queues and what becomes of them. With a `db` as of
 * `consumerWorld`.
 */
export async function kernelParts(options: Readonly<{ db?: Db }> = {}) {
  const world = await consumerWorld({ kafka: "fake", ...options });
  const codec = makeJsonCodec();
  const handling: HandleBatch & WorkParkedKey = {
    db: world.db,
    codec,
    group,
    epoch: await openGroup(world.db.sql, group),
    life: () => null,
    source: group,
    handle: async (messages, { tx }) => {
      for (const message of messages) await write(tx, message);
      return messages.map(() => []);
    },
    handlerMs: 5_000,
    log: makeLog({}, "error"),
    now: () => new Date(),
    stop: new AbortController().signal,
    tiersMs: [3_600_000],
  };
  const failed = (record: KeyedRecord) =>
    ({ record, userId: null, class: "unknown", error: new Error("no"), attempts: [] }) as const;
  const read = async (records: readonly FetchedRecord[]): Promise<readonly ReceivedMessage[]> => {
    const all = await Promise.all(records.map((one) => readRecord(codec, one)));
    return all.flatMap((one) => ("message" in one ? [one.message] : []));
  };
  return {
    world,
    handling,
    failed,
    read,
    batch: async (...records: readonly FetchedRecord[]) => handleBatch(handling, await read(records)),
    park: (record: KeyedRecord, db: Pick<Db, "transaction"> = world.db, delayMs = 3_600_000) =>
      park({ ...handling, db }, failed(record), { delayMs }),
    numbers: async () => (await world.effects()).map(({ n }) => n),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** Commits only once told. */
export function held(db: Pick<Db, "transaction">, go: Promise<void>): Pick<Db, "transaction"> {
  return {
    transaction: (work, options) =>
      db.transaction(async (tx) => {
        const result = await work(tx);
        await go;
        return result;
      }, options),
  };
}

export async function someoneWaits(sql: Db["sql"]): Promise<boolean> {
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return (row?.n ?? 0) > 0;
}

/**
 * Whether a transaction has written to, or waits for, a table of this database: those of others have the same ids where
 * copied from one template.
 */
export async function isInUse(sql: Db["sql"], table: string): Promise<boolean> {
  const rows = await sql`
    select from pg_locks join pg_database as own on own.oid = pg_locks.database
    where own.datname = current_database() and relation = ${table}::regclass and mode = 'RowExclusiveLock'`;
  return rows.length > 0;
}
