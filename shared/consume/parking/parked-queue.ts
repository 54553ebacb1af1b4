import type { FetchedRecord } from "../../messages/broker.ts";
import { kafkaHeaders, storeHeaders, type StoredHeader } from "../../outbox/envelope.ts";
import type { Tx } from "../../postgres/db.ts";
import { inboxEntryOf, storable, type Attempt } from "../dead-letters/dead-letter.ts";

/** A key that waits, or may. */
export type KeyOf = Readonly<{ topic: string; key: string }>;

/** A record of a topic with a key, as handlers and queues know it. */
export type RecordWithKey = Omit<FetchedRecord, "key" | "generation"> & Readonly<{ key: string }>;

/** A message of a queue. `row` is its place in it. */
export type ParkedMessage = Readonly<{ row: string; record: FetchedRecord; history: readonly Attempt[] }>;

const maxHistory = 10;

export function keyName({ topic, key }: KeyOf): string {
  return `${topic}/${storable(key)}`;
}

/**
 * Locks those of the keys that are parked, in order, and returns their names. Ask in a statement after the inbox
 * insert: an answer from before it could miss a key that was parked by the transaction that insert waited for.
 */
export async function lockParkedKeys(tx: Tx, epoch: number, keys: readonly KeyOf[]): Promise<ReadonlySet<string>> {
  const rows = await tx<KeyOf[]>`
    select topic, key from parked_keys
    where epoch = ${epoch} and (topic, key) in (
      select * from unnest(${keys.map(({ topic }) => topic)}::text[], ${keys.map(({ key }) => storable(key))}::text[]))
    order by topic, key
    for update`;
  return new Set(rows.map(keyName));
}

/** Queues messages behind a key the transaction has locked. */
export async function queueParked(
  tx: Tx,
  epoch: number,
  messages: readonly Readonly<{ record: RecordWithKey; history: readonly Attempt[] }>[],
): Promise<void> {
  await Promise.all(
    messages.map(({ record, history }) => {
      const { id, time } = inboxEntryOf(record);
      return tx`
        insert into parked_messages
          (epoch, topic, key, partition, "offset", message_id, time, timestamp_ms, value, headers, history)
        values (${epoch}, ${record.topic}, ${storable(record.key)}, ${record.partition}, ${String(record.offset)}, ${id},
          ${time.toISOString()}, ${record.timestamp}, ${record.value},
          ${JSON.stringify(storeHeaders(record.headers))}::jsonb, ${historyText(history)}::jsonb)`;
    }),
  );
}

/**
 * The front of a queue, at most `limit` messages. The key must be locked, by a statement before: see `workParkedKey`.
 */
export async function readQueue(
  tx: Tx,
  of: KeyOf & Readonly<{ epoch: number; limit: number }>,
): Promise<readonly ParkedMessage[]> {
  const rows = await tx<ParkedRow[]>`
    select id, topic, key, partition, "offset", timestamp_ms::float8 as timestamp, value, headers, history
    from parked_messages where epoch = ${of.epoch} and topic = ${of.topic} and key = ${of.key}
    order by id limit ${of.limit}`;
  return rows.map(({ id, headers, history, offset, ...record }) => ({
    row: id,
    record: { ...record, offset: BigInt(offset), headers: kafkaHeaders(headers, null), generation: 0 },
    history: history.map((attempt) => ({ ...attempt, at: new Date(attempt.at) })),
  }));
}

/** The last tries, as JSON text. */
export function historyText(history: readonly Attempt[]): string {
  return JSON.stringify(history.slice(-maxHistory));
}

type ParkedRow = Readonly<{
  id: string;
  topic: string;
  key: string;
  partition: number;
  offset: string;
  timestamp: number;
  value: Uint8Array | null;
  headers: readonly StoredHeader[];
  history: readonly (Omit<Attempt, "at"> & Readonly<{ at: string }>)[];
}>;
