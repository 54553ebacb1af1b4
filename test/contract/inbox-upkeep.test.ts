import { afterEach, expect, setDefaultTimeout, setSystemTime, test } from "bun:test";
import { inboxUpkeep } from "../../shared/consume/inbox-retention.ts";
import { redriveDead } from "../../shared/consume/dead-letters/redrive-dead.ts";
import { makeLog } from "../../shared/role/log.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { runUpkeep } from "../../shared/role/upkeep.ts";
import { consumerWorld, event, group, record } from "../support/consumer-world.ts";
import { openTestDb } from "../support/database.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(40_000);
afterEach(() => void setSystemTime());

const dayMs = 86_400_000;
const log = makeLog({}, "error", () => {});
const upkeep = (db: Db) => runUpkeep(inboxUpkeep(db, log), { log });

const weeksOf = async (db: Db) =>
  (
    await db.sql<{ name: string }[]>`
      select child.relname as name from pg_inherits join pg_class child on child.oid = inhrelid
      where inhparent = 'inbox'::regclass and child.relname <> 'inbox_default' order by 1`
  ).map(({ name }) => name);

/** So many rows of some time in the inbox. */
const remember = (db: Db, time: string, count = 1) => db.sql`
  insert into inbox (epoch, message_id, time, fate)
  select 1, gen_random_uuid(), ${time}::timestamptz, 'done' from generate_series(1, ${count}::int)`;
const rowsIn = async (db: Db, table: string) =>
  (await db.sql<{ n: number }[]>`select count(*)::int as n from ${db.sql(table)}`)[0]?.n;

/** The last week made ahead, taken away, and an instant in it. */
async function withoutLastWeek(db: Db) {
  await upkeep(db);
  const name = (await weeksOf(db)).at(-1) ?? "";
  await db.sql.unsafe(`drop table ${name}`);
  const [, year, month, day] = /^inbox_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
  return { name, inside: `${year}-${month}-${day}T12:00:00Z` };
}

test("a week of which a message came too early is made all the same, and the message is in it", async () => {
  await using db = await openTestDb();
  const { name, inside } = await withoutLastWeek(db);
  await remember(db, inside);
  await remember(db, "2099-01-01T00:00:00Z");
  expect(await upkeep(db)).toEqual([]);
  expect(await weeksOf(db)).toContain(name);
  expect([await rowsIn(db, name), await rowsIn(db, "inbox_default")]).toEqual([1, 1]);
});

test("a week of which very much came too early stays in the default partition; everything else is kept up", async () => {
  await using db = await openTestDb();
  const { name, inside } = await withoutLastWeek(db);
  const before = (await weeksOf(db)).at(-1) ?? "";
  await db.sql.unsafe(`drop table ${before}`);
  await remember(db, inside, 10_001);
  await db.sql.unsafe(
    "create table inbox_20200106 partition of inbox for values from ('2020-01-06 00:00Z') to ('2020-01-13 00:00Z')",
  );
  expect(await upkeep(db)).toEqual([]);
  const weeks = await weeksOf(db);
  expect([weeks.includes(name), weeks.includes(before), weeks.includes("inbox_20200106")]).toEqual([
    false,
    true,
    false,
  ]);
  expect(await rowsIn(db, "inbox")).toBe(10_001);
});

test("a message that came long after its time is remembered from the day it came, and forgotten like any other", async () => {
  await using db = await openTestDb();
  await db.sql.unsafe(
    "create table inbox_20200106 partition of inbox for values from ('2020-01-06 00:00Z') to ('2020-01-13 00:00Z')",
  );
  const enter = (time: string, arrived: string) => db.sql`
    insert into inbox (epoch, message_id, time, fate, arrived)
    select 1, gen_random_uuid(), ${time}::timestamptz, 'done', (clock_timestamp() at time zone 'UTC')::date - ${arrived}::interval`;
  await remember(db, "2020-01-07T00:00:00Z");
  await enter("2020-01-08T00:00:00Z", "40 days");
  await enter("2020-01-09T00:00:00Z", "50 days");
  await db.sql`update inbox set arrived = '2020-01-14' where time > '2020-01-09'`;
  await enter("2020-01-10T00:00:00Z", "50 days");
  await enter("2019-01-01T00:00:00Z", "50 days");
  await enter("2019-01-02T00:00:00Z", "40 days");
  await enter("2099-01-01T00:00:00Z", "50 days");
  expect(await upkeep(db)).toEqual([]);
  const left = await db.sql<
    { day: string }[]
  >`select (time at time zone 'UTC')::date::text as day from inbox order by 1`;
  expect(left.map(({ day }) => day)).toEqual(["2019-01-02", "2020-01-07", "2020-01-08", "2099-01-01"]);
  expect(await rowsIn(db, "inbox_default")).toBe(4);
  // The index that finds them, without reading the week.
  const plan = await db.transaction(async (tx) => {
    // A table of four rows is read whole otherwise.
    await tx`set local enable_seqscan = off`;
    return tx.unsafe(
      `explain select * from inbox_default where arrived - (time at time zone 'UTC')::date > 7 and arrived >= '2020-01-01'`,
    );
  });
  expect(JSON.stringify(plan)).toContain("inbox_default_arrived_idx");
});

