import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { PartitionOffset } from "../../shared/messages/broker.ts";
import { giveUp } from "../../shared/consume/dead-letters/give-up.ts";
import { handleBatch } from "../../shared/consume/handle-batch.ts";
import { park } from "../../shared/consume/parking/park.ts";
import { makePositions } from "../../shared/consume/log/positions.ts";
import { resetGroup } from "../../shared/consume/reset-group.ts";
import { formatOrigin, originHeader, type RowOrigin } from "../../shared/outbox/origin.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { group, openConsumerDb, topic } from "../support/consumer-world.ts";
import { fetched, kernelParts, type KeyedRecord } from "../support/kernel-parts.ts";

setDefaultTimeout(40_000);

let db: Db;
beforeAll(async () => {
  db = await openConsumerDb();
});
afterAll(() => db[Symbol.asyncDispose]());

/** A partition as a member is given it: its log has the offsets 0 to 99. */
const given = (partition: number, committed: bigint, more: Readonly<{ end?: bigint }> = {}) =>
  ({ topic, partition, committed, start: 0n, end: 100n, ...more }) as const;
const at = (partition: number, offset: bigint): PartitionOffset => ({ topic, partition, offset });

async function setup(commits: readonly PartitionOffset[] = []) {
  const one = await kernelParts({ db });
  const positions = makePositions({
    db,
    admin: {
      committed: () => Promise.resolve(commits),
      offsets: async () => new Map(),
      read: () => Promise.resolve([]),
    },
    group,
    epoch: one.handling.epoch,
  });
  const stored = async () => {
    const rows = await db.sql<{ partition: number; next: number; doubted: number | null }[]>`
      select partition, next_offset::int as next, doubted_below::int as doubted from consumer_positions order by partition`;
    return rows.map(({ partition, next, doubted }) => [partition, next, doubted]);
  };
  return {
    ...one,
    positions,
    stored,
    life: await positions.life(),
    [Symbol.asyncDispose]: () => one[Symbol.asyncDispose](),
  };
}

test("positions rise, only in the life they were compared in, and only for as long as the group is not reset", async () => {
  await using one = await setup();
  const { positions, life } = one;
  await positions.store(life, [at(0, 5n), at(1, 7n)]);
  await positions.store(life, [at(0, 3n), at(1, 8n)]);
  const kept = [
    [0, 5, null],
    [1, 8, null],
  ];
  expect(await one.stored()).toEqual(kept);
  const elsewhere = positions.store("another life", [at(0, 9n)]);
  expect(await elsewhere.catch((error: unknown) => error)).toMatchObject({ code: "DATABASE_CHANGED" });
  expect(await one.stored()).toEqual(kept);
  await resetGroup(db, one.world.broker.admin, { group, to: [] });
  const late = positions.store(life, [at(0, 9n)]);
  expect(await late.catch((error: unknown) => error)).toMatchObject({ code: "DATABASE_CHANGED" });
  expect(await one.stored()).toEqual(kept);
  const joining = positions.compare([given(0, 5n)]);
  expect(await joining.catch((error: unknown) => error)).toMatchObject({ code: "EPOCH_CHANGED" });
});

test("commits above the positions are gone back behind, and doubted until the position is there again", async () => {
  await using one = await setup();
  const { positions, life } = one;
  await positions.store(life, [at(0, 3n), at(1, 5n)]);
  const first = await positions.compare([given(0, 8n), given(1, 5n)]);
  expect(first).toMatchObject({ life, behind: [at(0, 3n)] });
  // As the next client finds it, whose commits are the positions.
  const second = await positions.compare([given(0, 3n), given(1, 5n)]);
  expect(second.behind).toEqual([]);
  expect([...second.doubted]).toEqual([[`${topic}/0`, 8n]]);
  await positions.store(life, [at(0, 6n)]);
  expect(await one.stored()).toEqual([
    [0, 6, 8],
    [1, 5, null],
  ]);
  await positions.store(life, [at(0, 8n)]);
  expect(await one.stored()).toEqual([
    [0, 8, null],
    [1, 5, null],
  ]);
});

