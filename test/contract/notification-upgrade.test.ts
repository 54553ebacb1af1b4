import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { makeLog } from "../../shared/role/log.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { claimDeliveries } from "../../workers/notification-service/send/claim-deliveries.ts";
import { emptyDatabase } from "../support/database.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const folder = join(import.meta.dir, "../../workers/notification-service/migrations");

test.skipIf(!url)(
  "what waited before there were lanes is sent after, and what was settled stays as it was (needs DATABASE_URL)",
  async () => {
    await using database = await emptyDatabase();
    await using db = await openDb(
      { url: database.url, directUrl: null, statementMs: 10_000 },
      { role: "test", poolSize: 2, log: makeLog({}, "error"), checkSchema: false },
    );
    const migrate = async (name: string) => db.sql.unsafe(await Bun.file(join(folder, name)).text());
    const [first = "", ...later] = readdirSync(folder).toSorted();
    await migrate(first);
    // The tables that sending looks at, as far as it looks.
    await db.sql.unsafe(`
    create table tasks (id uuid, user_id uuid, status text, deleted_at timestamptz, due_tz text, due_on date);
    create table preferences (user_id uuid, settings jsonb);
    create table reminders (id uuid, user_id uuid, status text, generation bigint);
    insert into deliveries (id, event_id, channel, user_id, reminder_id, task_id, triggered_at, status, claim, lease_until, delivered_at)
    select gen_random_uuid(), gen_random_uuid(), channel, '0193a0b0-0000-7000-8000-0000000000aa', gen_random_uuid(),
      gen_random_uuid(), now(), status, case status when 'sending' then gen_random_uuid() end,
      case status when 'sending' then now() - interval '1 s' end, case status when 'delivered' then now() end
    from unnest(array['log', 'webhook']) as channel, unnest(array['pending', 'sending', 'delivered']) as status`);
    for (const name of later) await migrate(name);
    for (const channel of ["log", "operator-webhook"] as const) {
      const claim = () =>
        claimDeliveries(db, {
          channel,
          limit: 10,
          leaseMs: 5_000,
          gatherMs: 0,
          perUser: 9,
          onTheirWay: new Map(),
          hourly: null,
        });
      // One at a time: first the one that a sender left.
      expect((await claim()).claimed).toMatchObject([{ channel, retaken: true, reminders: [{}], target: "" }]);
      expect((await claim()).claimed).toEqual([]);
    }
    const rows = await db.sql`
    select channel, status, count(*)::int as count, bool_and(due_at = created_at) as kept from deliveries group by 1, 2 order by 1, 2`;
    expect([...rows]).toEqual(
      ["log", "operator-webhook"].flatMap((channel) =>
        ["delivered", "pending", "sending"].map((status) => ({ channel, status, count: 1, kept: true })),
      ),
    );
  },
);
