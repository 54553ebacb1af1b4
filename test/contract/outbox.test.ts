import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Db } from "../../shared/postgres/db.ts";
import { readEnvelope, kafkaHeaders } from "../../shared/outbox/envelope.ts";
import type { Message } from "../../shared/messages/message.ts";
import { insertOutbox, insertOutboxFrom, outboxRow, shardOf, type OutboxRow } from "../../shared/outbox/outbox.ts";
import { recordEncodeFailure } from "../../workers/task-service/record-encode-failure.ts";
import { openTestDb } from "../support/database.ts";

setDefaultTimeout(60_000);

let db: Db;
beforeAll(async () => {
  db = await openTestDb(4);
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
});
beforeEach(() => db.sql`truncate outbox`.then(() => {}));

const now = new Date("2026-03-01T10:00:00.123Z");
const by = { source: "task-service", correlationId: "c1", now } as const;
const message = (subject: string, sequence: number | null = 1): Message => ({
  type: "TaskCompleted",
  key: subject,
  subject,
  sequence,
  data: { id: subject, user_id: "u1", completed_at: now },
});
// Every byte there is, so that nothing on the way takes them for text.
const codec = { encode: () => Uint8Array.from({ length: 256 }, (_, n) => n) };
const row = (subject: string, sequence: number | null = 1): OutboxRow =>
  outboxRow(codec, message(subject, sequence), by);

test("rows are stored as they are, with ids in the order given", async () => {
  const rows = Array.from({ length: 500 }, (_, n) => row(`t${n % 7}"\\é`, n === 3 ? null : n));
  await insertOutbox(db.sql, rows);
  const stored = await db.sql`
    select shard, line, topic, key, message_id as "messageId", type, subject, sequence::int, time, value, headers
    from outbox order by id`;
  expect(stored.map((one) => ({ ...one, value: [...one.value] }))).toEqual(
    rows.map((one) => ({ ...one, value: [...one.value], headers: JSON.parse(one.headers) })),
  );
  await insertOutbox(db.sql, []);
});

test("the statement that changes a row gives the message its version", async () => {
  await db.sql`create table counters (id text primary key, version int not null)`;
  await db.sql`insert into counters values ('t1', 6)`;
  const write = () => db.sql`
    with changed as (update counters set version = version + 1 where id = 't1' returning version),
      written as (${insertOutboxFrom(db.sql, row("t1", null), { from: db.sql`changed`, sequence: db.sql`changed.version` })})
    select version from changed`;
  await Promise.all(Array.from({ length: 20 }, write));
  const stored = await db.sql<{ sequence: number }[]>`select sequence::int from outbox order by id`;
  // The id is drawn behind the row's lock, so ids and versions rise together.
  expect(stored.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 20 }, (_, n) => n + 7));
  await db.sql`
    with changed as (update counters set version = version + 1 where id = 'nobody' returning version),
      written as (${insertOutboxFrom(db.sql, row("t1", null), { from: db.sql`changed`, sequence: db.sql`changed.version` })})
    select version from changed`;
  expect(await db.sql`select from outbox`).toHaveLength(20);
});

test("a day without a partition takes rows all the same", async () => {
  await db.sql`
    insert into outbox (day, shard, topic, key, message_id, type, subject, time, value, headers)
    values ('2099-01-01', 0, 'task-events', 'k', gen_random_uuid(), 'TaskCreated', 'k', now(), '', '[]')`;
  expect(await db.sql`select tableoid::regclass::text as place from outbox`).toEqual([
    { place: "outbox_default" },
  ] as never);
});

test("a message that cannot be encoded is put on record for the dead-letter topic, as JSON with the reason", async () => {
  const broken = message("t1", 4);
  await recordEncodeFailure(db.sql, { message: broken, error: new Error("title: must be well-formed"), by });
  const [stored] = await db.sql`select topic, key, shard, sequence::int, value, headers from outbox`;
  expect(stored).toMatchObject({ topic: "task-events-dlq", key: "t1", shard: shardOf("t1"), sequence: 4 });
  expect(JSON.parse(stored?.value.toString())).toEqual({ id: "t1", user_id: "u1", completed_at: now.toISOString() });
  const headers = kafkaHeaders(stored?.headers, 4);
  expect(readEnvelope(headers)).toMatchObject({
    type: "TaskCompleted",
    subject: "t1",
    sequence: 4,
    source: "task-service",
  });
  const read = Object.fromEntries(headers.map(([name, value]) => [name, Buffer.from(value).toString()]));
  expect(read).toMatchObject({
    "content-type": "application/json",
    "x-original-topic": "task-events",
    "x-error-class": "invalid",
    "x-error-message": "title: must be well-formed",
  });
});
