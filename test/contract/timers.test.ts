import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { makeLog, type Log } from "../../shared/log.ts";
import { makeMetrics } from "../../shared/metrics.ts";
import type { Role } from "../../shared/role.ts";
import { dueRows, type Fire } from "../../shared/timers/due-rows.ts";
import { runTimers } from "../../shared/timers/run-timers.ts";
import { openWakeups } from "../../shared/timers/wakeups.ts";
import { freshDatabase, type FreshDatabase } from "../support/database.ts";
import { ownRedis, redisProgram, type OwnRedis } from "../support/own-redis.ts";
import { until } from "../support/until.ts";

const program = await redisProgram(process.env["REDIS_URL"]);
if (program === null && process.env["REQUIRE_ALL"] === "1") throw new Error("needs a redis-server on PATH");
if (program === null) console.warn("timers.test.ts is skipped: no redis-server on PATH and the stack's is not local");

const log = makeLog({}, "error");
const settings = { directUrl: null, statementMs: 10_000 };

type Firing = Readonly<{ id: string; generation: number; lateMs: number; instance: string }>;

describe.skipIf(program === null)("timers", () => {
  let database: FreshDatabase;
  let redis: OwnRedis;
  let db: Db;
  beforeAll(async () => {
    database = await freshDatabase();
    redis = await ownRedis(program ?? "");
    db = await openDb({ url: database.url, ...settings }, { role: "test", poolSize: 10, log });
    await db.sql`
      create table alarms (
        id uuid primary key, due_at timestamptz(3) not null, generation bigint not null default 1,
        status text not null default 'pending', armed_in bigint not null default 0)`;
    await db.sql`create index on alarms (due_at, id) where status = 'pending'`;
    await db.sql`create index on alarms (due_at) where status = 'pending' and armed_in = 0`;
    await db.sql`
      create table firings (
        id uuid not null, generation bigint not null, late_ms double precision not null, instance text not null)`;
  }, 60_000);
  afterAll(async () => {
    await db?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
  }, 30_000);

  /** The compare-and-set of an owner, with a row per firing instead of an event: the database would keep a second one too. */
  const fireAs =
    (instance: string): Fire =>
    async (batch) => {
      const rows = await db.sql<{ id: string }[]>`
        with fired as (
          update alarms set status = 'fired'
          from unnest(${batch.map(({ id }) => id)}::uuid[], ${batch.map(({ generation }) => generation)}::bigint[])
            as asked (id, generation)
          where alarms.id = asked.id and alarms.generation = asked.generation and status = 'pending'
            and due_at <= clock_timestamp()
          returning alarms.id, alarms.generation, due_at)
        insert into firings
        select id, generation, extract(epoch from clock_timestamp() - due_at) * 1000, ${instance} from fired
        returning id`;
      return rows.map(({ id }) => ({ id, outcome: "fired" }) as const);
    };

  type Instance = AsyncDisposable & Readonly<{ stop: () => Promise<void>; metrics: () => Promise<string> }>;
  let instances = 0;
  const start = async (
    name: string,
    { fire, lines }: Readonly<{ fire?: Fire; lines?: string[] }> = {},
  ): Promise<Instance> => {
    const instance = `i${++instances}`;
    const own: Log = lines === undefined ? log : makeLog({}, "warn", (line) => lines.push(line));
    const wakeups = await openWakeups({ url: redis.url, prefix: "test" }, { queue: name, log: own });
    const abort = new AbortController();
    const metrics = makeMetrics(instance, { process: false });
    const role: Role = {
      name: "reminder-service",
      signal: abort.signal,
      log: own,
      metrics,
      now: () => new Date(),
      readyWhen: () => {},
      healthyWhile: () => {},
      serve: () => {},
    };
    const rows = dueRows(db, { table: "alarms", due: "due_at", fire: fire ?? fireAs(instance) });
    const running = runTimers({ db, name, wakeups, rows }, role);
    const stop = async () => {
      abort.abort();
      await running;
      await wakeups[Symbol.asyncDispose]();
    };
    return { stop, metrics: metrics.text, [Symbol.asyncDispose]: stop };
  };

  const startTwo = async (name: string): Promise<AsyncDisposable> => {
    const both = [await start(name), await start(name)];
    return { [Symbol.asyncDispose]: async () => void (await Promise.all(both.map(({ stop }) => stop()))) };
  };

  /** Alarms due so many ms from now by the database's clock. */
  const set = async (dueInMs: readonly number[]): Promise<readonly string[]> => {
    const rows = await db.sql<{ id: string }[]>`
      insert into alarms (id, due_at)
      select gen_random_uuid(), clock_timestamp() + ms * interval '1 ms' from unnest(${[...dueInMs]}::float8[]) as of (ms)
      returning id`;
    return rows.map(({ id }) => id);
  };
  const firingsOf = (ids: readonly string[]) =>
    db.sql<Firing[]>`
      select id, generation::int as generation, late_ms as "lateMs", instance from firings
      where id = any(${[...ids]}::uuid[])`;
  const allFired = async (ids: readonly string[], timeoutMs = 15_000) => {
    await until("all have fired", async () => (await firingsOf(ids)).length >= ids.length, { timeoutMs, everyMs: 50 });
    return await firingsOf(ids);
  };
  const armed = (ids: readonly string[]) =>
    until(
      "all are armed",
      async () => {
        const [row] = await db.sql<{ n: number }[]>`
          select count(*)::int as n from alarms where id = any(${[...ids]}::uuid[]) and armed_in > 0`;
        return row?.n === ids.length;
      },
      { timeoutMs: 20_000 },
    );
  const jobs = async (name: string) => {
    const [delayed, waiting] = await Promise.all([
      redis.send("ZCARD", `test:${name}:delayed`),
      redis.send("LLEN", `test:${name}:wait`),
    ]);
    return Number(delayed) + Number(waiting);
  };
  const expectOnce = (firings: readonly Firing[], ids: readonly string[], latestMs: number) => {
    expect(firings.map(({ id }) => id).toSorted()).toEqual([...ids].toSorted());
    expect(Math.min(...firings.map(({ lateMs }) => lateMs))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...firings.map(({ lateMs }) => lateMs))).toBeLessThan(latestMs);
  };
  const spread = (count: number, fromMs: number, toMs: number) =>
    Array.from({ length: count }, (_, index) => fromMs + ((toMs - fromMs) * index) / count);
  const forget = () => db.sql`update alarms set status = 'gone' where status = 'pending'`;

  test("with two instances each alarm fires once, never early, within milliseconds", async () => {
    await using _ = await startTwo("once");
    const ids = await set(spread(300, 2_500, 4_500));
    await armed(ids);
    const firings = await allFired(ids);
    expectOnce(firings, ids, 1_000);
    const late = firings.map(({ lateMs }) => lateMs).sort((a, b) => a - b);
    console.info(
      `lateness of 300 in 2 s, two instances: p50 ${late[150]?.toFixed(1)} ms, p99 ${late[297]?.toFixed(1)} ms`,
    );
    expect(new Set(firings.map(({ instance }) => instance)).size).toBe(2);
  }, 30_000);

  test("an alarm set shortly before it is due fires by its wake-up or the sweeper", async () => {
    await using _ = await start("short");
    const ids = await set([50, 200, 600, -3_600_000]);
    expectOnce(await allFired([...ids].slice(0, 3)), ids.slice(0, 3), 3_000);
    expect(await allFired(ids)).toHaveLength(4);
  }, 30_000);

  test("an instance that stops hands over what it had taken: nothing waits for the sweeper", async () => {
    const one = await start("leaving");
    await using _ = await start("leaving");
    const ids = await set(spread(200, 2_000, 3_000));
    await armed(ids);
    await Bun.sleep(1_400); // most have rung and wait in memory for their instant
    await one.stop();
    const firings = await allFired(ids);
    expectOnce(firings, ids, 2_000);
    // The one the leaving worker was fetching may take a second; the sweeper would make about a hundred late.
    expect(firings.filter(({ lateMs }) => lateMs > 250).length).toBeLessThan(60);
  }, 30_000);

  test("only what is due within the hour is in Redis", async () => {
    await using _ = await start("horizon");
    const near = await set([3_500_000]);
    const [far] = await set([3_700_000, 10 * 365 * 86_400_000]);
    await armed(near);
    expect(await jobs("horizon")).toBe(1);
    const [row] = await db.sql`select armed_in::int as "armedIn" from alarms where id = ${far ?? ""}`;
    expect(row).toEqual({ armedIn: 0 });
    await forget();
  });

  test("Redis emptied while they are armed: noticed, rebuilt, each fires once and not early", async () => {
    await using one = await start("flushed");
    await using _ = await start("flushed");
    const ids = await set([...spread(100, 1_500, 6_000), ...spread(50, 60_000, 90_000)]);
    await armed(ids);
    expect(await jobs("flushed")).toBeGreaterThan(100);
    await redis.send("FLUSHALL");
    await until("those to come are back", async () => (await jobs("flushed")) >= 50, { timeoutMs: 8_000 });
    expectOnce(await allFired(ids.slice(0, 100)), ids.slice(0, 100), 3_000);
    expect(await one.metrics()).toMatch(/timer_rebuilds_total\{timer="flushed",role="i\d+"\} 1/);
    await forget();
  }, 30_000);

  test("Redis restored from an old copy is noticed by its marker", async () => {
    const name = "restored";
    await using one = await start(name);
    await until("the marker is there", async () => (await redis.send("GET", `test:filled:${name}`)) !== null);
    const old = String(await redis.send("GET", `test:filled:${name}`));
    const ids = await set(spread(20, 60_000, 90_000));
    await armed(ids);
    await until("the marker has been rotated", async () => (await redis.send("GET", `test:filled:${name}`)) !== old, {
      timeoutMs: 20_000,
    });
    // What a snapshot from before would hold: the old marker and none of the jobs.
    await redis.send("FLUSHALL");
    await redis.send("SET", `test:filled:${name}`, old);
    await until("those to come are back", async () => (await jobs(name)) >= 20, { timeoutMs: 8_000 });
    expect(await one.metrics()).toMatch(/timer_rebuilds_total\S+ 1/);
    await forget();
  }, 40_000);

  test("with Redis killed they fire by the sweeper, and by wake-ups again when it is back", async () => {
    const lines: string[] = [];
    await using _ = await start("killed", { lines });
    const ids = await set(spread(40, 1_500, 5_000));
    await armed(ids);
    await redis.kill();
    expectOnce(await allFired(ids), ids, 3_000);
    await redis.start();
    const more = await set(spread(10, 4_000, 5_000));
    await armed(more);
    expectOnce(await allFired(more), more, 3_000);
    expect(lines.filter((line) => line.includes("loop_failing")).length).toBeLessThan(5);
  }, 40_000);

  test("a process whose clock is an hour ahead, or behind, fires nothing early", async () => {
    const real = Date.now;
    for (const offsetMs of [3_600_000, -3_600_000]) {
      Date.now = () => real() + offsetMs;
      try {
        await using _ = await start(`clock${offsetMs > 0 ? "ahead" : "behind"}`);
        const ids = await set(spread(20, 2_000, 4_000));
        expectOnce(await allFired(ids), ids, 3_000);
      } finally {
        Date.now = real;
      }
    }
  }, 40_000);

  test("stopping with Redis gone takes at most some seconds", async () => {
    const one = await start("stopping");
    await redis.kill();
    const began = performance.now();
    await one.stop();
    expect(performance.now() - began).toBeLessThan(6_000);
    await redis.start();
  }, 20_000);

  test("an instance starts with Redis down and fires by the sweeper", async () => {
    await redis.kill();
    const ids = await set([3_500]);
    await using _ = await start("down");
    expectOnce(await allFired(ids), ids, 3_000);
    await redis.start();
  }, 20_000);

  test("a Redis that may evict keys is refused by name", async () => {
    await redis.send("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    try {
      await expect(openWakeups({ url: redis.url, prefix: "test" }, { queue: "evicting", log })).rejects.toThrow(
        "maxmemory-policy to noeviction",
      );
    } finally {
      await redis.send("CONFIG", "SET", "maxmemory-policy", "noeviction");
    }
  });

  test("one row that cannot fire does not keep the others", async () => {
    const lines: string[] = [];
    const ids = await set(spread(100, 1_500, 1_500));
    const [poison = ""] = ids;
    const careful = fireAs("poisoned");
    const fire: Fire = async (batch) => {
      if (batch.some(({ id }) => id === poison)) throw new Error("this row breaks the statement");
      return await careful(batch);
    };
    await using _ = await start("poisoned", { fire, lines });
    const others = ids.filter((id) => id !== poison);
    expectOnce(await allFired(others), others, 3_000);
    expect(await firingsOf([poison])).toHaveLength(0);
    expect(lines.some((line) => line.includes("firing_failed") && line.includes(poison))).toBe(true);
    await forget();
  }, 30_000);

  test("500 reschedulings racing the firing: no generation fires twice, the last exactly once", async () => {
    await using _ = await startTwo("race");
    const ids = await set(spread(50, 800, 1_600));
    const moves = Array.from({ length: 500 }, async (_, index) => {
      await Bun.sleep(700 + (index / 500) * 1_500);
      await db.sql`
        update alarms set generation = generation + 1, status = 'pending', armed_in = 0,
          due_at = clock_timestamp() + ${Math.random() * 400} * interval '1 ms'
        where id = ${ids[index % 50] ?? ""}`;
    });
    await Promise.all(moves);
    await until(
      "nothing is pending",
      async () =>
        (await db.sql`select 1 from alarms where id = any(${[...ids]}::uuid[]) and status = 'pending'`).length === 0,
    );
    const firings = await firingsOf(ids);
    expect(new Set(firings.map(({ id, generation }) => `${id} ${generation}`)).size).toBe(firings.length);
    expect(Math.min(...firings.map(({ lateMs }) => lateMs))).toBeGreaterThanOrEqual(0);
    for (const id of ids) expect(firings.filter((one) => one.id === id && one.generation === 11)).toHaveLength(1);
  }, 30_000);
});
