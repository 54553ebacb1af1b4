import type { Broker, FetchedRecord } from "../../messages/broker.ts";
import type { Log } from "../../role/log.ts";
import type { ReceivedMessage } from "../../messages/message.ts";
import type { Encoder } from "../../outbox/outbox.ts";
import type { Db, Tx } from "../../postgres/db.ts";
import type { GroupName, RoleName } from "../../messages/topics.ts";
import type { BatchHandler } from "../handler.ts";
import { type Decoder, readRecord, runHandler } from "../handle-batch.ts";

type Rehearse = Readonly<{
  db: Pick<Db, "sql" | "transaction">;
  broker: Pick<Broker, "tail" | "admin">;
  codec: Encoder & Decoder;
  group: GroupName & RoleName;
  handle: BatchHandler;
  /** By topic and partition, the offset of the first record. */
  from: ReadonlyMap<string, ReadonlyMap<number, bigint>>;
  /** Of all that is there, the oldest so many. */
  limit: number;
  now: () => Date;
  log: Log;
  signal: AbortSignal;
}>;

/** What a group would do with messages if it handled them now, beside what is on record of when it did. */
export type RehearsalReport = Readonly<{
  group: GroupName;
  /** Messages handled again; `isCut` says that there were more. */
  messages: number;
  isCut: boolean;
  /** Records that cannot be read, and types that this build does not know. */
  unreadable: number;
  unknown: number;
  /** By type: how many, and what the inbox says became of them. */
  read: readonly Readonly<{
    type: string;
    messages: number;
    done: number;
    parked: number;
    dead: number;
    unseen: number;
  }>[];
  /**
   * Messages the group publishes, by type: `before` when it handled these, as far as the outbox still has them; `again`
   * would be published now under an id that is on record, which readers drop; `first` under one that is not.
   */
  published: readonly Readonly<{ type: string; before: number; again: number; first: number }>[];
  /** Rows it would change now. */
  rows: readonly Readonly<{ table: string; inserted: number; updated: number; deleted: number }>[];
  failures: readonly Readonly<{ type: string; error: string; messages: number; firstId: string }>[];
}>;

const batchSize = 100;
const handlerMs = 30_000;

/**
 * Runs a group's handler on records of the log once more, each batch in a transaction that is rolled back whatever
 * comes of it. So nothing of it is seen by anybody: no row, no message, no notification; only numbers of sequences are
 * used up. A batch sees the tables as they are today, not as they were, and nothing of the batches before it. What
 * loops do beside the handler (timers, deliveries, streams) is no part of it.
 */
export async function rehearse(of: Rehearse): Promise<RehearsalReport> {
  const { records, isCut } = await readRecords(of);
  const messages: ReceivedMessage[] = [];
  let [unreadable, unknown] = [0, 0];
  for (const record of records)
    try {
      const read = await readRecord(of.codec, record);
      if ("unknown" in read) unknown += 1;
      else messages.push(read.message);
    } catch (error) {
      unreadable += 1;
      of.log.warn("record_not_read", {
        topic: record.topic,
        partition: record.partition,
        offset: String(record.offset),
        error,
      });
    }
  const made: RehearsedMessage[] = [];
  const rows = new Map<string, { inserted: number; updated: number; deleted: number }>();
  const failures = new Map<string, { type: string; error: string; messages: number; firstId: string }>();
  const add = (effects: Effects) => {
    made.push(...effects.made);
    for (const { table, ...counts } of effects.rows) {
      const sum = rows.get(table) ?? { inserted: 0, updated: 0, deleted: 0 };
      for (const kind of ["inserted", "updated", "deleted"] as const) sum[kind] += counts[kind];
      rows.set(table, sum);
    }
  };
  const tryOne = async (message: ReceivedMessage) => {
    try {
      add(await tryBatch(of, [message]));
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause);
      const name = `${message.type} ${error}`;
      const before = failures.get(name) ?? { type: message.type, error, messages: 0, firstId: message.id };
      failures.set(name, { ...before, messages: before.messages + 1 });
    }
  };
  for (let at = 0; at < messages.length && !of.signal.aborted; at += batchSize) {
    const batch = messages.slice(at, at + batchSize);
    try {
      add(await tryBatch(of, batch));
    } catch (error) {
      of.log.info("batch_failed", { size: batch.length, error });
      for (const message of batch) await tryOne(message);
    }
  }
  return {
    group: of.group,
    messages: messages.length,
    isCut,
    unreadable,
    unknown,
    read: await readFates(of, messages),
    published: await compare(of, messages, made),
    rows: [...rows].map(([table, counts]) => ({ table, ...counts })).toSorted((a, b) => (a.table < b.table ? -1 : 1)),
    failures: [...failures.values()],
  };
}

type RehearsedMessage = Readonly<{ id: string; type: string }>;
type Effects = Readonly<{ made: readonly RehearsedMessage[]; rows: RehearsalReport["rows"] }>;