test("a week that cannot be dropped keeps no other from being dropped, nor dead letters from being forgotten", async () => {
  await using db = await openTestDb();
  for (const [name, from, to] of [
    ["inbox_20200106", "2020-01-06", "2020-01-13"],
    ["inbox_20200113", "2020-01-13", "2020-01-20"],
  ] as const)
    await db.sql.unsafe(
      `create table ${name} partition of inbox for values from ('${from} 00:00Z') to ('${to} 00:00Z')`,
    );
  await db.sql`
    insert into dead_letters (id, group_name, epoch, topic, partition, "offset", message_id, time, timestamp_ms, headers, class,
      error, fingerprint, attempts, state, settled_at)
    values (gen_random_uuid(), 'g', 1, 't', 0, 0, gen_random_uuid(), now(), 0, '[]', 'unknown', '', 'f', '[]', 'dropped',
      now() - interval '1 year')`;
  const failed = await db.transaction(async (tx) => {
    await tx`lock table inbox_20200106 in access share mode`;
    return upkeep(db);
  });
  expect(failed).toEqual(["inbox_old_weeks"]);
  const weeks = await weeksOf(db);
  expect([weeks.includes("inbox_20200106"), weeks.includes("inbox_20200113")]).toEqual([true, false]);
  expect(await rowsIn(db, "dead_letters")).toBe(0);
  expect(await upkeep(db)).toEqual([]);
  expect(await weeksOf(db)).not.toContain("inbox_20200106");
});

test.each([
  ["eight weeks ahead", 56 * dayMs],
  ["a year behind", -365 * dayMs],
])("a process whose clock is %s keeps the same weeks as any other", async (_when, offMs) => {
  await using db = await openTestDb();
  await upkeep(db);
  const before = await weeksOf(db);
  await db.sql`
    insert into inbox (epoch, message_id, time, fate) values (1, gen_random_uuid(), clock_timestamp(), 'done')`;
  setSystemTime(new Date(Date.now() + offMs));
  expect(await upkeep(db)).toEqual([]);
  expect(await weeksOf(db)).toEqual(before);
  expect(await rowsIn(db, "inbox")).toBe(1);
});

/** A consumer that fails at a message of 60 days ago, which is parked then, its inbox row in a week of its own. */
async function parkedLongAgo() {
  const world = await consumerWorld({ kafka: "fake", partitions: 1 });
  const first = world.start({ tiersMs: [3_600_000], handle: () => Promise.reject(new Error("not yet")) });
  const time = new Date(Date.now() - 60 * dayMs);
  const sent = event("k", 1);
  const headers = sent.headers.map(([name, value]) =>
    name === "ce_time" ? ([name, Buffer.from(time.toISOString())] as const) : ([name, value] as const),
  );
  await world.sendRaw([{ ...sent, headers }]);
  await until("it is parked", async () => (await world.parked()).length === 1);
  await first.stop();
  const { db } = world;
  const [week] = await db.sql<{ name: string; start: string; end: string }[]>`
    select 'inbox_' || to_char(monday, 'YYYYMMDD') as name, monday || '+00' as start,
      (monday + interval '1 week') || '+00' as "end"
    from (select date_trunc('week', ${time.toISOString()}::timestamptz at time zone 'UTC') as monday) as of`;
  if (week === undefined) throw new Error("no week");
  await db.transaction(async (tx) => {
    await tx`create temporary table early on commit drop as select * from inbox_default`;
    await tx`delete from inbox_default`;
    await tx.unsafe(
      `create table ${week.name} partition of inbox for values from ('${week.start}') to ('${week.end}')`,
    );
    await tx`insert into inbox select * from early`;
  });
  expect(await rowsIn(db, week.name)).toBe(1);
  const tryAgain = () => db.sql`update parked_keys set next_at = clock_timestamp()`;
  return { world, week: week.name, tryAgain, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

test("what is still parked when its week is dropped is handled when it works again", async () => {
  await using parked = await parkedLongAgo();
  const { world, week, tryAgain } = parked;
  expect(await upkeep(world.db)).toEqual([]);
  expect(await weeksOf(world.db)).not.toContain(week);
  expect((await world.fates()).map(({ fate }) => fate)).toEqual(["parked"]);
  world.start({ handle: record() });
  await tryAgain();
  await until("the key is released", async () => (await world.db.sql`select from parked_keys`).length === 0);
  expect(await world.effects()).toHaveLength(1);
  expect((await world.fates()).map(({ fate }) => fate)).toEqual(["done"]);
  expect(await world.deadLetters()).toHaveLength(0);
});

test("a parked message the inbox has forgotten is a dead letter, never done; brought back it is handled", async () => {
  await using parked = await parkedLongAgo();
  const { world, week, tryAgain } = parked;
  await world.db.sql.unsafe(`drop table ${week}`);
  world.start({ handle: record(), tiersMs: [20] });
  await tryAgain();
  await until("the key is released", async () => (await world.db.sql`select from parked_keys`).length === 0);
  expect(await world.effects()).toHaveLength(0);
  const letters = await world.db.sql<{ id: string; error: string; class: string }[]>`
    select id, error, class from dead_letters where state = 'dead'`;
  expect(letters).toHaveLength(1);
  expect(letters[0]).toMatchObject({ class: "permanent", error: expect.stringContaining("forgotten") });
  const ids = letters.map(({ id }) => id);
  await redriveDead(world.db, { group, ids, redriveId: crypto.randomUUID(), by: "test" });
  await until("it is handled", async () => (await world.effects()).length === 1);
});
