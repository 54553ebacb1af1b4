import { afterAll, beforeEach, expect, test } from "bun:test";
import { openDb } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { insertOutbox, shardOf } from "../../shared/outbox/outbox.ts";
import { replayOutbox } from "../../workers/operator/actions/replay-outbox.ts";
import { runOps } from "../../workers/operator/ops.ts";
import { freshDatabase } from "../support/database.ts";

const log = makeLog({}, "error", () => {});
const database = await freshDatabase();
const db = await openDb(
  { url: database.url, directUrl: null, statementMs: 10_000 },
  { role: "test", poolSize: 2, log },
);
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => void (await db.sql`truncate outbox, outbox_holds, audit`));

async function ops(...args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const env = { DATABASE_URL: database.url, USER: "ada" };
  const terminal = { env, print: (text: string) => void out.push(text), log, now: () => new Date() };
  const code = await runOps(args, terminal, (text) => void err.push(text));
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** Messages of one key, in order. */
async function write(key: string, count: number, published = false): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  await insertOutbox(
    db.sql,
    ids.map((messageId, n) => ({
      shard: shardOf(key),
      line: 0,
      topic: "task-events",
      key,
      messageId,
      type: "TaskUpdated",
      subject: key,
      sequence: n + 1,
      time: new Date(1_790_000_000_000 + n),
      value: Buffer.from([0, 255, n]),
      headers: JSON.stringify([["ce_id", messageId]]),
    })),
  );
  if (published) await db.sql`update outbox set published_at = clock_timestamp() where key = ${key}`;
  return ids;
}

const hold = (key: string) =>
  db.sql`insert into outbox_holds (topic, key, reason) values ('task-events', ${key}, 'too large')`;
const audited = () =>
  db.sql<{ who: string; action: string; state: string; plan: never; progress: never }[]>`
    select who, action, state, plan, progress from audit order by at`;

test("held keys are listed with what waits behind them, and a dry run of their release changes nothing", async () => {
  await write("a", 3);
  await hold("a");
  expect((await ops("outbox")).out).toMatch(/^task-events +a +\S+Z +3 +too large$/m);
  const plan = await ops("outbox", "release", "--all", "--dry-run");
  expect(plan).toMatchObject({ code: 0, out: expect.stringContaining("would release") });
  expect(await db.sql`select from outbox_holds`).toHaveLength(1);
  expect(await audited()).toHaveLength(0);
});

test("releasing a key removes its hold and no other, and says so in the audit", async () => {
  await hold("a");
  await hold("b");
  const args = ["outbox", "release", "--topic", "task-events", "--key", "a"];
  expect(await ops(...args, "--reason", "the limit was raised")).toMatchObject({ code: 0 });
  expect([...(await db.sql`select key from outbox_holds`)]).toEqual([{ key: "b" }]);
  expect([...(await audited())]).toMatchObject([
    { who: expect.stringMatching(/^ada@/), action: "outbox release", state: "done", plan: { key: "a" } },
  ]);
  expect(await ops(...args)).toMatchObject({ code: 1, err: expect.stringContaining("the key a is not held") });
});

test("dropping a held message takes it from the outbox and keeps its bytes in the audit", async () => {
  const [first, second] = await write("a", 2);
  const place = ["outbox", "drop", "--topic", "task-events", "--key", "a"];
  expect(await ops(...place, "--all")).toMatchObject({ code: 1, err: expect.stringContaining("is not held") });
  await hold("a");
  const [row] = await db.sql<{ id: string }[]>`select id::text from outbox where message_id = ${first ?? ""}`;
  expect((await ops(...place, "--id", row?.id ?? "", "--dry-run")).out).toContain("would drop");
  expect(await db.sql`select from outbox`).toHaveLength(2);
  expect(await ops(...place, "--id", row?.id ?? "")).toMatchObject({ code: 0 });
  expect([...(await db.sql`select message_id from outbox`)]).toEqual([{ message_id: second }]);
  expect([...(await audited())]).toMatchObject([
    { action: "outbox drop", plan: { messages: [{ message_id: first, value: "AP8A" }] } },
  ]);
  expect(await db.sql`select from outbox_holds`).toHaveLength(1);
  expect(await ops(...place, "--id", "999999")).toMatchObject({ code: 1, err: expect.stringContaining("999999") });
});

