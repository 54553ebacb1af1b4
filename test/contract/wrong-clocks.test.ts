import { join } from "node:path";
import { expect, setDefaultTimeout, test } from "bun:test";
import { readConfig } from "../../shared/role/config.ts";
import { authSettings, issueDevToken } from "../../shared/http/auth.ts";
import { makeLog } from "../../shared/role/log.ts";
import { insertOutbox, outboxRow } from "../../shared/outbox/outbox.ts";
import { openDb, type Sql } from "../../shared/postgres/db.ts";
import { freshDatabase } from "../support/database.ts";
import { makeJsonCodec } from "../support/json-codec.ts";
import { readTopic } from "../support/read-topic.ts";
import { startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";
import { wrongClock } from "../support/wrong-clock-env.ts";

setDefaultTimeout(120_000);

const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;
const log = makeLog({}, "error");
const codec = makeJsonCodec();

test.each([
  ["two hours ahead", 2 * hourMs],
  ["two hours behind", -2 * hourMs],
  ["eight weeks ahead", 8 * weekMs],
  ["eight weeks behind", -8 * weekMs],
])(
  "a relay whose clock is %s publishes every row under the database's time and blames none",
  async (_name, aheadMs) => {
    await using system = await startSystem({ roles: { "outbox-relay": 1 }, env: wrongClock(aheadMs) });
    await using db = await openDb(
      { url: system.env["DATABASE_URL"] ?? "", directUrl: null, statementMs: 10_000 },
      { role: "test", poolSize: 2, log },
    );
    const tasks = Array.from({ length: 80 }, () => crypto.randomUUID());
    const before = await databaseMs(db.sql);
    await insertOutbox(
      db.sql,
      tasks.map((id) => {
        const data = { id, user_id: id, deleted_at: new Date() };
        const message = { type: "TaskDeleted", key: id, subject: id, sequence: 1, data } as const;
        return outboxRow(codec, message, { source: "task-service", correlationId: "test", now: new Date() });
      }),
    );
    await until("all are published", async () => {
      const [left] = await db.sql`select from outbox where published_at is null limit 1`;
      return left === undefined;
    });
    const records = await readTopic(system.env, "task-events");
    expect(records.map(({ record }) => record.key).sort()).toEqual(tasks.sort());
    const after = await databaseMs(db.sql);
    expect(records.map(({ record }) => record.timestamp).filter((at) => at < before || at > after)).toEqual([]);
    const [told] = await db.sql<{ holds: number; letters: number }[]>`
    select (select count(*)::int from outbox_holds) as holds,
      (select count(*)::int from outbox where topic like '%-dlq') as letters`;
    expect(told).toEqual({ holds: 0, letters: 0 });
  },
);

const roles = ["task-service", "reminder-scheduling-worker", "reminder-service", "outbox-relay"] as const;
/** Of the roles, in their order: no two of a system agree. */
const shifts = [
  [2 * hourMs, -2 * hourMs, 8 * weekMs, -8 * weekMs],
  [8 * weekMs, -8 * weekMs, -2 * hourMs, 2 * hourMs],
] as const;

test.each(shifts.map((shift) => [shift] as const))(
  "roles whose clocks are off by %j ms lose nothing, fire in time, keep the inbox and tell of their clocks",
  async (aheadMs) => {
    await using system = await startSystem({ roles: {} });
    await Promise.all(roles.map((role, n) => system.start(role, wrongClock(aheadMs[n] ?? 0))));
    await using db = await openDb(
      { url: system.env["DATABASE_URL"] ?? "", directUrl: null, statementMs: 10_000 },
      { role: "test", poolSize: 2, log },
    );
    const weeksBefore = await weeksOf(db.sql);
    const before = await databaseMs(db.sql);
    const { token } = await issueDevToken(readConfig(authSettings, system.env), {
      name: "ada",
      sessionId: "s",
      now: new Date(before),
      lifetimeSeconds: 600,
    });
    const post = async (role: (typeof roles)[number], path: string, body: unknown) => {
      const answer = await fetch(system.url(role) + path, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return [answer.status, (await answer.json()) as Record<string, string>] as const;
    };

    const [made, task] = await post("task-service", "/v1/tasks", { title: "a task" });
    expect(made).toBe(201);
    const createdAt = Date.parse(task["created_at"] ?? "");
    expect([createdAt >= before - 1_000, createdAt <= (await databaseMs(db.sql)) + 1_000]).toEqual([true, true]);
    // It waits 2 s to hear of the task, which a busy machine may take longer to tell of, and then answers 503.
    const [set, reminder] = await until(
      "the reminder service knows the task",
      async () => {
        const remindAt = new Date((await databaseMs(db.sql)) + 4_000).toISOString();
        const answer = await post("reminder-service", `/v1/tasks/${task["id"]}/reminders`, { remind_at: remindAt });
        return answer[0] === 503 ? null : answer;
      },
      { timeoutMs: 40_000 },
    );
    expect([set, reminder]).toMatchObject([201, { status: "pending" }]);
    const fired = await until("it has fired", async () => {
      const [row] = await db.sql<{ lateMs: number }[]>`
      select extract(epoch from created_at - time)::float8 * 1000 as "lateMs" from outbox where type = 'ReminderTriggered'`;
      return row ?? null;
    });
    expect(fired.lateMs).toBeGreaterThanOrEqual(0);
    const [snoozed, later] = await post("reminder-service", `/v1/reminders/${reminder["id"]}/snooze`, { for: "PT1H" });
    expect([snoozed, later]).toMatchObject([200, { status: "pending" }]);
    const inMs = Date.parse(later["remind_at"] ?? "") - (await databaseMs(db.sql));
    expect(Math.abs(inMs - hourMs)).toBeLessThan(60_000);

    await until("all is published", async () => {
      const [left] = await db.sql`select from outbox where published_at is null limit 1`;
      return left === undefined;
    });
    expect(await weeksOf(db.sql)).toEqual(weeksBefore);
    const [lost] = await db.sql`
    select (select count(*)::int from outbox_holds) as holds, (select count(*)::int from dead_letters) as dead,
      (select count(*)::int from parked_keys) as parked, (select count(*)::int from inbox_default) as strays,
      (select count(*)::int from outbox where topic like '%-dlq') as refused`;
    expect(lost).toEqual({ holds: 0, dead: 0, parked: 0, strays: 0, refused: 0 });
    for (const [n, role] of roles.entries()) {
      const text = await (await fetch(`${system.metricsUrl(role)}/metrics`)).text();
      const offset = Number(/^role_clock_offset_seconds\S* (\S+)$/m.exec(text)?.[1]);
      expect([role, Math.abs(offset + (aheadMs[n] ?? 0) / 1_000) < 2]).toEqual([role, true]);
      expect([role, system.log(role).some((line) => line.includes('"clock_off"'))]).toEqual([role, true]);
    }
  },
);

test.each([8 * weekMs, -8 * weekMs])(
  "ops at a machine whose clock is %d ms off finds what died an hour ago",
  async (aheadMs) => {
    await using database = await freshDatabase();
    await using db = await openDb(
      { url: database.url, directUrl: null, statementMs: 10_000 },
      { role: "test", poolSize: 1, log },
    );
    for (const [error, hours] of [
      ["an hour ago", 1],
      ["a day ago", 24],
    ] as const)
      await db.sql`
      insert into dead_letters (id, group_name, epoch, topic, partition, "offset", message_id, time, timestamp_ms, headers, class,
        error, fingerprint, attempts, state, dead_at)
      values (gen_random_uuid(), 'task-service', 1, 'task-commands', 0, 0, gen_random_uuid(), now(), 0, '[]', 'unknown', ${error}, 'f',
        '[]', 'dead', clock_timestamp() - ${hours} * interval '1 hour')`;
    const ops = Bun.spawn([process.execPath, "workers/operator/ops.ts", "dlq", "ls", "--from", "2h", "--json"], {
      cwd: join(import.meta.dir, "../.."),
      env: { ...process.env, DATABASE_URL: database.url, ...wrongClock(aheadMs) },
      stdout: "pipe",
      stderr: "inherit",
    });
    const { deadLetters } = (await new Response(ops.stdout).json()) as { deadLetters: { error: string }[] };
    expect(deadLetters.map(({ error }) => error)).toEqual(["an hour ago"]);
  },
);

async function databaseMs(sql: Sql): Promise<number> {
  const [row] = await sql<{ ms: number }[]>`select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  return row?.ms ?? Number.NaN;
}

async function weeksOf(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    select child.relname as name from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'inbox'::regclass order by 1`;
  return rows.map(({ name }) => name);
}
