import { expect, test } from "bun:test";
import type { Db } from "../../../shared/postgres/db.ts";
import type { ClaimedMessage } from "../../../workers/outbox-relay/claim.ts";
import { makeTurns, pickOfLine, windowRows } from "../../../workers/outbox-relay/turns.ts";

const row = (id: number, line: number, topic = "task-events"): ClaimedMessage => ({
  id,
  line,
  topic,
  day: "2026-03-01",
  lease: { shard: 0, epoch: 1 },
  claimedAt: 0,
  created: "0",
  life: "1",
  key: `k${id}`,
  sequence: 1,
  value: new Uint8Array(),
  headers: [],
  bytes: 100,
});
const rows = (line: number, from: number, count: number, topic?: string) =>
  Array.from({ length: count }, (_, n) => row(from + n, line, topic));
const linesOf = (claimed: readonly ClaimedMessage[]) =>
  Object.fromEntries([...Map.groupBy(claimed, ({ line }) => line)].map(([line, { length }]) => [line, length]));

/** A database that says these were handled. */
const inboxOf = (handled: readonly Readonly<{ line: number; id: number }>[]) => ({
  sql: Object.assign(() => Promise.resolve(handled)) as unknown as Db["sql"],
});

const setup = () => {
  const clock = { ms: 1_000 };
  const turns = makeTurns(() => clock.ms);
  const send = (of: readonly ClaimedMessage[]) => {
    turns.allowances(); // asked before every claim by lines
    const shared = turns.share(of);
    turns.sent(shared);
    return shared;
  };
  return { clock, turns, send };
};

test("a user whose messages are handled as they come is never held back, at whatever rate", () => {
  const { turns } = setup();
  for (let n = 0; n < 100; n++) {
    const few = rows(7, n * 50, 50);
    expect(turns.fits(few)).toBe(true);
    turns.sent(few);
    turns.unsent(few); // as `refresh` does when the inbox has them
  }
  expect(turns.crowded()).toBe(0);
});

test("of a line with more than 64 on their way the rest waits, and nobody else does", () => {
  const { turns, send } = setup();
  const found = [...rows(7, 1, 200), ...rows(8, 300, 3), ...rows(0, 400, 500)];
  expect(turns.fits(found)).toBe(false);
  expect(linesOf(send(found))).toEqual({ 7: windowRows, 8: 3, 0: 500 });
  expect([...turns.allowances()]).toEqual([[7, 0]]);
  expect(linesOf(send([...rows(7, 100, 100), ...rows(8, 500, 3)]))).toEqual({ 8: 3 });
});

test("of a line with more than may go, the rows of the shard with the oldest go first, then of the next, each shard's from its first", () => {
  const inShard = (id: number, shard: number): ClaimedMessage => ({ ...row(id, 7), lease: { shard, epoch: 1 } });
  const found = [inShard(1, 5), inShard(2, 3), inShard(3, 5), inShard(4, 9), inShard(5, 3), inShard(6, 5)];
  const ids = (count: number) => pickOfLine(found, count).picked.map(({ id }) => id);
  expect([ids(2), ids(4), ids(6)]).toEqual([
    [1, 3],
    [1, 3, 6, 2],
    [1, 3, 6, 2, 5, 4],
  ]);
});

test("what may go of a line is its first rows, without a gap", () => {
  const { send } = setup();
  expect(send(rows(7, 1, 200)).map(({ id }) => id)).toEqual(rows(7, 1, windowRows).map(({ id }) => id));
});

test("a herd sends a batch in twice the time the last took to be handled, and in a fifth of a second at least", () => {
  const { clock, turns, send } = setup();
  const took = (ms: number, then: number) => {
    const batch = send(rows(7, 1, 200));
    expect(batch).toHaveLength(windowRows);
    clock.ms += ms;
    expect(send(rows(7, 1, 200))).toEqual([]);
    turns.unsent(batch.slice(1));
    expect(send(rows(7, 1, 200))).toEqual([]);
    turns.unsent(batch);
    expect(send(rows(7, 1, 200))).toEqual([]);
    clock.ms += then - 1;
    expect(send(rows(7, 1, 200))).toEqual([]);
    clock.ms += 1;
  };
  took(300, 300);
  took(20, 180);
  took(150, 150);
});

test("what nobody handles counts for a second", () => {
  const { clock, send } = setup();
  clock.ms += 5_000;
  send(rows(7, 1, 200));
  clock.ms += 999;
  expect(send(rows(7, 100, 200))).toEqual([]);
  clock.ms += 1;
  expect(send(rows(7, 100, 200))).toHaveLength(windowRows);
});

test("while the group handles something, however slowly, what it has not handled counts on, for half a minute", async () => {
  const { clock, turns, send } = setup();
  send(rows(7, 1, 200));
  for (let second = 1; second < 30; second++) {
    clock.ms += 1000;
    await turns.refresh(inboxOf([{ line: 7, id: second }]));
    expect(send(rows(7, 100, 200))).toEqual([]);
  }
  clock.ms += 1000;
  await turns.refresh(inboxOf([{ line: 7, id: 30 }]));
  expect(send(rows(7, 100, 200))).toHaveLength(windowRows);
});

test("a herd that may send nothing need not be looked at; it is one no more when a look finds nothing of it left behind", () => {
  const { clock, turns, send } = setup();
  turns.unsent(send(rows(7, 1, 200)));
  expect(send(rows(8, 500, 1))).toHaveLength(1);
  expect(turns.crowded()).toBe(1);
  clock.ms += 200;
  expect(send(rows(8, 501, 1))).toHaveLength(1);
  expect(turns.crowded()).toBe(0);
  expect(turns.fits(rows(7, 300, windowRows))).toBe(true);
});

test("what was not sent after all leaves its place", () => {
  const { turns, send } = setup();
  const batch = send(rows(7, 1, windowRows));
  expect(turns.fits(rows(7, 100, 1))).toBe(false);
  turns.unsent(batch);
  expect(turns.fits(rows(7, 100, windowRows))).toBe(true);
});

test("a topic the watched group does not read has no bound but its turn in a round", () => {
  const { send } = setup();
  const found = rows(9, 1, 1000, "reminder-commands");
  expect(send(found)).toHaveLength(200);
  expect(send(found.slice(200))).toHaveLength(200);
});
