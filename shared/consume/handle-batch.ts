// The way of a message, top to bottom: a record is decoded, a batch gets a transaction, and in it the handler is
// called.

import type { FetchedRecord } from "../messages/broker.ts";
import type { ReceivedMessage } from "../messages/message.ts";
import { topicNames, type GroupName, type RoleName, type TopicName } from "../messages/topics.ts";
import { readEnvelope } from "../outbox/envelope.ts";
import { insertOutbox, outboxRow, type Encoder } from "../outbox/outbox.ts";
import type { Db, Tx } from "../postgres/db.ts";
import { Problem } from "../problem.ts";
import type { Log } from "../role/log.ts";
import { inTime } from "../waiting/wait.ts";
import { shareGroup } from "./group-epoch.ts";
import type { BatchHandler, Context } from "./handler.ts";
import { changeFate, enterInbox } from "./inbox.ts";
import { findLost } from "./log/find-lost.ts";
import { keyName, lockParkedKeys, queueParked } from "./parking/parked-queue.ts";

/** The part of the codec that reading needs. */
export type Decoder = Readonly<{
  decode: (
    topic: TopicName,
    value: Uint8Array,
  ) => Promise<Readonly<{ type: string; data: unknown }> | Readonly<{ unknown: string }>>;
}>;

export type ReadResult = Readonly<{ message: ReceivedMessage }> | Readonly<{ unknown: string }>;

/**
 * Makes a message of a record. Throws Problem UNDECODABLE for what can never be read, and the registry's error while
 * the record's schema is not known here and cannot be asked for. `unknown` is an event type of a newer build.
 */
export async function readRecord(codec: Decoder, record: FetchedRecord): Promise<ReadResult> {
  const topic = topicNames.find((name) => name === record.topic);
  if (topic === undefined) throw new Problem("UNDECODABLE", `the topic ${record.topic} has no schemas`);
  if (record.value === null) throw new Problem("UNDECODABLE", "the record has no value");
  const decoded = await codec.decode(topic, record.value);
  if ("unknown" in decoded) return decoded;
  const envelope = readEnvelope(record.headers);
  if (envelope.type !== decoded.type)
    throw new Problem("UNDECODABLE", `the header ce_type says ${envelope.type}, the schema ${decoded.type}`);
  if (record.key === null) throw new Problem("UNDECODABLE", "the record has no key");
  // The codec gives the data of the type it names; the compiler cannot see the two go together.
  return {
    message: {
      ...envelope,
      data: decoded.data,
      key: record.key,
      topic,
      partition: record.partition,
      offset: record.offset,
      timestamp: record.timestamp,
      value: record.value,
      headers: record.headers,
    } as ReceivedMessage,
  };
}

/**
 * `handled` and `parked` were new to the group; `lost` are of changes the database has lost; all others were
 * duplicates.
 */
export type BatchResult = Readonly<{
  handled: ReadonlySet<ReceivedMessage>;
  parked: ReadonlySet<ReceivedMessage>;
  lost: ReadonlySet<ReceivedMessage>;
  derived: number;
}>;

export type HandleBatch = RunHandler &
  Readonly<{
    db: Pick<Db, "transaction">;
    group: GroupName;
    epoch: number;
    /**
     * Of the server the group's positions were compared with; nothing is handled on another. `null` where none were.
     */
    life: () => string | null;
  }>;

/**
 * Handles messages of one lane, in order, in one transaction: inbox, effects and the messages they cause are committed
 * together or not at all. Messages that the inbox knows, and those of changes that the database has lost, are left out.
 * Messages of a parked key are queued behind it. Rejects with the first error, with nothing done.
 */
export async function handleBatch(of: HandleBatch, messages: readonly ReceivedMessage[]): Promise<BatchResult> {
  const { db, group, epoch, handlerMs, life } = of;
  return db.transaction(
    async (tx) => {
      const lost = await findLost(tx, messages, life());
      const real = lost.size === 0 ? messages : messages.filter((message) => !lost.has(message));
      // Sent together; each is still a statement of its own, with its own snapshot, run in this order.
      const [, ids, names] = await Promise.all([
        shareGroup(tx, group, epoch, life()),
        enterInbox(tx, epoch, "done", real),
        lockParkedKeys(tx, epoch, real),
      ]);
      const fresh = firstOfEach(real, ids);
      const parked = fresh.filter((message) => names.has(keyName(message)));
      const handled = fresh.filter((message) => !names.has(keyName(message)));
      await queueBehind(tx, epoch, parked);
      const derived = handled.length === 0 ? 0 : await runHandler(of, tx, handled);
      return { handled: new Set(handled), parked: new Set(parked), lost, derived };
    },
    { deadlineMs: handlerMs + 15_000 },
  );
}

async function queueBehind(tx: Tx, epoch: number, parked: readonly ReceivedMessage[]): Promise<void> {
  if (parked.length === 0) return;
  await changeFate(tx, epoch, { from: "done", to: "parked" }, parked);
  await queueParked(
    tx,
    epoch,
    parked.map((record) => ({ record, history: [] })),
  );
}

/** The same message may be in a batch twice: it is handled where it stands first. */
function firstOfEach(messages: readonly ReceivedMessage[], ids: ReadonlySet<string>): readonly ReceivedMessage[] {
  const seen = new Set<string>();
  return messages.filter(({ id }) => {
    if (!ids.has(id) || seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

export type RunHandler = Readonly<{
  codec: Encoder;
  source: RoleName;
  handle: BatchHandler;
  /** For the whole of one call. */
  handlerMs: number;
  log: Log;
  now: () => Date;
  stop: AbortSignal;
}>;

/**
 * Runs the handler for messages, in order, and puts what it answers into the outbox. Returns how many messages that
 * were. Rejects with what the handler rejects with, with `HANDLER_DEADLINE` when it does not settle in time.
 */
export async function runHandler(of: RunHandler, tx: Tx, messages: readonly ReceivedMessage[]): Promise<number> {
  const now = of.now();
  const answers = await limited(of.handlerMs, of.stop, (signal) =>
    of.handle(messages, { tx, signal, log: of.log, now } satisfies Context),
  );
  if (answers.length !== messages.length)
    throw new Error(`the handler answered for ${answers.length} of ${messages.length} messages`);
  const rows = messages.flatMap((cause, n) =>
    (answers[n] ?? []).map((message) =>
      outboxRow(of.codec, message, {
        source: of.source,
        cause,
        correlationId: cause.correlationId,
        traceparent: cause.traceparent,
        now,
      }),
    ),
  );
  await insertOutbox(tx, rows);
  return rows.length;
}

async function limited<T>(ms: number, stop: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  return inTime(ms, work(AbortSignal.any([late.signal, stop])), () => {
    const error = Object.assign(new Error(`the handler did not settle in ${ms} ms`), { code: "HANDLER_DEADLINE" });
    late.abort(error);
    return error;
  });
}
