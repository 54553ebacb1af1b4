import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import postgres from "postgres";
import { examineConfig } from "../../shared/role/config.ts";
import { makeLog } from "../../shared/role/log.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { claimSettings } from "../../workers/outbox-relay/claim.ts";
import { consumerWorld } from "../support/consumer-world.ts";
import { freshDatabase, type FreshDatabase } from "../support/database.ts";
import { findPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);
const found = findPgBouncer();
if (found === null && process.env["REQUIRE_ALL"] === "1") throw new Error("needs pgbouncer on PATH, or apt-get");
const log = makeLog({}, "error");
const statementMs = 2_000;

test("a transaction pooler needs a direct way beside it", () => {
  const env = { DATABASE_URL: "postgres://x@localhost/y", DATABASE_POOLER: "transaction" };
  expect(examineConfig(databaseSettings, env)).toEqual({
    complaints: [expect.stringMatching(/^DATABASE_DIRECT_URL is not set/)],
  });
  expect(examineConfig(databaseSettings, { ...env, DATABASE_DIRECT_URL: env.DATABASE_URL })).toHaveProperty("config");
});

describe.skipIf(found === null)("behind PgBouncer in transaction mode (skipped without pgbouncer)", () => {
  let database: FreshDatabase;
  const program = found ?? { program: "", env: {} };
  const alter = async (what: string) => {
    const direct = postgres(database.url, { max: 1 });
    await direct.unsafe(`alter database ${database.name} ${what}`);
    await direct.end();
  };
  beforeAll(async () => {
    database = await freshDatabase({ used: false });
  });
  afterAll(async () => {
    await alter("reset all");
    await database[Symbol.asyncDispose]();
  });
  const start = (more: readonly string[] = []) => startPgBouncer(program, { databaseUrl: database.url, more });
  const open = (url: string, pooler: "transaction" | null) =>
    openDb({ url, directUrl: database.url, statementMs, pooler }, { role: "test", poolSize: 12, log });

  test.each([
    ["that refuses the settings of a connection", []],
    ["that drops them", ["ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout"]],
  ])("a pooler nobody told of, %s, is refused with what to set", async (_, more) => {
    await using pooler = await start(more);
    expect(open(pooler.url, null)).rejects.toThrow("Set DATABASE_POOLER=transaction and DATABASE_DIRECT_URL");
    await open(pooler.url, null).catch(() => {});
  });

  test("a database without timeouts of its own is refused with the commands that set them", async () => {
    await using pooler = await start();
    expect(open(pooler.url, "transaction")).rejects.toThrow(
      `alter database ${database.name} set statement_timeout = 2000`,
    );
    await open(pooler.url, "transaction").catch(() => {});
  });

  test("statements, transactions, timeouts, notifications, a consumer and the relay's pool work", async () => {
    await alter("set statement_timeout = 2000");
    await alter("set idle_in_transaction_session_timeout = 30000");
    await using pooler = await start();
    await using db = await open(pooler.url, "transaction");
    await db.sql`create table effects (place serial, id uuid, key text, n int, member text)`;

    // More callers than connections: with prepared statements, one in ten failed.
    const answers = await Promise.all(
      Array.from(
        { length: 120 },
        (_, n) => db.sql<{ n: number; list: number[]; at: Date }[]>`
        select ${n}::int as n, ${[n, n]}::int[] as list, ${new Date(n)}::timestamptz as at`,
      ),
    );
    expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 120 }, (_, n) => n));
    expect(answers[7]?.[0]).toMatchObject({ list: [7, 7] });
    expect(answers[7]?.[0]?.at.toISOString()).toBe(new Date(7).toISOString());

    const failed = db.transaction(async (tx) => {
      await tx`insert into effects (key) values ('rolled back')`;
      throw new Error("no");
    });
    expect(failed).rejects.toThrow("no");
    await failed.catch(() => {});
    expect(await db.sql`select from effects`).toHaveLength(0);
    const slow = db.sql`select pg_sleep(3)`;
    expect(slow).rejects.toMatchObject({ code: "57014" });
    await slow.catch(() => {});

    let rings = 0;
    await db.listen("doorbell", () => void rings++);
    const before = rings;
    db.notifier("doorbell").notify();
    await until("a ring", () => rings > before);

    await using world = await consumerWorld({ kafka: "fake", db });
    const sent = await world.send(Array.from({ length: 200 }, (_, n) => `k${n % 9}`));
    const consumer = world.start({});
    await until("all commits", () => world.caughtUp(), { timeoutMs: 30_000 });
    expect((await world.effects()).map(({ id }) => id).toSorted()).toEqual([...sent].toSorted());
    await consumer.stop();

    const config = { url: pooler.url, directUrl: database.url, statementMs, pooler: "transaction" } as const;
    await using claims = await openDb(config, { role: "relay", poolSize: 2, log, settings: claimSettings });
    expect(await claims.sql`select current_setting('enable_sort') as sort`).toMatchObject([{ sort: "off" }]);
    expect(await db.sql`select current_setting('enable_sort') as sort`).toMatchObject([{ sort: "on" }]);
  });
});
