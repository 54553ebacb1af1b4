import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { openDb } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { migrate } from "../../workers/operator/migrate.ts";
import { readMigrations, type Migration } from "../../shared/postgres/migration-files.ts";
import { emptyDatabase, freshDatabase } from "../support/database.ts";

setDefaultTimeout(60_000);

const log = makeLog({}, "error");
const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function setup() {
  const database = await emptyDatabase();
  opened.push(database);
  const open = (checkSchema: boolean) =>
    openDb(
      { url: database.url, directUrl: null, statementMs: 10_000 },
      { role: "test", poolSize: 1, log, checkSchema },
    );
  const db = await open(false);
  opened.push(db);
  return { url: database.url, sql: db.sql, openChecked: () => open(true) };
}
const migration = (name: string, sql: string): Migration => ({ role: "shared", name, checksum: sql, sql });

test("everything is applied once, however many migrate at the same time", async () => {
  const { url, sql, openChecked } = await setup();
  const runs = await Promise.all(Array.from({ length: 5 }, () => migrate(url, { log })));
  const expected = (await readMigrations()).map(({ role, name }) => `${role}/${name}`);
  expect(runs.flat().toSorted()).toEqual(expected.toSorted());
  const recorded = await sql<
    { label: string }[]
  >`select role || '/' || name as label from migrations order by applied_at`;
  expect(recorded.map(({ label }) => label)).toEqual(expected);
  expect(await migrate(url, { log })).toEqual([]);
  await using db = await openChecked();
  expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }] as never);
});

test("a migration that fails leaves nothing behind, and those before it stay", async () => {
  const { url, sql } = await setup();
  const migrations = [
    migration("0001_a.sql", "create table a (n int)"),
    migration("0002_b.sql", "create table b (n int); insert into b values (1); select nonsense"),
  ];
  await expect(migrate(url, { log, migrations })).rejects.toThrow("nonsense");
  const [row] = await sql`select to_regclass('a') is not null as a, to_regclass('b') is not null as b`;
  expect(row).toEqual({ a: true, b: false });
  expect(await sql`select name from migrations`).toEqual([{ name: "0001_a.sql" }] as never);
});

test("a role refuses a database that is older or newer than it knows, and migrate one that was changed or is newer", async () => {
  const { url, sql, openChecked } = await setup();
  await expect(openChecked()).rejects.toThrow("older than this build");
  await migrate(url, { log });
  await sql`insert into migrations (role, name, checksum) values ('shared', '9999_future.sql', 'x')`;
  await expect(openChecked()).rejects.toThrow("newer than this build: it has shared/9999_future.sql");
  await expect(migrate(url, { log })).rejects.toThrow("newer than this build");
  await sql`delete from migrations where name = '9999_future.sql'`;
  await sql`update migrations set checksum = 'x' where name = '0001_outbox.sql'`;
  await expect(migrate(url, { log })).rejects.toThrow("changed after they were applied: shared/0001_outbox.sql");
});

test("tasks that have a due time and a due day, as could be written once, keep the time", async () => {
  const { url, sql } = await setup();
  const migrations = await readMigrations();
  const later = migrations.findIndex(({ role, name }) => role === "task-service" && name === "0002_remind.sql");
  await migrate(url, { log, migrations: migrations.slice(0, later) });
  await sql`
    insert into tasks (id, user_id, title, created_at, updated_at, due_date, due_on)
    values (gen_random_uuid(), gen_random_uuid(), 'both', now(), now(), '2026-03-04T09:00:00Z', '2026-03-04')`;
  await migrate(url, { log, migrations });
  expect([...(await sql`select due_date, due_on from tasks`)]).toEqual([
    { due_date: new Date("2026-03-04T09:00:00Z"), due_on: null },
  ]);
});

test("every table says who writes it", async () => {
  const database = await freshDatabase();
  opened.push(database);
  const db = await openDb(
    { url: database.url, directUrl: null, statementMs: 10_000 },
    { role: "test", poolSize: 1, log },
  );
  opened.push(db);
  const silent = await db.sql`
    select relname from pg_class c
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      and coalesce(obj_description(c.oid, 'pg_class'), '') !~* 'written|writer'`;
  expect([...silent]).toEqual([]);
});
