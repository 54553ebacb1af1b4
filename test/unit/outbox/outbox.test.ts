import { Glob } from "bun";
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { deriveId } from "../../../shared/messages/derive-id.ts";
import type { Message, ReceivedMessage } from "../../../shared/messages/message.ts";
import { outboxRow, lineOf, shardOf } from "../../../shared/outbox/outbox.ts";
import { topicOf } from "../../../shared/messages/topic-of.ts";
import { topics } from "../../../shared/messages/topics.ts";

const codec = { encode: (type: string, data: unknown) => Buffer.from(JSON.stringify([type, data])) };
const now = new Date("2026-03-01T10:00:00Z");
const message: Message = {
  type: "TaskCompleted",
  key: "t9",
  subject: "t9",
  sequence: 3,
  data: { id: "t9", user_id: "u1", completed_at: now },
};
// Only its id and time are looked at.
const cause = { id: "0190a1b2-0000-7000-8000-000000000001", time: new Date("2026-02-28T00:00:00Z") } as ReceivedMessage;
const by = { source: "task-service", correlationId: "c1", now } as const;

describe("a row of the outbox", () => {
  test("has a new id and the time of the request when nothing caused it", () => {
    const [one, two] = [outboxRow(codec, message, by), outboxRow(codec, message, by)];
    expect(one.messageId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(one.messageId).not.toBe(two.messageId);
    expect(one).toMatchObject({ time: now, topic: "task-events", key: "t9", subject: "t9", sequence: 3 });
    expect(Buffer.from(one.value).toString()).toContain("TaskCompleted");
  });

  test("has the same id and time however often its cause is handled", () => {
    const [one, two] = [
      outboxRow(codec, message, { ...by, cause }),
      outboxRow(codec, message, { ...by, cause, now: new Date() }),
    ];
    expect(one.messageId).toBe(deriveId(cause.id, "TaskCompleted", "t9"));
    expect(two).toEqual(one);
    expect(one.time).toEqual(cause.time);
    expect(JSON.parse(one.headers)).toContainEqual(["ce_causationid", cause.id]);
  });

  test("keeps an id and a time the message brings along", () => {
    const time = new Date("2026-01-01T00:00:00Z");
    const row = outboxRow(codec, { ...message, id: "0190a1b2-0000-5000-8000-000000000009", time }, { ...by, cause });
    expect(row).toMatchObject({ messageId: "0190a1b2-0000-5000-8000-000000000009", time });
    expect(JSON.parse(row.headers)).toContainEqual(["ce_time", time.toISOString()]);
  });

  test("leaves the sequence to the statement when the message does", () => {
    const row = outboxRow(codec, { ...message, sequence: null }, by);
    expect(row.sequence).toBeNull();
    expect(row.headers).not.toContain("ce_sequence");
  });
});

test("all messages of a key are in one shard, whatever their ids: one relay sends them, in order", () => {
  const rows = Array.from({ length: 20 }, () => outboxRow(codec, message, by));
  expect(new Set(rows.map(({ messageId }) => messageId)).size).toBe(20);
  expect([...new Set(rows.map(({ shard }) => shard))]).toEqual([shardOf(message.key)]);
});

test("the shard of a key is its FNV-1a modulo 16 for ever, and keys spread over all of them", () => {
  // Published vectors: 0x811c9dc5, 0xe40c292c, 0xbf9cf968.
  expect(["", "a", "foobar"].map(shardOf)).toEqual([0x5, 0xc, 0x8]);
  const shards = new Set(Array.from({ length: 200 }, (_, n) => shardOf(`key-${n}`)));
  expect([...shards].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, n) => n));
});

test("a user's line in a topic is a hash of both for ever, never 0 and a 32-bit integer", () => {
  const row = outboxRow(codec, message, by);
  expect(row.line).toBe(lineOf(row.topic, message.data.user_id));
  expect(lineOf("task-events", "ada")).not.toBe(lineOf("task-updates", "ada"));
  const lines = Array.from({ length: 1000 }, (_, n) => lineOf("task-events", `user-${n}`));
  expect(new Set(lines).size).toBe(1000);
  for (const line of lines) expect([line | 0, line === 0]).toEqual([line, false]);
});

test("every statement that writes to the outbox says in which line", () => {
  const statements = [...new Glob("{shared,workers}/**/*.ts").scanSync(".")].flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/insert into outbox \(([^)]*)\)/g)].map(([, columns]) => [file, columns]),
  );
  expect(statements.length).toBeGreaterThan(4);
  for (const [file, columns] of statements)
    expect([file, columns?.split(", ")]).toEqual([file, expect.arrayContaining(["line"])]);
});

test("every record belongs to the topic that lists it", () => {
  for (const [topic, { records }] of Object.entries(topics))
    for (const record of records) expect(topicOf(record)).toBe(topic as never);
});
