import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { authSettings, issueDevToken } from "../../shared/http/auth.ts";
import { readConfig } from "../../shared/role/config.ts";
import { ownRedis, redisProgram, type OwnRedis } from "../support/own-redis.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

const program = await redisProgram(process.env["REDIS_URL"]);
if (program === null && process.env["REQUIRE_ALL"] === "1") throw new Error("needs a redis-server on PATH");

/**
 * Two real processes of the role; everything they have is a database, a broker nobody writes to and a Redis of their
 * own.
 */
describe.skipIf(program === null)("the reminder service as processes", () => {
  let redis: OwnRedis;
  let system: System;
  let sql: postgres.Sql;
  let token: string;
  let userId: string;
  beforeAll(async () => {
    redis = await ownRedis(program ?? "");
    system = await startSystem({ roles: { "reminder-service": 2 }, env: { REDIS_URL: redis.url } });
    sql = postgres(system.env["DATABASE_URL"] ?? "", { max: 2, onnotice: () => {} });
    const auth = readConfig(authSettings, system.env);
    ({ token, userId } = await issueDevToken(auth, {
      name: "ada",
      sessionId: "s",
      now: new Date(),
      lifetimeSeconds: 600,
    }));
  }, 60_000);
  afterAll(async () => {
    await sql?.end();
    await system?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  }, 30_000);

  /**
   * Reminders set through HTTP on a task the service has heard of, not so lately that it would wait for what the
   * scheduling worker says.
   */
  const set = async (dueInMs: readonly number[]): Promise<readonly string[]> => {
    const task = crypto.randomUUID();
    await sql`
      insert into tasks (id, user_id, title, created_at, updated_at) values (${task}, ${userId}, 'a task', now() - interval '1 minute', now() - interval '1 minute')`;
    await sql`insert into reminder_guards (task_id, user_id) values (${task}, ${userId})`;
    const from = Date.now();
    return await Promise.all(
      dueInMs.map(async (ms, index) => {
        const answer = await fetch(`${system.url("reminder-service", 1 + (index % 2))}/v1/tasks/${task}/reminders`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify({ remind_at: new Date(from + Math.round(ms)).toISOString() }),
        });
        expect(answer.status).toBe(201);
        return String(((await answer.json()) as { id: string }).id);
      }),
    );
  };
  const spread = (count: number, fromMs: number, toMs: number) =>
    Array.from({ length: count }, (_, index) => fromMs + ((toMs - fromMs) * index) / count);
  const firings = (ids: readonly string[]) =>
    sql<{ subject: string; lateMs: number }[]>`
      select subject, extract(epoch from created_at - time)::float8 * 1000 as "lateMs" from outbox
      where type = 'ReminderTriggered' and subject = any(${[...ids]})`;
  const allFired = async (ids: readonly string[]) => {
    await until("all have fired", async () => (await firings(ids)).length >= ids.length, { timeoutMs: 30_000 });
    const fired = await firings(ids);
    expect(fired.map(({ subject }) => subject).toSorted()).toEqual([...ids].toSorted());
    const late = fired.map(({ lateMs }) => lateMs).toSorted((a, b) => a - b);
    expect(late[0]).toBeGreaterThanOrEqual(0);
    return late;
  };

  test("undisturbed, each fires once and not early", async () => {
    const late = await allFired(await set(spread(40, 9_000, 11_000)));
    console.info(`lateness of 40, two processes: p50 ${late[20]?.toFixed(1)} ms, max ${late[39]?.toFixed(1)} ms`);
  }, 20_000);

  test("with processes and Redis killed, flushed and back while they are armed, each fires once, not early, at most 5 s late", async () => {
    const ids = await set(spread(48, 4_000, 12_000));
    await Bun.sleep(2_500); // some have fired, the rest is armed
    await system.kill("reminder-service", 1);
    await redis.send("FLUSHALL");
    await Bun.sleep(2_000); // one instance alone, with an empty Redis
    await redis.kill();
    await system.restart("reminder-service", 1);
    await system.kill("reminder-service", 2);
    await redis.start();
    await system.restart("reminder-service", 2);
    const late = await allFired(ids);
    expect(late.at(-1)).toBeLessThan(5_000);
  }, 60_000);

  test("with both down over the due time, each fires once when they are back", async () => {
    const ids = await set(spread(10, 3_000, 4_000));
    await Promise.all([system.kill("reminder-service", 1), system.kill("reminder-service", 2)]);
    await Bun.sleep(4_000); // past all of them
    await Promise.all([system.restart("reminder-service", 1), system.restart("reminder-service", 2)]);
    await allFired(ids);
  }, 40_000);

  test("stopped, it leaves within the drain with code 0", async () => {
    expect(await system.stop("reminder-service", 2)).toBe(0);
  }, 20_000);
});
