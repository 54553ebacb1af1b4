import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { until } from "../support/until.ts";
import { openTimersWorld, redisForTimers, spread, type Firing, type TimersWorld } from "./timers-world.ts";

const program = await redisForTimers();
const isLong = process.env["LONG_TESTS"] === "1";
const herdSize = isLong ? 50_000 : 6_000;
const othersCount = 200;

/** One owner's many due at one instant, and others' few: who waits for whom. */
describe.skipIf(program === null)("a herd", () => {
  let world: TimersWorld;
  beforeAll(async () => {
    world = await openTimersWorld(program ?? "");
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

  const report = (what: string, firings: readonly Firing[]) => {
    const late = firings.map(({ lateMs }) => lateMs).toSorted((a, b) => a - b);
    const at = (share: number) => late[Math.floor((late.length - 1) * share)]?.toFixed(0);
    console.info(`${what}, ${late.length}: late p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`);
  };
  const pending = async (armedIn: string) =>
    (
      await world.db.sql<{ n: number }[]>`
      select count(*)::int as n from alarms where status = 'pending' and armed_in::text like ${armedIn}`
    )[0]?.n;
  const firedOf = (whose: string) =>
    world.db.sql<Firing[]>`
      select id, place::int as place, late_ms as "lateMs" from firings join alarms using (id)
      where (owner = 'herd') = (${whose} = 'herd') order by place`;
  /** Once each and not early; and how many of the herd had fired before the last of the others. */
  const fired = async (what: string) => {
    await until("all have fired", async () => (await pending("%")) === 0, { timeoutMs: 120_000, everyMs: 200 });
    const [herd, others] = [await firedOf("herd"), await firedOf("others")];
    report(`${what}: the herd`, herd);
    report(`${what}: others`, others);
    for (const [firings, count] of [
      [herd, herdSize],
      [others, othersCount],
    ] as const) {
      expect(new Set(firings.map(({ id }) => id)).size).toBe(count);
      expect(firings).toHaveLength(count);
      expect(Math.min(...firings.map(({ lateMs }) => lateMs))).toBeGreaterThanOrEqual(0);
    }
    const last = others.at(-1)?.place ?? 0;
    return herd.filter(({ place }) => place < last).length;
  };
  /** Both due at one instant, so many ms from now. */
  const setBoth = (inMs: number) =>
    world.db.sql`
      insert into alarms (id, due_at, owner)
      select gen_random_uuid(), clock.now + ${inMs} * interval '1 ms', case when n < ${herdSize} then 'herd' else 'o' || n % 10 end
      from generate_series(0, ${herdSize + othersCount - 1}) as of (n), (select clock_timestamp() as now) clock`;
  beforeEach(async () => {
    await world.db.sql`truncate alarms, firings`;
  });

  test("of one owner lets the others' wake-ups pass", async () => {
    await using _ = await world.startMany("herd", 2);
    // Time for all of them to be armed: the loader stores some thousands a second.
    await setBoth(isLong ? 60_000 : 8_000);
    await until("all are armed", async () => (await pending("0")) === 0, { timeoutMs: 60_000, everyMs: 100 });
    expect(await fired("by wake-ups")).toBeLessThan(herdSize / 2);
  }, 240_000);

  test("and others' fire once each without Redis too", async () => {
    await using _ = await world.startMany("swept", 2);
    await world.redis.kill();
    try {
      await setBoth(isLong ? 15_000 : 3_000);
      // Who comes first depends on what the sweeper has read when; the line itself is held by unit/timers-fairness.
      await fired("by the sweeper");
    } finally {
      await world.redis.start();
    }
  }, 240_000);

  test("with five instances each fires once", async () => {
    await using _ = await world.startMany("five", 5);
    const ids = await world.set(spread(500, 2_500, 3_500));
    const firings = await world.allFired(ids, 30_000);
    report("five instances", firings);
    expect(firings.map(({ id }) => id).toSorted()).toEqual([...ids].toSorted());
    expect(Math.min(...firings.map(({ lateMs }) => lateMs))).toBeGreaterThanOrEqual(0);
    expect(new Set(firings.map(({ instance }) => instance)).size).toBeGreaterThan(2);
  }, 60_000);

  test("Redis that stops answering around the due time keeps nothing: the sweeper fires", async () => {
    await using _ = await world.startMany("frozen", 2);
    const frozenMs = isLong ? 30_000 : 8_000;
    const ids = await world.set(spread(60, 2_000, frozenMs));
    await world.armed(ids);
    world.redis.freeze();
    const firings = await world.allFired(ids, 60_000);
    world.redis.thaw();
    report(`silent for ${frozenMs / 1000} s`, firings);
    expect(firings.map(({ id }) => id).toSorted()).toEqual([...ids].toSorted());
    expect(Math.min(...firings.map(({ lateMs }) => lateMs))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...firings.map(({ lateMs }) => lateMs))).toBeLessThan(5_000);
    const more = await world.set(spread(20, 3_000, 4_000));
    await world.armed(more);
    expect(await world.allFired(more)).toHaveLength(more.length);
  }, 120_000);
});
