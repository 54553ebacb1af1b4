import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { noteHistory } from "../../shared/postgres/database-history.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { migrate } from "../../workers/operator/migrate.ts";
import { emptyDatabase, openTestDb } from "../support/database.ts";
import { until } from "../support/until.ts";

const asTest = { role: "test", poolSize: 1, log: makeLog({}, "error") };

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db[Symbol.asyncDispose]());
beforeEach(async () => {
  await db.sql`delete from database_history`;
  await db.sql`
    insert into database_history (number, life, timeline, system, reason)
    select 0, server_life(), database_timeline(), database_system(), 'beginning'`;
  await db.sql`
    insert into stream_epoch (topic, epoch) values ('task-updates', 'first')
    on conflict (topic) do update set epoch = 'first'`;
});

const floor = async () => (await db.sql<{ floor: string }[]>`select told_floor()::text as floor`)[0]?.floor;
const epoch = async () => (await db.sql<{ epoch: string }[]>`select epoch from stream_epoch`)[0]?.epoch;

test("a database that is the one it was notes nothing, whatever evidence its own life has had", async () => {
  expect(await noteHistory(db)).toMatchObject({ number: 0, began: false });
  expect(await noteHistory(db, "effects")).toMatchObject({ number: 0, began: false });
  expect([await floor(), await epoch()]).toEqual(["0", "first"]);
});

test("another timeline raises versions at once, and begins a part of the history and new streams once", async () => {
  await db.sql`update database_history set timeline = '0000FFFF'`;
  expect(await floor()).toBe("1000000000");
  const noted = await Promise.all([noteHistory(db), noteHistory(db), noteHistory(db, "effects")]);
  expect(noted.filter(({ began }) => began)).toHaveLength(1);
  expect(noted.map(({ number }) => number)).toEqual([1, 1, 1]);
  expect(await floor()).toBe("1000000000");
  expect(await epoch()).not.toBe("first");
});

test("of two that notice at the same moment, one begins a part and the other finds it", async () => {
  await db.sql`update database_history set timeline = '0000FFFF'`;
  const [isHeld, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = db.transaction(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtextextended('database_history', 0))`;
    isHeld.resolve();
    await go.promise;
  });
  await isHeld.promise;
  const noting = Promise.all([noteHistory(db), noteHistory(db)]);
  await until("both wait for their turn", async () => {
    const waiting = await db.sql`
      select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`;
    return waiting.length === 2;
  });
  go.resolve();
  await holding;
  const noted = await noting;
  expect(noted.map(({ number, began }) => `${number} ${began}`).toSorted()).toEqual(["1 false", "1 true"]);
});

test.each(["effects", "events"] as const)(
  "lost %s that another life of the server is found with begin one, once",
  async (evidence) => {
    await db.sql`update database_history set life = '1'`;
    expect(await noteHistory(db)).toMatchObject({ began: false });
    expect(await noteHistory(db, evidence)).toMatchObject({ number: 1, began: true, reason: evidence });
    expect(await noteHistory(db, evidence)).toMatchObject({ number: 1, began: false });
    expect(await epoch()).not.toBe("first");
  },
);

test("a managed Postgres that tells neither timeline nor system is migrated and used; evidence and an operator begin a part", async () => {
  await using database = await emptyDatabase();
  const role = `untold_${crypto.randomUUID().slice(0, 8)}`;
  const admin = await openDb(
    { url: database.url, directUrl: null, statementMs: 10_000 },
    { ...asTest, checkSchema: false },
  );
  await admin.sql.unsafe(`
    revoke execute on function pg_current_wal_lsn(), pg_control_system() from public;
    create role ${role} login; grant create on schema public to ${role}; grant connect on database ${database.name} to ${role}`);
  const url = new URL(database.url);
  url.username = role;
  try {
    await migrate(url.href, { log: asTest.log });
    await using plain = await openDb({ url: url.href, directUrl: null, statementMs: 10_000 }, asTest);
    const [told] = await plain.sql`select timeline, system, told_floor()::int as floor from database_history`;
    expect(told).toEqual({ timeline: "", system: "", floor: 0 });
    expect(await noteHistory(plain)).toMatchObject({ number: 0, began: false });
    await plain.sql`update database_history set life = '1'`;
    expect(await noteHistory(plain)).toMatchObject({ number: 0, began: false });
    expect(await noteHistory(plain, "effects")).toMatchObject({ number: 1, began: true });
    expect(await noteHistory(plain, "operator: restored")).toMatchObject({ number: 2, began: true });
    const [after] = await plain.sql`select told_floor()::text as floor`;
    expect(after?.["floor"]).toBe("2000000000");
  } finally {
    await admin.sql.unsafe(`reassign owned by ${role} to postgres; drop owned by ${role}; drop role ${role}`);
    await admin[Symbol.asyncDispose]();
  }
});

test("a dump restored elsewhere begins one, and an operator may at any time", async () => {
  await db.sql`update database_history set system = '1'`;
  expect(await noteHistory(db)).toMatchObject({ number: 1, began: true, reason: "system" });
  const second = await epoch();
  expect(await noteHistory(db, "operator: a copy was put back")).toMatchObject({ number: 2, began: true });
  expect(await floor()).toBe("2000000000");
  expect(await epoch()).not.toBe(second);
});
