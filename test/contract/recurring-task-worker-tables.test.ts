import { expect, test } from "bun:test";
import { getTableConfig, type PgTable } from "drizzle-orm/pg-core";
import { openDb } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/log.ts";
import * as timers from "../../shared/timers/tables.ts";
import * as notification from "../../workers/notification-service/tables.ts";
import * as recurring from "../../workers/recurring-task-worker/tables.ts";
import * as reminders from "../../workers/reminder-service/tables.ts";
import * as scheduling from "../../workers/reminder-scheduling-worker/tables.ts";
import { freshDatabase } from "../support/database.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

test.skipIf(!url)(
  "the tables of recurrence, timers, reminders, wanted reminders and deliveries are those of the migrated database",
  async () => {
    await using database = await freshDatabase();
    const settings = { url: database.url, directUrl: null, statementMs: 10_000 };
    await using db = await openDb(settings, { role: "test", poolSize: 1, log: makeLog({}, "error") });
    const tables = [recurring, timers, reminders, scheduling, notification].flatMap((all) =>
      Object.values<PgTable>(all),
    );
    for (const table of tables) {
      const { name, columns, indexes } = getTableConfig(table);
      const rows = await db.sql<{ name: string; type: string; required: boolean; filled: boolean }[]>`
      select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required, atthasdef as filled
      from pg_attribute where attrelid = ${name}::regclass and attnum > 0 and not attisdropped order by attname`;
      const described = columns.map((column) => ({
        name: column.name,
        type: column
          .getSQLType()
          .replace(/^timestamp (\(\d\) )?with/, (_all, digits = "") => `timestamp${digits.trim()} with`),
        required: column.notNull || column.primary,
        filled: column.hasDefault,
      }));
      expect({ name, columns: described.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }).toEqual({
        name,
        columns: [...rows],
      });
      const found = await db.sql<{ indexname: string }[]>`select indexname from pg_indexes where tablename = ${name}`;
      expect(found.map(({ indexname }) => indexname)).toEqual(
        expect.arrayContaining(indexes.map(({ config }) => String(config.name))),
      );
    }
  },
);
