import { expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import { outboxRow } from "../../shared/outbox/outbox.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { readMigrations } from "../../shared/postgres/migration-files.ts";
import { findForChange, readKept } from "../../workers/task-service/read-tasks.ts";
import { rezoneTasks } from "../../workers/task-service/rezone-tasks.ts";
import { keepAnswer, storeChange } from "../../workers/task-service/store-change.ts";
import { openTaskQuota } from "../../workers/task-service/task-quota.ts";
import { emptyDatabase } from "../support/database.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const user = "0193a0b0-0000-7000-8000-0000000000aa";
const [own, moved, template] = [1, 2, 3].map((n) => `0193a0b0-0000-7000-8000-00000000000${n}`);

test.skipIf(!url)(
  "occurrences of before, an hour off by the runtime's old zone data, come right; one that a person moved stays (needs DATABASE_URL)",
  async () => {
    await using database = await emptyDatabase();
    const log = makeLog({}, "error");
    await using db = await openDb(
      { url: database.url, directUrl: null, statementMs: 10_000 },
      { role: "test", poolSize: 2, log, checkSchema: false },
    );
    const isLater = ({ role, name }: Readonly<{ role: string; name: string }>) =>
      role === "task-service" && name >= "0005";
    const all = await readMigrations();
    for (const { sql } of all.filter((each) => !isLater(each))) await db.sql.unsafe(sql);
    // 09:00 in Vancouver as it would be if the clocks still went back in November.
    await db.sql`
      insert into series (id, template_id, user_id, status) values (${template ?? ""}, ${template ?? ""}, ${user}, 'waiting')`;
    await db.sql`
      insert into occurrences (id, series_id, number, recurrence_id, schedule_key, starts_at, due_passes_at, state)
      select id, ${template ?? ""}, number, place, gen_random_uuid(), starts, starts, 'open'
      from (values (${own ?? ""}::uuid, 1, '2040-12-01T09:00:00', '2040-12-01T17:00Z'::timestamptz),
        (${moved ?? ""}::uuid, 2, '2040-12-02T09:00:00', '2040-12-02T17:00Z'::timestamptz)) as made (id, number, place, starts)`;
    await db.sql`
      insert into tasks (id, user_id, title, created_at, updated_at, due_date, due_tz, template_id, recurrence_id)
      select id, ${user}, 't', now(), now(), due, 'America/Vancouver', ${template ?? ""}, place
      from (values (${own ?? ""}::uuid, '2040-12-01T09:00:00', '2040-12-01T17:00Z'::timestamptz),
        (${moved ?? ""}::uuid, '2040-12-02T09:00:00', '2040-12-02T20:00Z'::timestamptz)) as made (id, place, due)`;
    for (const { sql } of all.filter(isLater)) await db.sql.unsafe(sql);
    const codec = { encode: () => new Uint8Array() };
    const step = rezoneTasks({
      now: () => new Date(),
      notify: () => {},
      encode: async (message, by) => outboxRow(codec, message, { source: "task-service", ...by }),
      create: () => Promise.reject(new Error("makes no task")),
      readKept: readKept(db),
      findForChange: findForChange(db),
      storeChange: storeChange(db),
      keepAnswer: keepAnswer(db),
      quota: openTaskQuota({ openTasks: 0, tasks: 0, templates: 0 }, db),
      db,
      newId: () => Bun.randomUUIDv7(),
      log,
    });
    expect(await step("00000000-0000-0000-0000-000000000000")).toBeNull();
    const rows = await db.sql<{ due: Date }[]>`select due_date as due from tasks order by id`;
    expect(rows.map(({ due }) => due.toISOString())).toEqual(["2040-12-01T16:00:00.000Z", "2040-12-02T20:00:00.000Z"]);
  },
);
