import { expect, test } from "bun:test";
import { getTableConfig } from "drizzle-orm/pg-core";
import { openDb } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { tasks } from "../../shared/tasks/task-table.ts";
import { freshDatabase } from "../support/database.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

test.skipIf(!url)("the table of tasks is described as the migrated database has it", async () => {
  await using database = await freshDatabase();
  const settings = { url: database.url, directUrl: null, statementMs: 10_000 };
  await using db = await openDb(settings, { role: "test", poolSize: 1, log: makeLog({}, "error") });
  const { columns, indexes } = getTableConfig(tasks);
  const described = columns.map((column) => ({
    name: column.name,
    type: column.getSQLType(),
    required: column.notNull || column.primary,
    filled: column.hasDefault || column.generated !== undefined,
  }));
  const found = await db.sql<{ name: string; type: string; required: boolean; filled: boolean }[]>`
    select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required, atthasdef as filled
    from pg_attribute where attrelid = 'tasks'::regclass and attnum > 0 and not attisdropped order by attname`;
  expect(described.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([...found]);
  const names = await db.sql<{ name: string }[]>`
    select indexrelid::regclass::text as name from pg_index where indrelid = 'tasks'::regclass and not indisprimary order by 1`;
  expect(indexes.map(({ config }) => String(config.name)).toSorted()).toEqual(names.map(({ name }) => name));
});