/** The handler's effects, told and undone. Rejects with what the handler rejects with, undone too. */
async function tryBatch(of: Rehearse, messages: readonly ReceivedMessage[]): Promise<Effects> {
  let effects: Effects | null = null;
  const undo = new Error("undone");
  try {
    await of.db.transaction(async (tx) => {
      // Live work goes first: what it holds longer is a failure here.
      await tx`select set_config('lock_timeout', '2s', true)`;
      await runHandler(
        { codec: of.codec, source: of.group, handle: of.handle, handlerMs, log: of.log, now: of.now, stop: of.signal },
        tx,
        messages,
      );
      effects = { made: await readMade(tx), rows: await readRows(tx) };
      throw undo;
    });
  } catch (error) {
    if (error !== undo) throw error;
  }
  if (effects === null) throw new Error("the transaction was not undone");
  return effects;
}

/** What this transaction has put into the outbox, the handler itself or its answers. */
function readMade(tx: Tx): Promise<readonly RehearsedMessage[]> {
  return tx<RehearsedMessage[]>`
    select message_id as id, type from outbox
    where published_at is null and xmin = pg_current_xact_id()::xid`;
}

/**
 * What this transaction has changed, by table; partitions count as their table. The outbox is told of by `published`.
 */
function readRows(tx: Tx): Promise<RehearsalReport["rows"]> {
  return tx<RehearsalReport["rows"][number][]>`
    select coalesce(parent.relname, s.relname) as table, sum(n_tup_ins)::int as inserted, sum(n_tup_upd)::int as updated,
      sum(n_tup_del)::int as deleted
    from pg_stat_xact_user_tables s
    left join pg_inherits i on i.inhrelid = s.relid left join pg_class parent on parent.oid = i.inhparent
    where n_tup_ins + n_tup_upd + n_tup_del > 0 and coalesce(parent.relname, s.relname) <> 'outbox'
    group by 1`;
}

/** Oldest first over all topics, as the group had them more or less. */
async function readRecords({
  broker,
  from,
  limit,
  signal,
}: Rehearse): Promise<{ records: FetchedRecord[]; isCut: boolean }> {
  const found: FetchedRecord[] = [];
  for (const [topic, starts] of from) {
    const ends = await broker.admin.offsets(topic, "end");
    const missing = new Map([...starts].filter(([partition, offset]) => offset < (ends.get(partition) ?? 0n)));
    if (missing.size === 0) continue;
    const stop = new AbortController();
    const over = AbortSignal.any([signal, stop.signal]);
    let count = 0;
    for await (const { records, next } of broker.tail({ topic, from: new Map(missing), signal: over })) {
      const before = records.filter(({ partition, offset }) => offset < (ends.get(partition) ?? 0n));
      found.push(...before);
      count += before.length;
      for (const [partition, offset] of next) if (offset >= (ends.get(partition) ?? 0n)) missing.delete(partition);
      // Partitions come evenly: with some more than wanted of each topic the oldest are among them, more or less.
      if (missing.size === 0 || count > limit * 2) break;
    }
    stop.abort();
  }
  const sorted = found.toSorted(
    (a, b) => a.timestamp - b.timestamp || a.partition - b.partition || Number(a.offset - b.offset),
  );
  return { records: sorted.slice(0, limit), isCut: sorted.length > limit };
}

async function readFates(
  { db, group }: Rehearse,
  messages: readonly ReceivedMessage[],
): Promise<RehearsalReport["read"]> {
  const rows = await db.sql<{ type: string; messages: number; done: number; parked: number; dead: number }[]>`
    select m.type, count(*)::int as messages, (count(*) filter (where i.fate = 'done'))::int as done,
      (count(*) filter (where i.fate = 'parked'))::int as parked, (count(*) filter (where i.fate = 'dead'))::int as dead
    from unnest(
      ${messages.map(({ id }) => id)}::uuid[], ${messages.map(({ time }) => time.toISOString())}::timestamptz[],
      ${messages.map(({ type }) => type)}::text[]
    ) as m(id, at, type)
    left join consumer_groups g on g.name = ${group}
    left join inbox i on i.epoch = g.epoch and i.message_id = m.id and i.time = m.at
    group by m.type order by m.type`;
  return rows.map((row) => ({ ...row, unseen: row.messages - row.done - row.parked - row.dead }));
}

async function compare(
  { db, group }: Rehearse,
  messages: readonly ReceivedMessage[],
  made: readonly RehearsedMessage[],
): Promise<RehearsalReport["published"]> {
  const before = await db.sql<{ type: string; n: number }[]>`
    select o.type, count(distinct o.message_id)::int as n from outbox o
    where exists (select from jsonb_array_elements(o.headers) h where h ->> 0 = 'ce_source' and h ->> 1 = ${group})
      and exists (select from jsonb_array_elements(o.headers) h where h ->> 0 = 'ce_causationid'
        and h ->> 1 in (select unnest(${messages.map(({ id }) => id)}::text[])))
    group by o.type`;
  const ids = [...new Set(made.map(({ id }) => id))];
  const known = new Set(
    (
      await db.sql<{ id: string }[]>`
        select distinct message_id as id from outbox where message_id in (select unnest(${ids}::uuid[]))
        union select distinct message_id from inbox where message_id in (select unnest(${ids}::uuid[]))`
    ).map(({ id }) => id),
  );
  const types = [...new Set([...before.map(({ type }) => type), ...made.map(({ type }) => type)])].toSorted();
  return types.map((type) => {
    const own = new Set(made.filter((one) => one.type === type).map(({ id }) => id));
    const again = [...own].filter((id) => known.has(id)).length;
    return { type, before: before.find((one) => one.type === type)?.n ?? 0, again, first: own.size - again };
  });
}