test("commits below the positions are read again, and doubted by nobody", async () => {
  await using one = await setup();
  await one.positions.store(one.life, [at(0, 8n)]);
  const compared = await one.positions.compare([given(0, 3n)]);
  expect([compared.behind, [...compared.doubted]]).toEqual([[], []]);
  expect(await one.stored()).toEqual([[0, 8, null]]);
});

test("a topic without positions begins at the commits of all members; a partition it gets later, at its start", async () => {
  await using one = await setup([at(0, 5n), at(1, 6n), { topic: "reminders", partition: 0, offset: 9n }]);
  expect((await one.positions.compare([given(0, 5n)])).behind).toEqual([]);
  expect(await one.stored()).toEqual([
    [0, 5, null],
    [1, 6, null],
  ]);
  expect((await one.positions.compare([given(0, 5n), given(1, 6n), given(2, 4n)])).behind).toEqual([at(2, 0n)]);
  expect(await one.stored()).toEqual([
    [0, 5, null],
    [1, 6, null],
    [2, 0, 4],
  ]);
});

test("positions beyond the end of a log are of an earlier topic of its name: it begins at its commit", async () => {
  await using one = await setup();
  await one.positions.store(one.life, [at(0, 50n)]);
  await one.positions.compare([given(0, 2n, { end: 10n })]);
  expect(await one.stored()).toEqual([[0, 2, null]]);
});

test("nothing is handled, parked or buried in another life of the database than the positions were compared in", async () => {
  await using one = await setup();
  const elsewhere = { ...one.handling, life: () => "another life" };
  const failed = { ...one.failed(fetched(1)), record: fetched(1) };
  for (const work of [
    async () => handleBatch(elsewhere, await one.read([fetched(1)])),
    () => park(elsewhere, failed, { delayMs: 0 }),
    () => giveUp(elsewhere, failed),
  ])
    expect(await work().catch((error: unknown) => error)).toMatchObject({ code: "DATABASE_CHANGED" });
  expect([...(await one.world.fates())]).toEqual([]);
  expect(
    (await handleBatch({ ...one.handling, life: () => one.life }, await one.read([fetched(1)]))).handled.size,
  ).toBe(1);
});

/** The record as the relay sends it. */
const from = (record: KeyedRecord, origin: RowOrigin): KeyedRecord => ({
  ...record,
  headers: [...record.headers, [originHeader, Buffer.from(formatOrigin(origin))]],
});

test("a record of another life is handled, parked or buried only where the outbox has its very row", async () => {
  await using one = await setup();
  const living = { ...one.handling, life: () => one.life };
  const [row] = await db.sql<RowOrigin[]>`
    insert into outbox (shard, topic, key, message_id, type, subject, time, value, headers, published_at)
    values (0, 'x', 'x', gen_random_uuid(), 'x', 'x', now(), '', '[]', now())
    returning '1' as life, day, id::text as id, (extract(epoch from created_at) * 1000000)::bigint::text as created`;
  if (row === undefined) throw new Error("no row was inserted");
  const lost: readonly RowOrigin[] = [
    { ...row, id: "999999" },
    { ...row, created: "1" },
  ];
  const records = lost.map((origin, n) => from(fetched(n + 1), origin));
  const handled = await handleBatch(living, await one.read([...records, from(fetched(9), row)]));
  expect([handled.lost.size, handled.handled.size]).toEqual([2, 1]);
  for (const record of records) {
    const failed = { ...one.failed(record), record };
    await park(living, failed, { delayMs: 0 });
    await giveUp(living, failed);
  }
  expect(await one.world.fates()).toHaveLength(1);
  expect([...(await one.world.parked()), ...(await one.world.deadLetters())]).toEqual([]);
  // What was claimed in this life needs no row: it is on its way while the server lives.
  const own = await handleBatch(
    living,
    await one.read(records.map((record) => from(record, { ...row, id: "7", life: one.life }))),
  );
  expect([own.lost.size, own.handled.size]).toEqual([0, 2]);
});
