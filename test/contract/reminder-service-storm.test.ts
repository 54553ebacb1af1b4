import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { ownRedis, redisProgram, type OwnRedis } from "../support/own-redis.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";
import { wrongClock } from "../support/wrong-clock-env.ts";

const program = await redisProgram(process.env["REDIS_URL"]);
if (program === null && process.env["REQUIRE_ALL"] === "1") throw new Error("needs a redis-server on PATH");

const isLong = process.env["LONG_TESTS"] === "1";
const { count, lastMs } = isLong ? { count: 10_000, lastMs: 90_000 } : { count: 400, lastMs: 24_000 };
const firstMs = isLong ? 30_000 : 8_000;

/** Two real processes, one of them with its clock an hour ahead, and everything that can happen to Redis. */
describe.skipIf(program === null)("the reminder service in a storm", () => {
  let redis: OwnRedis;
  let system: System;
  let sql: postgres.Sql;
  beforeAll(async () => {
    redis = await ownRedis(program ?? "");
    system = await startSystem({ roles: { "reminder-service": 1 }, env: { REDIS_URL: redis.url } });
    await system.start("reminder-service", wrongClock(3_600_000));
    sql = postgres(system.env["DATABASE_URL"] ?? "", { max: 2, onnotice: () => {} });
  }, 90_000);
  afterAll(async () => {
    await sql?.end();
    await system?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  }, 30_000);

  /**
   * Reminders of tasks the service has heard of, five to a task, ten tasks to a user, due so many ms from now by the
   * database's clock. The tasks are new ones: two reminders of a task at one instant would fire once.
   */
  const set = (many: number, fromMs: number, toMs: number) => sql`
    with made as materialized (
      select gen_random_uuid() as id, md5(${crypto.randomUUID()} || (n / 5)::text)::uuid as task_id, md5('user ' || (n / 50)::text)::uuid as user_id,
        clock_timestamp() + (${fromMs}::float8 + n * ${(toMs - fromMs) / many}::float8) * interval '1 ms' as remind_at
      from generate_series(0, ${many - 1}) as of (n)
    ), guards as (
      insert into reminder_guards (task_id, user_id) select distinct task_id, user_id from made on conflict do nothing
    )
    insert into reminders (id, task_id, user_id, remind_at, generation, status, version)
    select id, task_id, user_id, remind_at, 1, 'pending', 1 from made`;
  const number = async (query: Promise<readonly { n: number }[]>) => (await query)[0]?.n ?? Number.NaN;
  const armed = (epochAbove: number) =>
    until(
      "all are armed",
      async () =>
        (await number(sql<{ n: number }[]>`
          select count(*)::int as n from reminders where status = 'pending' and armed_in <= ${epochAbove}`)) === 0,
      { timeoutMs: 60_000 },
    );
  const marker = () => redis.send("GET", `${system.env["REDIS_PREFIX"]}:filled:reminders`);
  const epoch = () => number(sql<{ n: number }[]>`select epoch::int as n from timer_markers where name = 'reminders'`);

  test(`${count} reminders through all of it: each fires once, none early`, async () => {
    const ahead = await until("the second tells its clock", async () => {
      const text = await (await fetch(`${system.url("reminder-service", 2)}/metrics`)).text();
      return /^role_clock_offset_seconds\S* (\S+)$/m.exec(text)?.[1];
    });
    expect(Number(ahead)).toBeLessThan(-3_500);

    const load = loadavg()[0]?.toFixed(1);
    await set(count / 2, firstMs, lastMs);
    await set(50, 3_000_000, 3_500_000);
    await armed(0);
    await redis.send("SET", "copied", "yes");
    await redis.send("SAVE");
    copyFileSync(join(redis.directory, "dump.rdb"), join(redis.directory, "old.rdb"));
    const before = await marker();
    await set(count / 2, firstMs, lastMs);
    // An hour passes for the copy: the marker is not the one it holds.
    await until(
      "the marker is another",
      async () => {
        await sql`update timer_markers set rotated_at = rotated_at - interval '1 h' where rotated_at > clock_timestamp() - interval '9 s'`;
        return (await marker()) !== before;
      },
      { timeoutMs: 30_000, everyMs: 200 },
    );
    await armed(0);

    const first = await epoch();
    await redis.send("FLUSHALL");
    await until("the loss is noticed", async () => (await epoch()) > first, { timeoutMs: 30_000 });
    await redis.kill();
    await system.kill("reminder-service", 1);
    copyFileSync(join(redis.directory, "old.rdb"), join(redis.directory, "dump.rdb"));
    await redis.start();
    // The second, which runs, may have put a new marker there by now.
    expect(await redis.send("GET", "copied")).toBe("yes");
    await system.restart("reminder-service", 1);
    await system.kill("reminder-service", 2);
    await system.restart("reminder-service", 2);
    const [healed] = await sql<{ at: Date; left: number }[]>`
      select clock_timestamp() as at, (select count(*)::int from reminders where status = 'pending') - 50 as left`;

    let seen = "";
    const fired = async () => {
      const states = await sql<{ status: string; reason: string | null; n: number }[]>`
        select status, reason, count(*)::int as n from reminders group by 1, 2 order by 1, 2`;
      seen = JSON.stringify(states);
      return await number(sql<{ n: number }[]>`select count(*)::int as n from outbox where type = 'ReminderTriggered'`);
    };
    await until("all have fired", async () => (await fired()) >= count, {
      timeoutMs: lastMs + 60_000,
      everyMs: 100,
      describe: () => seen,
    });
    const rows = await sql<{ subject: string; lateMs: number; afterHealingMs: number; isEarly: boolean }[]>`
      select subject, extract(epoch from o.created_at - remind_at)::float8 * 1000 as "lateMs",
        extract(epoch from o.created_at - greatest(remind_at, ${healed?.at ?? null}::timestamptz))::float8 * 1000 as "afterHealingMs",
        o.created_at < remind_at or triggered_at < remind_at or o.time <> remind_at as "isEarly"
      from outbox o join reminders r on r.id::text = o.subject where type = 'ReminderTriggered'`;
    expect(new Set(rows.map(({ subject }) => subject)).size).toBe(count);
    expect(rows).toHaveLength(count);
    expect(rows.filter(({ isEarly }) => isEarly)).toEqual([]);
    expect(Math.max(...rows.map(({ afterHealingMs }) => afterHealingMs))).toBeLessThan(5_000);
    const late = rows.map(({ lateMs }) => lateMs).toSorted((a, b) => a - b);
    const at = (share: number) => late[Math.floor((count - 1) * share)]?.toFixed(0);
    console.info(
      `${count} in a storm, ${healed?.left} of them after it: late p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms; load ${load}`,
    );
    await armed(first); // those to come are in the Redis that is there now
  }, 180_000);
});
