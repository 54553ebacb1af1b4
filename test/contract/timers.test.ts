import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import { dueRows, type Fire, type Wakeup } from "../../shared/timers/due-rows.ts";
import { openWakeups } from "../../shared/timers/wakeups.ts";
import { until } from "../support/until.ts";
import { openTimersWorld, redisForTimers, spread, type Firing, type TimersWorld } from "./timers-world.ts";

const program = await redisForTimers();
const log = makeLog({}, "error");

describe.skipIf(program === null)("timers", () => {
  let world: TimersWorld;
  beforeAll(async () => {
    world = await openTimersWorld(program ?? "");
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

  /** Each once, none early; late by what a busy machine and an outage of Redis cost. */
  const expectOnce = (firings: readonly Firing[], ids: readonly string[]) => {
    expect(firings.map(({ id }) => id).toSorted()).toEqual([...ids].toSorted());
    expect(Math.min(...firings.map(({ lateMs }) => lateMs))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...firings.map(({ lateMs }) => lateMs))).toBeLessThan(10_000);
  };

  test("with two instances each alarm fires once, never early", async () => {
    await using _ = await world.startMany("once", 2);
    const ids = await world.set(spread(300, 2_500, 4_500));
    await world.armed(ids);
    const firings = await world.allFired(ids);
    expectOnce(firings, ids);
    const late = firings.map(({ lateMs }) => lateMs).sort((a, b) => a - b);
    console.info(
      `lateness of 300 in 2 s, two instances: p50 ${late[150]?.toFixed(1)} ms, p99 ${late[297]?.toFixed(1)} ms`,
    );
    expect(new Set(firings.map(({ instance }) => instance)).size).toBe(2);
  }, 30_000);

  test("an alarm set shortly before it is due fires by its wake-up or the sweeper", async () => {
    await using _ = await world.start("short");
    const ids = await world.set([50, 200, 600, -3_600_000]);
    expectOnce(await world.allFired([...ids].slice(0, 3)), ids.slice(0, 3));
    expect(await world.allFired(ids)).toHaveLength(4);
  }, 30_000);

  test("an instance that stops hands over what it had taken: nothing waits for the sweeper", async () => {
    const one = await world.start("leaving");
    await using other = await world.start("leaving");
    const ids = await world.set(spread(200, 3_000, 5_000));
    await world.armed(ids);
    await Bun.sleep(1_800); // most have rung and wait in memory for their instant
    await one.stop();
    const firings = await world.allFired(ids);
    expectOnce(firings, ids);
    // It would find about seventy, had they not been handed over.
    const swept = /^timer_fired_total\{timer="leaving",path="sweeper",.*\} (\d+)$/m.exec(await other.metrics())?.[1];
    expect(Number(swept ?? 0)).toBeLessThan(35);
  }, 30_000);

  test("instances that arm at once take different rows, and none waits for another's", async () => {
    const rows = dueRows(world.db, { table: "alarms", due: "due_at", fire: () => Promise.resolve([]) });
    const ids = await world.set(spread(10, 600_000, 700_000));
    const range = { which: "unarmed", epoch: 1, from: null, withinMs: 3_600_000, limit: 100 } as const;
    const isClaimed = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    // The first to claim has five of them and has not committed.
    const first = world.db.transaction(async (tx) => {
      await tx`update alarms set armed_in = 1 where id = any(${ids.slice(0, 5)}::uuid[])`;
      isClaimed.resolve();
      await mayCommit.promise;
    });
    await isClaimed.promise;
    let second: readonly Wakeup[] | null = null;
    const claiming = rows.claim(range).then((claimed) => (second = claimed));
    await until("the second claims or waits for a lock", async () => {
      const [row] = await world.db.sql<{ waits: boolean }[]>`
        select exists (select from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock') as waits`;
      return second !== null || row?.waits;
    });
    expect(second).not.toBeNull();
    mayCommit.resolve();
    await Promise.all([first, claiming]);
    expect((await claiming).map(({ id }) => id).toSorted()).toEqual(ids.slice(5).toSorted());
    await world.forget();
  });

  test("a claim is taken back by the epoch that has it alone", async () => {
    const rows = dueRows(world.db, { table: "alarms", due: "due_at", fire: () => Promise.resolve([]) });
    await world.set(spread(3, 600_000, 700_000));
    const range = { from: null, withinMs: 3_600_000, limit: 100 } as const;
    const claimed = await rows.claim({ ...range, which: "unarmed", epoch: 1 });
    expect(await rows.claim({ ...range, which: "of-earlier-epochs", epoch: 2 })).toHaveLength(3);
    await rows.release(claimed, 1);
    expect(await rows.claim({ ...range, which: "unarmed", epoch: 2 })).toEqual([]);
    await rows.release(claimed, 2);
    expect(await rows.claim({ ...range, which: "unarmed", epoch: 2 })).toHaveLength(3);
    await world.forget();
  });

  test("overdue rows come in pages, the one due first before the others, and none twice", async () => {
    const rows = dueRows(world.db, { table: "alarms", due: "due_at", fire: () => Promise.resolve([]) });
    const ids = await world.set([-3_000, -5_000, -4_000, -4_500, 60_000]);
    const seen: string[] = [];
    for (let after: Wakeup | null = null; ;) {
      const page: readonly Wakeup[] = await rows.overdue({ graceMs: 1_000, after, limit: 3 });
      seen.push(...page.map(({ id }) => id));
      after = page.at(-1) ?? null;
      if (page.length < 3) break;
    }
    expect(seen).toEqual([1, 3, 2, 0].map((n) => ids[n] ?? ""));
    await world.forget();
  });

  test("a wake-up that rings an hour too early goes back to Redis: a process that dies takes none with it", async () => {
    await using wakeups = await openWakeups({ url: world.redis.url, prefix: "test" }, { queue: "early", log });
    const dueAt = new Date(Date.now() + 3_600_000);
    // Stored by a process whose clock is an hour ahead, it would ring now.
    await wakeups.store([{ id: crypto.randomUUID(), generation: 1, dueAt }], dueAt.getTime());
    expect(await world.redis.send("ZCARD", "test:early:delayed")).toBe(0);
    await using _ = await world.start("early");
    await until(
      "it waits in Redis again",
      async () => Number(await world.redis.send("ZCARD", "test:early:delayed")) === 1,
    );
    expect(await world.jobs("early")).toBe(1);
  });

  test("a marker takes the place of the one that was read, and of no other", async () => {
    const config = { url: world.redis.url, prefix: "test" };
    await using wakeups = await openWakeups(config, { queue: "marked", log });
    const { read, replace } = wakeups.marker;
    expect([await replace("a", "b"), (await read()).value]).toEqual([false, null]);
    expect([await replace(null, "a"), (await read()).value]).toEqual([true, "a"]);
    expect([await replace(null, "b"), (await read()).value]).toEqual([false, "a"]);
    expect([await replace("a", "b"), (await read()).value]).toEqual([true, "b"]);
  });

  test("only what is due within the hour is in Redis; ten years ahead fires when its time comes near", async () => {
    await using _ = await world.start("horizon");
    const near = await world.set([3_500_000]);
    const [far] = await world.set([3_700_000, 10 * 365 * 86_400_000]);
    await world.armed(near);
    // Rows are claimed before their wake-ups are stored.
    await until("its wake-up is in Redis", async () => (await world.jobs("horizon")) > 0);
    expect(await world.jobs("horizon")).toBe(1);
    const [row] = await world.db.sql`select armed_in::int as "armedIn" from alarms where id = ${far ?? ""}`;
    expect(row).toEqual({ armedIn: 0 });
    // Ten years pass for this one: nobody writes a new generation, its instant just comes into the hour.
    const [decade] = await world.set([10 * 365 * 86_400_000]);
    await world.db.sql`update alarms set due_at = clock_timestamp() + interval '2.5 s' where id = ${decade ?? ""}`;
    const firings = await world.allFired([decade ?? ""]);
    expect(firings).toMatchObject([{ generation: 1 }]);
    expect(firings[0]?.lateMs).toBeGreaterThanOrEqual(0);
    await world.forget();
  }, 15_000);

  test("Redis emptied while they are armed: noticed, rebuilt, each fires once and not early", async () => {
    await using one = await world.start("flushed");
    await using _ = await world.start("flushed");
    const ids = await world.set([...spread(100, 1_500, 6_000), ...spread(50, 60_000, 90_000)]);
    await world.armed(ids);
    await until("wake-ups are in Redis", async () => (await world.jobs("flushed")) > 100);
    await world.redis.send("FLUSHALL");
    await until("those to come are back", async () => (await world.jobs("flushed")) >= 50, { timeoutMs: 8_000 });
    expectOnce(await world.allFired(ids.slice(0, 100)), ids.slice(0, 100));
    expect(await one.metrics()).toMatch(/timer_rebuilds_total\{timer="flushed",role="i\d+"\} 1/);
    await world.forget();
  }, 30_000);

  test("Redis restored from an old copy is noticed by its marker", async () => {
    const name = "restored";
    await using one = await world.start(name);
    await until("the marker is there", async () => (await world.redis.send("GET", `test:filled:${name}`)) !== null);
    const old = String(await world.redis.send("GET", `test:filled:${name}`));
    const ids = await world.set(spread(20, 60_000, 90_000));
    await world.armed(ids);
    await until(
      "the marker has been rotated",
      async () => (await world.redis.send("GET", `test:filled:${name}`)) !== old,
      {
        timeoutMs: 20_000,
      },
    );
    // What a snapshot from before would hold: the old marker and none of the jobs.
    await world.redis.send("FLUSHALL");
    await world.redis.send("SET", `test:filled:${name}`, old);
    await until("those to come are back", async () => (await world.jobs(name)) >= 20, { timeoutMs: 8_000 });
    expect(await one.metrics()).toMatch(/timer_rebuilds_total\S+ 1/);
    await world.forget();
  }, 40_000);

  test("with Redis killed they fire by the sweeper, and by wake-ups again when it is back", async () => {
    const lines: string[] = [];
    await using _ = await world.start("killed", { lines });
    const ids = await world.set(spread(40, 1_500, 5_000));
    await world.armed(ids);
    await world.redis.kill();
    expectOnce(await world.allFired(ids), ids);
    await world.redis.start();
    const more = await world.set(spread(10, 4_000, 5_000));
    await world.armed(more);
    expectOnce(await world.allFired(more), more);
    expect(lines.filter((line) => line.includes("loop_failing")).length).toBeLessThan(5);
  }, 40_000);

  test.each([
    ["is full", ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]],
    ["has become a replica", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]],
  ] as const)(
    "with a Redis that %s they fire by the sweeper, the metric says so, and wake-ups are stored again when it takes them",
    async (_how, [command, ...args], [back, ...more]) => {
      await using one = await world.start("refusing");
      const saysUp = async (up: 0 | 1) =>
        (await one.metrics()).includes(`timer_redis_up{timer="refusing"`) &&
        new RegExp(`^timer_redis_up\\S+ ${up}$`, "m").test(await one.metrics());
      await world.redis.send(command, ...args);
      try {
        const ids = await world.set(spread(20, 1_000, 3_000));
        expectOnce(await world.allFired(ids), ids);
        const later = await world.set([600_000]);
        await until("the metric says that nothing is stored", () => saysUp(0), { timeoutMs: 15_000 });
        await world.redis.send(back, ...more);
        await world.armed(later);
        await until("and that it is again", () => saysUp(1), { timeoutMs: 15_000 });
      } finally {
        await world.redis.send(back, ...more);
        await world.forget();
      }
    },
    60_000,
  );

  test("a process whose clock is an hour ahead, or behind, fires nothing early", async () => {
    const real = Date.now;
    for (const offsetMs of [3_600_000, -3_600_000]) {
      Date.now = () => real() + offsetMs;
      try {
        await using _ = await world.start(`clock${offsetMs > 0 ? "ahead" : "behind"}`);
        const ids = await world.set(spread(20, 2_000, 4_000));
        expectOnce(await world.allFired(ids), ids);
      } finally {
        Date.now = real;
      }
    }
  }, 40_000);

  test("stopping with Redis gone takes at most some seconds", async () => {
    const one = await world.start("stopping");
    await world.redis.kill();
    const began = performance.now();
    await one.stop();
    expect(performance.now() - began).toBeLessThan(6_000);
    await world.redis.start();
  }, 20_000);

  test("an instance starts with Redis down and fires by the sweeper", async () => {
    await world.redis.kill();
    const ids = await world.set([3_500]);
    await using _ = await world.start("down");
    expectOnce(await world.allFired(ids), ids);
    await world.redis.start();
  }, 20_000);

  test("a Redis that may evict keys is refused by name", async () => {
    await world.redis.send("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    try {
      await expect(openWakeups({ url: world.redis.url, prefix: "test" }, { queue: "evicting", log })).rejects.toThrow(
        "maxmemory-policy to noeviction",
      );
    } finally {
      await world.redis.send("CONFIG", "SET", "maxmemory-policy", "noeviction");
    }
  });

  test("one row that cannot fire does not keep the others", async () => {
    const lines: string[] = [];
    const ids = await world.set(spread(100, 1_500, 1_500));
    const [poison = ""] = ids;
    const careful = world.fireAs("poisoned");
    const fire: Fire = async (batch) => {
      if (batch.some(({ id }) => id === poison)) throw new Error("this row breaks the statement");
      return await careful(batch);
    };
    await using _ = await world.start("poisoned", { fire, lines });
    const others = ids.filter((id) => id !== poison);
    expectOnce(await world.allFired(others), others);
    expect(await world.firingsOf([poison])).toHaveLength(0);
    expect(lines.some((line) => line.includes("firing_failed") && line.includes(poison))).toBe(true);
    await world.forget();
  }, 30_000);

  test("500 reschedulings racing the firing: no generation fires twice, the last exactly once", async () => {
    await using _ = await world.startMany("race", 2);
    const ids = await world.set(spread(50, 800, 1_600));
    const moves = Array.from({ length: 500 }, async (_, index) => {
      await Bun.sleep(700 + (index / 500) * 1_500);
      await world.db.sql`
        update alarms set generation = generation + 1, status = 'pending', armed_in = 0,
          due_at = clock_timestamp() + ${Math.random() * 400} * interval '1 ms'
        where id = ${ids[index % 50] ?? ""}`;
    });
    await Promise.all(moves);
    await until(
      "nothing is pending",
      async () =>
        (await world.db.sql`select 1 from alarms where id = any(${[...ids]}::uuid[]) and status = 'pending'`).length ===
        0,
    );
    const firings = await world.firingsOf(ids);
    expect(new Set(firings.map(({ id, generation }) => `${id} ${generation}`)).size).toBe(firings.length);
    expect(Math.min(...firings.map(({ lateMs }) => lateMs))).toBeGreaterThanOrEqual(0);
    for (const id of ids) expect(firings.filter((one) => one.id === id && one.generation === 11)).toHaveLength(1);
  }, 30_000);
});