test("a replay writes new rows with the same ids, bytes and order, clears no mark, and takes a copy for no message of its own", async () => {
  const ids = await write("a", 3, true);
  await write("b", 1);
  const args = ["outbox", "replay", "--from", "1h", "--topic", "task-events"];
  expect((await ops(...args, "--dry-run")).out).toContain("would replay 3 messages");
  expect(await db.sql`select from outbox`).toHaveLength(4);
  expect((await ops(...args, "--rate", "100000")).out).toContain("3 messages replayed");
  const rows = await db.sql<{ message_id: string; value: Buffer; sequence: string }[]>`
    select message_id, value, sequence from outbox where key = 'a' and published_at is null order by id`;
  expect(rows.map((row) => row.message_id)).toEqual([...ids]);
  expect(rows.map((row) => [...row.value])).toEqual([0, 1, 2].map((n) => [0, 255, n]));
  expect(await db.sql`select from outbox where key = 'a' and published_at is not null`).toHaveLength(3);
  await db.sql`update outbox set published_at = clock_timestamp() where key = 'a' and published_at is null`;
  expect((await ops(...args, "--dry-run")).out).toContain("would replay 3 messages");
  expect([...(await audited())]).toMatchObject([{ action: "outbox replay", state: "done", progress: { messages: 3 } }]);
});

test("a replay that was cut off goes on where it was, and one that is done does nothing more", async () => {
  await write("a", 250, true);
  const cut = new AbortController();
  const id = crypto.randomUUID();
  const range = { from: new Date(0), to: new Date(Date.now() + 1000), topics: ["task-events" as const], key: null };
  const by = { who: "test", via: "cli" as const, reason: null };
  const seen: number[] = [];
  const running = replayOutbox(db, { id, range, by, pace: { ratePerSecond: 400, signal: cut.signal } });
  while ((seen.at(-1) ?? 0) === 0) {
    const [row] = await db.sql<{ n: number }[]>`select count(*)::int as n from outbox where published_at is null`;
    seen.push(row?.n ?? 0);
  }
  cut.abort();
  const { messages, complete } = await running;
  expect(complete).toBe(false);
  expect(messages).toBeLessThan(250);
  expect((await ops("outbox", "replay", "--resume", id)).out).toContain("250 messages replayed");
  expect((await ops("outbox", "replay", "--resume", id)).out).toContain("250 messages replayed");
  const rows = await db.sql<{ messages: number; rows: number }[]>`
    select count(distinct message_id)::int as messages, count(*)::int as rows from outbox where published_at is null`;
  expect([...rows]).toEqual([{ messages: 250, rows: 250 }]);
});

test("a replay waits while live messages wait, and begins when they have gone", async () => {
  await write("a", 1, true);
  await write("live", 2000);
  const stop = new AbortController();
  const waits: string[] = [];
  const id = crypto.randomUUID();
  const range = { from: new Date(0), to: new Date(Date.now() + 1000), topics: ["task-events" as const], key: "a" };
  const by = { who: "test", via: "cli" as const, reason: null };
  const begun = Promise.withResolvers<void>();
  const onWait = (why: string) => (waits.push(why), begun.resolve());
  const running = replayOutbox(db, { id, range, by, pace: { ratePerSecond: 400, signal: stop.signal, onWait } });
  await begun.promise;
  expect(await db.sql`select from outbox where key = 'a'`).toHaveLength(1);
  await db.sql`update outbox set published_at = clock_timestamp() where key = 'live'`;
  expect(await running).toMatchObject({ messages: 1, complete: true });
  expect(waits).toHaveLength(1);
});

for (const [args, message] of [
  [["outbox", "release"], /say which/],
  [["outbox", "drop", "--topic", "task-events", "--key", "a"], /say which: --id/],
  [["outbox", "replay", "--from", "yesterday", "--topic", "task-events"], /--from must be a time/],
  [["outbox", "replay", "--from", "1h", "--topic", "nothing"], /there is no topic "nothing"/],
] as const)
  test(`"ops ${args.join(" ")}" ends with 2 and says why`, async () => {
    const { code, err } = await ops(...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
