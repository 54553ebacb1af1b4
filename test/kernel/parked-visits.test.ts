import { afterAll, beforeAll, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { giveUp } from "../../shared/consume/dead-letters/give-up.ts";
import { handleBatch } from "../../shared/consume/handle-batch.ts";
import type { BatchHandler } from "../../shared/consume/handler.ts";
import { redriveDead } from "../../shared/consume/dead-letters/redrive-dead.ts";
import { resetGroup } from "../../shared/consume/reset-group.ts";
import { skipParkedHead } from "../../shared/consume/parking/skip-parked-head.ts";
import { workParkedKey } from "../../shared/consume/parking/work-parked-key.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { group, openConsumerDb, topic, write, type ConsumerWorld } from "../support/consumer-world.ts";
import { fetched, held, isInUse, kernelParts, someoneWaits } from "../support/kernel-parts.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(40_000);

const key = { topic, key: "k" };
let db: Db;
beforeAll(async () => {
  db = await openConsumerDb();
});
afterAll(() => db[Symbol.asyncDispose]());

const setup = () => kernelParts({ db });

/** Writes effects, and fails at the message of that number. */
function failsAt(n: number, error: Error): Readonly<{ handle: BatchHandler }> {
  return {
    handle: async (messages, { tx }) => {
      for (const message of messages) {
        if (message.sequence === n) throw error;
        await write(tx, message);
      }
      return messages.map(() => []);
    },
  };
}

async function keyOf({ db: { sql } }: ConsumerWorld) {
  const [row] = await sql<{ attempts: number; isDue: boolean; inSeconds: number }[]>`
    select attempts, next_at <= clock_timestamp() as "isDue",
      extract(epoch from next_at - clock_timestamp())::float8 as "inSeconds"
    from parked_keys where key = 'k'`;
  return row;
}

const haveTried = ({ db: { sql } }: ConsumerWorld, attempts: number) =>
  sql`update parked_keys set attempts = ${attempts}, next_at = clock_timestamp()`;

test("a visit that its time cuts off keeps the key, due at once, and costs the next message no try", async () => {
  await using one = await setup();
  await one.park(fetched(1), db, 0);
  await one.batch(fetched(2), fetched(3));
  await haveTried(one.world, 1);
  let ms = 0;
  const clock = spyOn(performance, "now").mockImplementation(() => (ms += 200));
  const visit = await workParkedKey(one.handling, key).finally(() => clock.mockRestore());
  expect([visit.done.length, visit.released]).toEqual([2, false]);
  expect(await keyOf(one.world)).toMatchObject({ attempts: 0, isDue: true });
  expect((await workParkedKey(one.handling, key)).released).toBe(true);
  expect(await one.numbers()).toEqual([1, 2, 3]);
});

test("the tries of one message do not count for the next of its key", async () => {
  await using one = await setup();
  await one.park(fetched(1), db, 0);
  await one.batch(fetched(2));
  await haveTried(one.world, 1);
  const visit = await workParkedKey({ ...one.handling, ...failsAt(2, new Error("no")) }, key);
  expect([visit.done.length, visit.dead.length, visit.failed?.attempts]).toEqual([1, 0, 1]);
  expect(await keyOf(one.world)).toMatchObject({ attempts: 1 });
});

test("a message that fails waits for its tier, and no visit before that works it", async () => {
  await using one = await setup();
  await one.park(fetched(1), db, 0);
  await haveTried(one.world, 0);
  const random = spyOn(Math, "random").mockReturnValue(0.5);
  await workParkedKey({ ...one.handling, ...failsAt(1, new Error("no")) }, key).finally(() => random.mockRestore());
  const waiting = await keyOf(one.world);
  expect(waiting?.inSeconds).toBeGreaterThan(1_700);
  expect(waiting?.inSeconds).toBeLessThan(1_801);
  expect(await workParkedKey(one.handling, key)).toMatchObject({ done: [], failed: null, released: false });
  expect(await one.numbers()).toEqual([]);
});

test.each([
  ["a deadlock", { code: "40P01" }],
  ["a serialization failure", { code: "40001" }],
  ["a database that is away", { code: "ECONNREFUSED" }],
  ["a full disk", { code: "53100", severity: "ERROR" }],
])("%s undoes the whole visit, and no try is spent", async (_, what) => {
  await using one = await setup();
  await one.park(fetched(1), db, 0);
  await one.batch(fetched(2));
  await haveTried(one.world, 1);
  const visit = workParkedKey({ ...one.handling, ...failsAt(2, Object.assign(new Error("no"), what)) }, key);
  expect(await visit.catch((error: unknown) => error)).toMatchObject(what);
  expect(await one.numbers()).toEqual([]);
  expect(await one.world.parked()).toHaveLength(2);
  expect(await keyOf(one.world)).toMatchObject({ attempts: 1, isDue: true });
});

test("the last try leaves one dead letter, and the key goes on with what waited", async () => {
  await using one = await setup();
  await one.park(fetched(1), db, 0);
  await one.batch(fetched(2));
  await haveTried(one.world, 1);
  const visit = await workParkedKey({ ...one.handling, ...failsAt(1, new Error("no")) }, key);
  expect([visit.dead.length, visit.done.length, visit.released]).toEqual([1, 1, true]);
  expect(await one.world.deadLetters()).toHaveLength(1);
  // Asked for itself: without its key nothing leads to a message that was left.
  expect(await db.sql`select from parked_messages`).toHaveLength(0);
  expect((await one.world.fates()).map(({ fate }) => fate).toSorted()).toEqual(["dead", "done"]);
});

test("a message that two members park is queued once", async () => {
  await using one = await setup();
  const record = fetched(1);
  await Promise.all([one.park(record), one.park(record)]);
  expect(await one.world.parked()).toHaveLength(1);
});

test("parking behind a key that waits leaves its tries and its time as they are", async () => {
  await using one = await setup();
  await one.park(fetched(1));
  await db.sql`update parked_keys set attempts = 3`;
  const before = await db.sql`select attempts, next_at from parked_keys`;
  await one.park(fetched(2), db, 0);
  expect([...(await db.sql`select attempts, next_at from parked_keys`)]).toEqual([...before]);
  expect(await one.world.parked()).toHaveLength(2);
});

test("a record that two members bury is one dead letter", async () => {
  await using one = await setup();
  const failed = one.failed(fetched(1));
  await Promise.all([giveUp(one.handling, failed), giveUp(one.handling, failed)]);
  expect(await one.world.deadLetters()).toHaveLength(1);
});

test("what an operator skipped can be brought back once, and what waited behind it goes on", async () => {
  await using one = await setup();
  await one.park(fetched(1));
  await one.batch(fetched(2));
  await skipParkedHead(db, { ...key, group, by: "ada" });
  expect((await workParkedKey(one.handling, key)).done).toHaveLength(1);
  const letters = await db.sql<{ id: string }[]>`select id from dead_letters`;
  const again = (redriveId: string) =>
    redriveDead(db, { group, ids: letters.map(({ id }) => id), redriveId, by: "ada" });
  expect((await again(crypto.randomUUID())).moved).toHaveLength(1);
  expect((await workParkedKey(one.handling, key)).done).toHaveLength(1);
  expect(await again(crypto.randomUUID())).toMatchObject({ moved: [], skipped: [{ why: "not_dead" }] });
  expect(await one.numbers()).toEqual([2, 1]);
});

test("what dies again is brought back by another redrive, not by the same, and not beyond the cap", async () => {
  await using one = await setup();
  await giveUp(one.handling, one.failed(fetched(1)));
  const ids = (await db.sql<{ id: string }[]>`select id from dead_letters`).map(({ id }) => id);
  const bringBack = (redriveId: string) => redriveDead(db, { group, ids, redriveId, by: "ada", cap: 2 });
  const dieAgain = () => workParkedKey({ ...one.handling, ...failsAt(1, new Error("no")), tiersMs: [] }, key);
  const first = crypto.randomUUID();
  expect((await bringBack(first)).moved).toHaveLength(1);
  expect((await dieAgain()).dead).toHaveLength(1);
  expect((await bringBack(first)).skipped).toMatchObject([{ why: "already" }]);
  expect((await bringBack(crypto.randomUUID())).moved).toHaveLength(1);
  expect((await dieAgain()).dead).toHaveLength(1);
  expect((await bringBack(crypto.randomUUID())).skipped).toMatchObject([{ why: "over_cap" }]);
});

test("dead letters of a key come back in the order of the log, behind what waits there", async () => {
  await using one = await setup();
  for (const n of [3, 1, 2]) await giveUp(one.handling, one.failed(fetched(n)));
  await one.park(fetched(4), db, 0);
  const ids = (await db.sql<{ id: string }[]>`select id from dead_letters order by dead_at`).map(({ id }) => id);
  await redriveDead(db, { group, ids, redriveId: crypto.randomUUID(), by: "ada" });
  expect((await workParkedKey(one.handling, key)).done).toHaveLength(4);
  expect(await one.numbers()).toEqual([4, 1, 2, 3]);
});

test("a redrive of what is done already brings nothing back, and leaves no key parked", async () => {
  await using one = await setup();
  await giveUp(one.handling, one.failed(fetched(1)));
  // As after a redrive of a copy of it.
  await db.sql`update inbox set fate = 'done'`;
  const [letter] = await db.sql<{ id: string }[]>`select id from dead_letters`;
  const ids = [letter?.id ?? ""];
  expect(await redriveDead(db, { group, ids, redriveId: crypto.randomUUID(), by: "ada" })).toMatchObject({ moved: [] });
  expect([...(await db.sql`select key from parked_keys union all select key from parked_messages`)]).toEqual([]);
});

test("a reset waits for the batches that run, and refuses those that begin after it", async () => {
  await using one = await setup();
  const go = Promise.withResolvers<void>();
  const messages = await one.read([fetched(1)]);
  const running = handleBatch({ ...one.handling, db: held(db, go.promise) }, messages);
  await until("the batch", () => isInUse(db.sql, "inbox"));
  const reset = resetGroup(db, one.world.broker.admin, { group, to: [] });
  await until("the reset to wait", () => someoneWaits(db.sql));
  go.resolve();
  expect((await running).handled.size).toBe(1);
  await reset;
  for (const late of [
    () => one.batch(fetched(2)),
    () => one.park(fetched(3)),
    () => giveUp(one.handling, one.failed(fetched(4))),
    () => workParkedKey(one.handling, key),
  ])
    expect(await late().catch((error: unknown) => error)).toMatchObject({ code: "EPOCH_CHANGED" });
  expect(await one.numbers()).toEqual([1]);
});

test("a batch whose messages the outbox does not take has no effect", async () => {
  await using one = await setup();
  const handle: BatchHandler = async (messages, { tx }) => {
    for (const message of messages) await write(tx, message);
    return messages.map(({ key: task, sequence }) => {
      const told = {
        task_id: task,
        user_id: task,
        change_type: "deleted",
        payload: "{}",
        timestamp: new Date(),
      } as const;
      return [{ type: "TaskChanged", key: task, subject: task, sequence, data: told }];
    });
  };
  const messages = await one.read([fetched(1)]);
  await db.sql`alter table outbox add constraint full_up check (false) not valid`;
  try {
    const failed = await handleBatch({ ...one.handling, handle }, messages).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "23514" });
  } finally {
    await db.sql`alter table outbox drop constraint full_up`;
  }
  expect(await one.world.fates()).toHaveLength(0);
  expect((await handleBatch({ ...one.handling, handle }, messages)).derived).toBe(1);
});

test("a handler that answers for fewer messages than it got has failed", async () => {
  await using one = await setup();
  const messages = await one.read([fetched(1), fetched(2)]);
  const handle: BatchHandler = (all) => Promise.resolve(all.slice(1).map(() => []));
  await expect(handleBatch({ ...one.handling, handle }, messages)).rejects.toThrow("answered for 1 of 2");
  expect(await one.world.fates()).toHaveLength(0);
});

test("a handler that does not end is given up on at its deadline, with nothing done", async () => {
  await using one = await setup();
  const messages = await one.read([fetched(1)]);
  const handle: BatchHandler = () => new Promise(() => {});
  const handled = handleBatch({ ...one.handling, handle, handlerMs: 20 }, messages);
  expect(await handled.catch((error: unknown) => error)).toMatchObject({ code: "HANDLER_DEADLINE" });
  expect(await one.world.fates()).toHaveLength(0);
});
