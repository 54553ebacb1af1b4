import { afterAll, beforeAll, expect, test } from "bun:test";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { dueRows, type DueRows } from "../../shared/timers/due-rows.ts";
import { freshDatabase, type FreshDatabase } from "../support/database.ts";

const future = process.env["LONG_TESTS"] === "1" ? 1_000_000 : 10_000;

let database: FreshDatabase;
let db: Db;
beforeAll(async () => {
  database = await freshDatabase({ used: false });
  const config = { url: database.url, directUrl: null, statementMs: 300_000 };
  // One connection, so that its counters can be told to be shown at once.
  db = await openDb(config, { role: "test", poolSize: 1, log: makeLog({}, "error") });
  await db.sql`
    insert into reminders (id, task_id, user_id, remind_at, generation, status, version)
    select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), clock_timestamp() + interval '2 h' + n * interval '1 s', 1,
      'pending', 1
    from generate_series(1, ${future}) as of (n)`;
  await db.sql`
    insert into series (id, template_id, user_id, status, wake_at)
    select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'pending', clock_timestamp() + interval '2 h' + n * interval '1 s'
    from generate_series(1, ${future}) as of (n)`;
  await db.sql`analyze reminders, series`;
}, 300_000);
afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
}, 30_000);

/** Rows that were read, by index or one after the other, while `work` ran. */
async function rowsRead(table: string, work: () => Promise<unknown>): Promise<number> {
  const read = async () => {
    await db.sql`select pg_stat_force_next_flush()`;
    const [row] = await db.sql<{ n: number }[]>`
      select (seq_tup_read + (select sum(idx_tup_read) from pg_stat_user_indexes where relname = ${table}))::int as n
      from pg_stat_user_tables where relname = ${table}`;
    return row?.n ?? Number.NaN;
  };
  const before = await read();
  await work();
  return (await read()) - before;
}

const questions: Readonly<Record<string, (rows: DueRows) => Promise<unknown>>> = {
  "what is to be armed": (rows) =>
    rows.claim({ which: "unarmed", epoch: 2, from: null, withinMs: 3_600_000, limit: 500 }),
  "what is to be armed again": (rows) =>
    rows.claim({ which: "of-earlier-epochs", epoch: 2, from: null, withinMs: 3_600_000, limit: 500 }),
  "what is overdue": (rows) => rows.overdue({ graceMs: 250, after: null, limit: 500 }),
  "how much is late": (rows) => rows.late(),
};

test.each([
  ["reminders", "remind_at"],
  ["series", "wake_at"],
])(`with ${future} rows of %s due later, no question reads them`, async (table, due) => {
  const rows = dueRows(db, { table, due, owner: "user_id", fire: async () => [] });
  for (const [question, ask] of Object.entries(questions)) {
    const began = performance.now();
    const read = await rowsRead(table, () => ask(rows));
    console.info(`${question} (${table}): ${read} rows read, ${(performance.now() - began).toFixed(1)} ms in all`);
    expect(read).toBeLessThan(10);
  }
});
