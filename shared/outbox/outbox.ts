import { hash } from "../hash.ts";
import type { Sql, Tx } from "../postgres/db.ts";
import { deriveId } from "../messages/derive-id.ts";
import { messageContentType, writeEnvelope } from "./envelope.ts";
import { traitsOf } from "../tasks/task-traits.ts";
import type { Message, MessageType, Origin, ReceivedMessage } from "../messages/message.ts";
import { topicOf } from "../messages/topic-of.ts";
import type { RoleName } from "../messages/topics.ts";
import { uuidV7 } from "../uuid.ts";

/**
 * The channel a relay listens on. Notify it after the commit, never inside the transaction: that would serialise
 * commits.
 */
export const outboxChannel = "outbox";
export const shardCount = 16;

/** One row of the outbox before the database gives it an id. `headers` is JSON text, complete except `ce_sequence`. */
export type OutboxRow = Readonly<{
  shard: number;
  /** See `lineOf`; 0 for a message that waits in no line, such as a dead letter. */
  line: number;
  topic: string;
  key: string;
  messageId: string;
  type: string;
  subject: string;
  /** `null` when the writing statement fills it in from the row it changes. */
  sequence: number | null;
  time: Date;
  value: Uint8Array;
  headers: string;
}>;

/** The part of the codec that is needed to write. */
export type Encoder = Readonly<{ encode: (type: MessageType, data: Message["data"]) => Uint8Array }>;

export type WrittenBy = Readonly<{
  source: RoleName;
  /**
   * The message that made this one; its id and time become part of the new one, so handling it twice makes the same
   * message.
   */
  cause?: ReceivedMessage | null;
  /** The message it follows without taking id and time from it: the one that set the timer which writes this one. */
  causationId?: string | null;
  correlationId: string;
  traceparent?: string | null;
  now: Date;
}>;

/**
 * Encodes a message for the outbox. Pure but for a fresh UUIDv7 where there is neither a cause nor an id given.
 * With a cause the id is UUIDv5(cause id, type, subject) and the time the cause's. Throws what `encode` throws: see
 * `recordEncodeFailure`.
 */
export function outboxRow(codec: Encoder, message: Message, by: WrittenBy): OutboxRow {
  const cause = by.cause ?? null;
  const id = message.id ?? (cause ? idCausedBy(cause, message) : uuidV7(by.now));
  const time = message.time ?? cause?.time ?? by.now;
  const topic = topicOf(message.type);
  const headers = writeEnvelope({
    id,
    time,
    source: by.source,
    type: message.type,
    subject: message.subject,
    contentType: messageContentType,
    correlationId: by.correlationId,
    causationId: cause?.id ?? by.causationId ?? null,
    traceparent: by.traceparent ?? null,
    traits: traitsOf(message),
  });
  return {
    shard: shardOf(message.key),
    line: lineOf(topic, message.data.user_id),
    topic,
    key: message.key,
    messageId: id,
    type: message.type,
    subject: message.subject,
    sequence: message.sequence,
    time,
    value: codec.encode(message.type, message.data),
    headers: JSON.stringify(headers),
  };
}

/** The id of a message that another one caused, unless it has one of its own. */
export function idCausedBy(
  cause: Pick<ReceivedMessage, "id">,
  { type, subject }: Pick<Message, "type" | "subject">,
): string {
  return deriveId(cause.id, type, subject);
}

/**
 * A timer's message continues the chain of the message that set the timer. If an older build did not store that, it
 * begins a chain `id`.
 */
export function afterOrigin(
  origin: Origin | null,
  id: string,
): Required<Pick<WrittenBy, "causationId" | "correlationId" | "traceparent">> {
  if (origin === null) return { causationId: null, correlationId: id, traceparent: null };
  return { causationId: origin.messageId, correlationId: origin.correlationId, traceparent: origin.traceparent };
}

/**
 * Which of the 16 shards a key belongs to: FNV-1a over its UTF-16 units. Changing it while rows wait would reorder
 * them.
 */
export function shardOf(key: string): number {
  return hash(key) % shardCount;
}

/**
 * The shard of a row of the outbox, also while it is set aside behind a hold: see the migration `0011_outbox_aside`.
 */
export const ownShard = (sql: Sql | Tx) => sql`case when shard < 0 then -1 - shard else shard end`;

/**
 * The line in which a user's messages of a topic wait: a hash of both, never 0. The relay lets lines take turns. All
 * messages of a key are in one line, because a key of a topic belongs to one user. Two users whose lines are equal
 * share their turns.
 */
export function lineOf(topic: string, userId: string): number {
  return hash(`${topic}/${userId}`) | 0 || 1;
}

/**
 * Writes rows in one statement, ids in the order given. Call it after the rows the messages tell about are locked.
 * After the commit call the notifier of `outboxChannel`.
 */
export async function insertOutbox(tx: Sql | Tx, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  const column = <T>(of: (row: OutboxRow) => T): T[] => rows.map(of);
  await tx`
    insert into outbox (shard, line, topic, key, message_id, type, subject, sequence, time, value, headers)
    select shard, line, topic, key, message_id, type, subject, sequence, time, value, headers::jsonb
    from unnest(
      ${column((row) => row.shard)}::smallint[], ${column((row) => row.line)}::int[], ${column((row) => row.topic)}::text[],
      ${column((row) => row.key)}::text[],
      ${column((row) => row.messageId)}::uuid[], ${column((row) => row.type)}::text[], ${column((row) => row.subject)}::text[],
      ${column((row) => row.sequence)}::bigint[], ${column((row) => row.time.toISOString())}::timestamptz[],
      ${tx.array(
        column((row) => row.value),
        byteaArray,
      )}::bytea[], ${column((row) => row.headers)}::text[]
    ) with ordinality as row(shard, line, topic, key, message_id, type, subject, sequence, time, value, headers, place)
    order by place`;
}

/** The oid of `bytea[]`: without it postgres.js sends an array of buffers as one `bytea`. */
export const byteaArray = 1001;

/**
 * For writes that are one statement. The fragment stands after `with … changed as (… returning …)` and inserts one row
 * per row of `changed`; `sequence` is an expression over `changed`, usually `` sql`changed.version` ``:
 *
 * ```ts
 * await sql`
 *   with changed as (update tasks set … returning id, version),
 *        written as (${insertOutboxFrom(sql, row, { from: sql`changed`, sequence: sql`changed.version` })})
 *   select * from changed`;
 * ```
 *
 * The id is drawn when the CTE inserts, which is after `changed` has locked its row.
 */
export function insertOutboxFrom(sql: Sql | Tx, row: OutboxRow, of: Readonly<{ from: Fragment; sequence: Fragment }>) {
  return sql`
    insert into outbox (shard, line, topic, key, message_id, type, subject, sequence, time, value, headers)
    select ${row.shard}::smallint, ${row.line}::int, ${row.topic}::text, ${row.key}::text, ${row.messageId}::uuid,
      ${row.type}::text, ${row.subject}::text, (${of.sequence})::bigint, ${row.time.toISOString()}::timestamptz,
      ${row.value}::bytea, ${row.headers}::jsonb
    from ${of.from}`;
}

type Fragment = ReturnType<Sql>;
