import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { makeLog } from "../../shared/role/log.ts";
import { inboxUpkeep } from "../../shared/consume/inbox-retention.ts";
import { runUpkeep } from "../../shared/role/upkeep.ts";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { migrate } from "../../workers/operator/migrate.ts";
import { readMigrations } from "../../shared/postgres/migration-files.ts";
import { describeTemplate, giveBack, takeUsed } from "./used-databases.ts";

/**
 * A database of a test's own, migrated and otherwise empty. Disposing it ends the connections of whoever still uses it.
 */
export type FreshDatabase = AsyncDisposable & Readonly<{ url: string; name: string }>;

const templatePrefix = "taskwire_template_";
const freePrefix = "taskwire_free_";
const testPrefix = "taskwire_test_";
const lockNumber = 7_145_620_118;
const hourMs = 3_600_000;
const log = makeLog({}, "warn");

/**
 * One that an earlier test has given back, else a copy of the template of the current migrations, in the server of
 * DATABASE_URL if no other is given; the first caller makes the template. `used: false` is always a copy, without the
 * statistics and dead pages of former use.
 */
export async function freshDatabase({
  used = true,
  server = serverUrl(),
}: Readonly<{ used?: boolean; server?: string }> = {}): Promise<FreshDatabase> {
  await using admin = openAdmin(server);
  const name = newName();
  const template = await madeAs(admin.sql, server, name, used);
  return {
    url: withDatabase(server, name),
    name,
    [Symbol.asyncDispose]: async () => {
      await using last = openAdmin(server);
      const connect = (database: string) => openAdmin(withDatabase(server, database)).sql;
      const left = await giveBack(last.sql, { name, template, connect });
      if (!left.isFree) await drop(last.sql, left.name);
    },
  };
}

/** A pool of so many connections to a database of a test's own, without a log. Disposing it gives both back. */
export async function openTestDb(poolSize = 12): Promise<Db> {
  const database = await freshDatabase();
  const db = await openDb(
    { url: database.url, directUrl: null, statementMs: 10_000 },
    { role: "test", poolSize, log: makeLog({}, "error") },
  );
  return {
    ...db,
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Makes the database `name` and returns the template it is a copy of. */
async function madeAs(sql: postgres.Sql, server: string, name: string, used: boolean): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const template = await ensureTemplate(sql, server);
    try {
      if (!used || !(await takeUsed(sql, template, name)))
        await sql.unsafe(`create database ${name} template ${template} strategy file_copy`);
      return template;
    } catch (error) {
      // Another process has just replaced the template or is copying it in a way that excludes us.
      if (attempt === 20) throw error;
      await sleep(100);
    }
  }
}

/** An empty database: nothing migrated. */
export async function emptyDatabase(): Promise<FreshDatabase> {
  const server = serverUrl();
  const name = newName();
  await using admin = openAdmin(server);
  await admin.sql.unsafe(`create database ${name}`);
  return {
    url: withDatabase(server, name),
    name,
    [Symbol.asyncDispose]: async () => {
      await using last = openAdmin(server);
      await drop(last.sql, name);
    },
  };
}

async function ensureTemplate(sql: postgres.Sql, server: string): Promise<string> {
  // The day is in the name because migrations make partitions from the day they run on.
  const text = (await readMigrations()).map((one) => one.checksum).join() + new Date().toISOString().slice(0, 10);
  const template = templatePrefix + createHash("sha256").update(text).digest("hex").slice(0, 16);
  const there = async (): Promise<boolean> =>
    (await sql`select 1 from pg_database where datname = ${template}`).length === 1;
  if (await there()) return template;
  await sql`select pg_advisory_lock(${lockNumber})`;
  try {
    if (await there()) return template;
    const building = `${template}_building`;
    await drop(sql, building);
    await sql.unsafe(`create database ${building}`);
    const url = withDatabase(server, building);
    await migrate(url, { log });
    await keepOnce(url);
    await using inside = openAdmin(url);
    await describeTemplate(sql, inside.sql, building);
    await inside.sql.end();
    await dropLeftovers(sql);
    await sql.unsafe(`alter database ${building} rename to ${template}`);
    return template;
  } finally {
    await sql`select pg_advisory_unlock(${lockNumber})`;
  }
}

/** What a consumer does first in a new database; done here, it does not change the shape of every copy. */
async function keepOnce(url: string): Promise<void> {
  await using db = await openDb({ url, directUrl: null, statementMs: 10_000 }, { role: "test", poolSize: 1, log });
  await runUpkeep(inboxUpkeep(db, log), { log });
}

/**
 * Templates of other migrations and what was copied from them, and databases of test runs that were killed more than an
 * hour ago.
 */
async function dropLeftovers(sql: postgres.Sql): Promise<void> {
  const rows = await sql<{ name: string }[]>`select datname as name from pg_database`;
  for (const { name } of rows) {
    const madeAt = name.startsWith(testPrefix) ? Number.parseInt(name.split("_")[2] ?? "", 36) : Date.now();
    const old = Date.now() - madeAt > hourMs;
    const template = name.startsWith(templatePrefix) && !name.endsWith("_building");
    if (old || template || name.startsWith(freePrefix)) await drop(sql, name);
  }
}

async function drop(sql: postgres.Sql, name: string): Promise<void> {
  await sql.unsafe(`drop database if exists "${name}" with (force)`);
}

function newName(): string {
  return `${testPrefix}${Date.now().toString(36)}_${crypto.randomUUID().slice(0, 8)}`;
}

function openAdmin(url: string) {
  const sql = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false });
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 2 }) };
}

function serverUrl(): string {
  const url = process.env.DATABASE_URL;
  if (!url) throw new Error("DATABASE_URL is not set: the contract tests need a Postgres server");
  return url;
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
