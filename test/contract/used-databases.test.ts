import { expect, test } from "bun:test";
import postgres from "postgres";
import { freshDatabase } from "../support/database.ts";

/** What a test finds in a database: every table with its rows, and where its sequences are. */
async function contents(sql: postgres.Sql) {
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by 1`;
  const rows = await Promise.all(
    tables.map(async ({ name }) => [name, await sql`select to_jsonb(t)::text as row from ${sql(name)} t order by 1`]),
  );
  return { rows, sequences: await sql`select sequencename, start_value, last_value from pg_sequences order by 1` };
}
const open = (url: string) => postgres(url, { max: 2, onnotice: () => {} });

/** Returns the oid of the database that was used: it keeps it through renaming. */
async function useAndGiveBack(use: (sql: postgres.Sql) => Promise<unknown>): Promise<string> {
  const database = await freshDatabase();
  const sql = open(database.url);
  await use(sql);
  const [row] = await sql<{ oid: string }[]>`select oid::text as oid from pg_database where datname = ${database.name}`;
  await database[Symbol.asyncDispose]();
  await sql.end({ timeout: 1 }).catch(() => {});
  return row?.oid ?? "";
}

async function isStillThere(oid: string): Promise<boolean> {
  const sql = open(process.env["DATABASE_URL"] ?? "");
  const found = await sql`select from pg_database where oid = ${oid}::oid`;
  await sql.end();
  return found.length === 1;
}

test("a database given back is lent again as new: tables of a test are gone, and the rest is as a migration leaves it", async () => {
  await using untouched = await freshDatabase({ used: false });
  const pure = open(untouched.url);
  const asNew = await contents(pure);
  await pure.end();
  const oid = await useAndGiveBack(async (sql) => {
    await sql`create table mine (n int, shard smallint references outbox_shards)`;
    await sql`update outbox_shards set owner = 'somebody', epoch = 7`;
    await sql`delete from migrations`;
    await sql`insert into timer_markers (name, marker) values ('reminders', 'x')`;
    await sql`select nextval('outbox_id_seq')`;
    await sql`
      insert into audit (id, who, via, action, plan, state)
      select gen_random_uuid(), 'ada', 'cli', 'test', '{}', 'done' from generate_series(1, 3000)`;
  });
  expect(await isStillThere(oid)).toBe(true);
  // Others give theirs back too; among those free now each is as new.
  for (let n = 0; n < 3; n++) {
    await using lent = await freshDatabase();
    const sql = open(lent.url);
    expect(await contents(sql)).toEqual(asNew);
    await sql.end();
  }
});

test("one whose tables were altered is dropped", async () => {
  expect(await isStillThere(await useAndGiveBack((sql) => sql`alter table reminders add column more int`))).toBe(false);
  expect(await isStillThere(await useAndGiveBack((sql) => sql`drop index audit_at`))).toBe(false);
});

test("a test that still uses what it gave back is cut off, and does not reach who has it now", async () => {
  const database = await freshDatabase();
  const late = open(database.url);
  await late`select 1`;
  await database[Symbol.asyncDispose]();
  expect(
    await late`select 1`.then(
      () => "reached",
      () => "refused",
    ),
  ).toBe("refused");
  await late.end({ timeout: 1 }).catch(() => {});
});
