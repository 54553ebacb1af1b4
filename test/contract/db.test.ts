import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { eq, sql as text } from "drizzle-orm";
import { date, jsonb, pgTable, QueryBuilder, timestamp } from "drizzle-orm/pg-core";
import { builtQuery } from "../../workers/task-service/built-query.ts";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { byteaArray } from "../../shared/outbox/outbox.ts";
import { freshDatabase, type FreshDatabase } from "../support/database.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);

const log = makeLog({}, "error");
let database: FreshDatabase;
let db: Db;

beforeAll(async () => {
  database = await freshDatabase();
  db = await open("test-db");
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const open = (role: string): Promise<Db> =>
  openDb({ url: database.url, directUrl: null, statementMs: 5000 }, { role, poolSize: 2, log });
const kill = (role: string) =>
  db.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${role} and datname = current_database()`;

describe("values", () => {
  const moment = new Date("2026-03-01T10:00:00.123Z");

  test("times are Dates, dates are text, json is what was put in, both ways, by tagged statements", async () => {
    const [fine] = await db.sql`
      select ${moment}::timestamptz as moment, ${"2026-03-01"}::date as day,
        ${db.sql.json({ a: [1, "ü"] })}::jsonb as object, ${'{"b":2}'}::jsonb as "jsonText",
        ${db.sql.array([moment], 1185)}::timestamptz[] as moments, ${["a", 'b"\\']}::text[] as words`;
    expect(fine).toEqual({
      moment,
      day: "2026-03-01",
      object: { a: [1, "ü"] },
      jsonText: { b: 2 },
      moments: [moment],
      words: ["a", 'b"\\'],
    });
  });

  test("a query that drizzle built gives the same, and is prepared", async () => {
    const things = pgTable("things", { moment: timestamp({ withTimezone: true }), day: date(), object: jsonb() });
    await db.sql`create table things (moment timestamptz not null, day date not null, object jsonb not null)`;
    await db.sql`insert into things values (${moment}, ${"2026-03-01"}, ${'{"a":[1,"ü"]}'})`;
    const query = new QueryBuilder()
      .select()
      .from(things)
      .where(eq(things.moment, text.placeholder("moment")));
    const read = builtQuery(query);
    expect([...(await read(db.sql, { moment }))]).toEqual([{ moment, day: "2026-03-01", object: { a: [1, "ü"] } }]);
    const inTransaction = await db.transaction(async (tx) => {
      await read(tx, { moment });
      return await tx`select from pg_prepared_statements where statement like 'select "moment"%'`;
    });
    expect(inTransaction).toHaveLength(1);
  });

  test("an array of byte strings stays one", async () => {
    const values = [Buffer.from([0, 1, 255, 92, 34]), Buffer.alloc(0), Buffer.from("{,}")];
    const [row] = await db.sql<{ values: Buffer[] }[]>`select ${db.sql.array(values, byteaArray)}::bytea[] as values`;
    expect(row?.values.map((value) => value.toString("hex"))).toEqual(values.map((value) => value.toString("hex")));
  });
});

test("a pool is known to the server by the role and ends what runs or idles too long", async () => {
  const [row] = await db.sql`
    select current_setting('application_name') as name, current_setting('statement_timeout') as statement,
      current_setting('idle_in_transaction_session_timeout') as idle, current_setting('TimeZone') as zone`;
  expect(row).toEqual({ name: "test-db", statement: "5s", idle: "30s", zone: "UTC" });
});

test("ways around the fence are refused", () => {
  expect(() => db.sql.begin(async () => {})).toThrow("not fenced");
  expect(() => db.sql.reserve()).toThrow("not fenced");
});

test("a transaction commits what resolves, rolls back what rejects, and so do its savepoints", async () => {
  await db.sql`create table kept (n int)`;
  const result = await db.transaction(async (tx) => {
    await tx`insert into kept values (1)`;
    await tx
      .savepoint(async (inner) => {
        await inner`insert into kept values (2)`;
        throw new Error("undo");
      })
      .catch(() => {});
    await tx.savepoint("named", (inner) => inner`insert into kept values (3)`);
    return "done";
  });
  const undone = db.transaction(async (tx) => {
    await tx`insert into kept values (4)`;
    throw new Error("undo");
  });
  await expect(undone).rejects.toThrow("undo");
  expect([result, await db.sql`select n from kept order by n`]).toEqual(["done", [{ n: 1 }, { n: 3 }]] as never);
});

test("what a transaction's work left behind without waiting for it is refused once the work is done", async () => {
  await db.sql`create table left_behind (n int)`;
  const behind: { late?: () => Promise<unknown> } = {};
  await db.transaction(async (tx) => {
    await tx`select 1`;
    behind.late = () => tx`insert into left_behind values (1)`.catch((error: unknown) => error);
  });
  expect(await behind.late?.()).toMatchObject({ code: "TX_OVER" });
  expect(await db.sql`select from left_behind`).toHaveLength(0);
});

describe("listening", () => {
  test("hears what a notifier tells, and goes on after its connection died, saying that something may have been missed", async () => {
    await using other = await open("test-listener");
    const heard: string[] = [];
    await using listener = await other.listen("doorbell", (payload) => heard.push(payload));
    const [first] = heard.splice(0);
    expect([first, listener.isListening()]).toEqual(["", true]);
    await db.sql`select pg_notify('doorbell', 'one')`;
    await until("the first ring", () => heard.includes("one"));
    heard.length = 0;
    await kill("test-listener-listen");
    await until("a hint that something may have been missed", () => heard.includes(""));
    await db.sql`select pg_notify('doorbell', 'two')`;
    await until("the second ring", () => heard.includes("two"));
  });

  test("is refused where notifications do not come through, as behind a transaction-pooling proxy", async () => {
    await using elsewhere = await freshDatabase();
    await using other = await openDb(
      // What is sent to one database is never heard in another.
      { url: database.url, directUrl: elsewhere.url, statementMs: 5000 },
      { role: "test-deaf", poolSize: 1, log: makeLog({}, "error", () => {}) },
    );
    await expect(other.listen("doorbell", () => {})).rejects.toThrow("DATABASE_DIRECT_URL");
  });

  test("many notifications at once become a few, the first of them at once", async () => {
    await using other = await open("test-notifier");
    const times: number[] = [];
    await using listener = await other.listen("burst", () => times.push(performance.now()));
    await using notifier = other.notifier("burst");
    notifier.notify();
    await until("the connection of the notifier", () => times.length > 1);
    times.length = 0;
    const from = performance.now();
    let told = 0;
    // It lasts until the first is heard: one that rings only after a burst is never heard.
    while (told < 500 || (times.length === 0 && performance.now() < from + 10_000)) {
      for (let n = 0; n < 50; n++) notifier.notify();
      told += 50;
      await Bun.sleep(1);
    }
    expect(times).not.toHaveLength(0);
    await until("the last of the burst", () => performance.now() - (times.at(-1) ?? 0) > 300);
    expect(times.length).toBeLessThan(told / 10);
    expect(listener.isListening()).toBe(true);
  });

  test("a notifier whose connection dies never throws and works again", async () => {
    await using other = await open("test-dying");
    let rings = 0;
    await using listener = await other.listen("dying", () => rings++);
    await using notifier = other.notifier("dying");
    for (let n = 0; n < 5; n++) {
      notifier.notify();
      await Bun.sleep(20);
      await kill("test-dying-notify");
    }
    rings = 0;
    await until("another ring", () => {
      notifier.notify();
      return rings > 0;
    });
    expect(listener.isListening()).toBe(true);
  });
});

test("the error of a statement tells who wrote it, also inside a transaction", async () => {
  const failing = async () => {
    await db.sql`select ${"x"}::text::int`;
  };
  const failingInside = () =>
    db.transaction(async (tx) => {
      await tx`select ${"x"}::text::int`;
    });
  for (const work of [failing, failingInside]) {
    const error: unknown = await work().catch((thrown: unknown) => thrown);
    expect(error instanceof Error ? error.stack : "").toContain(import.meta.file);
  }
});
