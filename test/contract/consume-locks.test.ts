import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { enterInbox } from "../../shared/consume/inbox.ts";
import { lockParkedKeys } from "../../shared/consume/parking/parked-queue.ts";
import type { Db, Tx } from "../../shared/postgres/db.ts";
import { openTestDb } from "../support/database.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(40_000);

// Two transactions that lock the same rows in the same order cannot wait for each other. So each is shown to begin with
// the first row, whatever the order asked for: it waits for the one who holds that, and has none of the others
// meanwhile.

let db: Db;
beforeAll(async () => {
  db = await openTestDb(4);
});
afterAll(() => db?.[Symbol.asyncDispose]());

const epoch = 1;
const numbers = Array.from({ length: 20 }, (_, n) => String(n).padStart(2, "0"));

/** While somebody holds the first, lets `all` wait for it, and answers what the others are to somebody else then. */
async function besides<T>(
  of: Readonly<{
    first: (tx: Tx) => Promise<unknown>;
    all: (tx: Tx) => Promise<unknown>;
    look: (tx: Tx) => Promise<T>;
  }>,
): Promise<T> {
  const isHeld = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const holder = db.transaction(async (tx) => {
    await of.first(tx);
    isHeld.resolve();
    await mayCommit.promise;
  });
  await isHeld.promise;
  const waiter = db.transaction(of.all);
  await until("it waits for a lock", async () => {
    const [row] = await db.sql<{ waits: boolean }[]>`
      select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock') as waits`;
    return row?.waits;
  });
  const seen = await db.transaction(of.look);
  mayCommit.resolve();
  await Promise.all([holder, waiter]);
  return seen;
}

test("messages enter the inbox from the lowest id on", async () => {
  const entries = numbers.map((n) => ({ id: `0192f0a0-0000-7000-8000-0000000000${n}`, time: new Date() }));
  const entered = await besides({
    first: (tx) => enterInbox(tx, epoch, "done", entries.slice(0, 1)),
    all: (tx) => enterInbox(tx, epoch, "done", entries.toReversed()),
    // Would wait for whoever had entered one of them.
    look: async (tx) => {
      await tx`set local lock_timeout = '200ms'`;
      return enterInbox(tx, epoch, "done", entries.slice(1));
    },
  });
  expect(entered.size).toBe(19);
});

test("the same message under two times enters the inbox in the order of the times", async () => {
  const id = "0192f0a0-0000-7000-8000-0000000001ff";
  const entries = numbers.map((n) => ({ id, time: new Date(Date.now() + Number(n) * 1_000) }));
  const entered = await besides({
    first: (tx) => enterInbox(tx, epoch, "done", entries.slice(0, 1)),
    all: (tx) => enterInbox(tx, epoch, "done", entries.toReversed()),
    look: async (tx) => {
      await tx`set local lock_timeout = '200ms'`;
      for (const entry of entries.slice(1)) await enterInbox(tx, epoch, "done", [entry]);
      const [row] = await tx<{ count: number }[]>`select count(*)::int as count from inbox where message_id = ${id}`;
      return row?.count;
    },
  });
  expect(entered).toBe(19);
});

test("parked keys are locked from the first on", async () => {
  const keys = numbers.map((n) => ({ topic: "task-events", key: `k${n}` }));
  // Parked from the last to the first, so that the order of the table is not that of the keys.
  for (const { topic, key } of keys.toReversed())
    await db.sql`
      insert into parked_keys (epoch, topic, key, partition, next_at, class, error, fingerprint)
      values (${epoch}, ${topic}, ${key}, 0, clock_timestamp(), 'unknown', '', '')`;
  const free = await besides({
    first: (tx) => lockParkedKeys(tx, epoch, keys.slice(0, 1)),
    all: (tx) => lockParkedKeys(tx, epoch, keys.toReversed()),
    look: (tx) => tx<{ key: string }[]>`select key from parked_keys where epoch = ${epoch} for update skip locked`,
  });
  expect(free.map(({ key }) => key).toSorted()).toEqual(keys.slice(1).map(({ key }) => key));
});
