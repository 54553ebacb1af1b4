import { describe, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "../../../shared/postgres/db.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { openDatabaseClock } from "../../../shared/postgres/database-clock.ts";
import type { ClaimRange, Fire, Wakeup } from "../../../shared/timers/due-rows.ts";
import { every } from "../../../shared/timers/every.ts";
import { fillHorizon } from "../../../shared/timers/fill-horizon.ts";
import { batchSize, makeFirer } from "../../../shared/timers/fire-when-due.ts";
import { maxWaiting, sweepOverdue } from "../../../shared/timers/sweep-overdue.ts";
import { until } from "../../support/until.ts";

const log = makeLog({}, "error", () => {});
const wakeup = (id: string, dueAt: number, generation = 1): Wakeup => ({ id, generation, dueAt: new Date(dueAt) });
const all: Fire = async (batch) => batch.map(({ id }) => ({ id, outcome: "fired" }));

function setup(fire: Fire = all) {
  const began = performance.now();
  const clock = { now: () => performance.now() - began, aheadMs: () => 0.5, measure: async () => {} };
  const batches: string[][] = [];
  const at: number[] = [];
  const fired: { path: string; asked: number; lateMs: readonly number[] }[] = [];
  const firer = makeFirer({
    fire: (batch) => {
      batches.push(batch.map(({ id, generation }) => `${id}${generation === 1 ? "" : `g${generation}`}`));
      at.push(clock.now());
      return fire(batch);
    },
    clock,
    log,
    onFired: (path, asked, lateMs) => fired.push({ path, asked, lateMs }),
  });
  return { firer, clock, batches, at, fired };
}

describe("firing when due", () => {
  test("waits for the due instant by the database's clock, and as long as that may be ahead", async () => {
    const { firer, at } = setup();
    firer.take(wakeup("a", 30));
    await until("it has fired", () => at.length === 1);
    expect(at[0]).toBeGreaterThanOrEqual(30.5);
  });

  test("a clock that turns out to be ahead is waited for: nothing is asked for before its instant", async () => {
    const asked: number[] = [];
    let time = 0;
    const clock = { now: () => time, aheadMs: () => 0.5, measure: async () => {} };
    const fire: Fire = (batch) => {
      asked.push(time);
      return all(batch);
    };
    const firer = makeFirer({ fire, clock, log, onFired: () => {} });
    firer.take(wakeup("a", 20));
    // By this clock no time passes at first, however often its timer rings.
    await sleep(60);
    expect(asked).toEqual([]);
    time = 21;
    await until("it has fired", () => asked.length === 1);
    expect(asked).toEqual([21]);
  });

  test("what falls due while a batch runs goes with the next one, in id order", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { firer, batches } = setup(async (batch) => {
      if (batch.some(({ id }) => id === "first")) await promise;
      return await all(batch);
    });
    firer.take(wakeup("first", 0));
    await until("the first is being fired", () => batches.length === 1);
    for (const id of ["c", "a", "b"]) firer.take(wakeup(id, 0));
    await sleep(5); // their timers ring meanwhile
    resolve();
    await until("the rest is fired", () => batches.length === 2);
    expect(batches).toEqual([["first"], ["a", "b", "c"]]);
  });

  test("a herd goes in batches of 500", async () => {
    const { firer, fired } = setup();
    for (let index = 0; index < 1_200; index++) firer.take(wakeup(String(index), 1));
    const asked = () => fired.map((batch) => batch.asked);
    await until("all are fired", () => asked().reduce((sum, n) => sum + n, 0) === 1_200);
    expect(asked()).toEqual([batchSize, batchSize, 200]);
  });

  test("the same wake-up taken twice is asked once, another generation beside it", async () => {
    const { firer, batches } = setup();
    for (const generation of [1, 1, 2]) firer.take(wakeup("a", 5, generation));
    await until("it is asked", () => batches.length > 0);
    expect(batches).toEqual([["a", "ag2"]]);
  });

  test("what answers later is asked again within milliseconds, five times, then left to the sweeper", async () => {
    const { firer, at, batches } = setup(async (batch) => batch.map(({ id }) => ({ id, outcome: "later" })));
    firer.take(wakeup("a", 0));
    await until("it is asked six times", () => batches.length === 6);
    expect((at[5] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(155);
    await sleep(200); // the next would come after 160 ms
    expect(batches).toHaveLength(6);
  });

  test("a stale wake-up is not asked again", async () => {
    const { firer, batches, fired } = setup(async () => []);
    firer.take(wakeup("a", 0));
    await until("it is told", () => fired.length === 1);
    await sleep(20); // a second try would come after 5 ms
    expect([batches.length, fired[0]]).toEqual([1, { path: "job", asked: 1, lateMs: [] }]);
  });

  test("a row that breaks the statement is found by halving, the others fire", async () => {
    const { firer, fired, batches } = setup(async (batch) => {
      if (batch.some(({ id }) => id === "x5")) throw new Error("broken");
      return await all(batch);
    });
    firer.offer(Array.from({ length: 10 }, (_, index) => wakeup(`x${index}`, 0)));
    const count = () => fired.reduce((sum, { lateMs }) => sum + lateMs.length, 0);
    await until("the others are fired", () => count() === 9);
    expect(batches.at(0)).toHaveLength(10);
    expect(batches).toContainEqual(["x5"]);
  });

  test("with the database gone a batch is given up at once, not row by row", async () => {
    const { batches } = setup();
    const firer = makeFirer({
      fire: async (batch) => {
        batches.push(batch.map(({ id }) => id));
        throw new Error("gone");
      },
      clock: { now: () => 0, aheadMs: () => 0, measure: () => Promise.reject(new Error("gone")) },
      log,
      onFired: () => {},
    });
    firer.offer([wakeup("a", 0), wakeup("b", 0)]);
    await firer.stop();
    expect(batches).toEqual([["a", "b"]]);
  });

  test("nor with a database that answers and takes no writes", async () => {
    const readOnly = Object.assign(new Error("read-only"), { name: "PostgresError", severity: "ERROR", code: "25006" });
    const { firer, batches } = setup(() => Promise.reject(readOnly));
    firer.offer([wakeup("a", 0), wakeup("b", 0)]);
    await firer.stop();
    expect(batches).toEqual([["a", "b"]]);
  });

  test("stopping waits for the running batch, hands back the rest and takes nothing new", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { firer, batches, fired } = setup(async (batch) => {
      await promise;
      return await all(batch);
    });
    firer.take(wakeup("running", 0));
    firer.take(wakeup("to come", 10_000));
    await until("one runs", () => batches.length === 1);
    const stopped = firer.stop();
    firer.take(wakeup("too late", 0));
    resolve();
    expect((await stopped).map(({ id }) => id)).toEqual(["to come"]);
    expect([batches, fired.length]).toEqual([[["running"]], 1]);
  });
});

describe("sweeping", () => {
  const signal = new AbortController().signal;
  const rows = Array.from({ length: 5_100 }, (_, index) => wakeup(String(index).padStart(4, "0"), index));
  const overdue = async ({ after, limit }: { after: Wakeup | null; limit: number }) =>
    rows.filter(({ dueAt }) => after === null || dueAt > after.dueAt).slice(0, limit);

  test("goes on past rows that do not fire, to the end, and lines each row up once", async () => {
    const asked: string[] = [];
    const offer = (batch: readonly Wakeup[]) => {
      asked.push(...batch.map(({ id }) => id));
      return 1;
    };
    const options = { after: null, signal };
    const firer = { offer, waiting: () => 0 };
    expect(await sweepOverdue({ overdue }, firer, options)).toEqual({ found: 3, after: null });
    expect(asked).toEqual(rows.map(({ id }) => id));
  });

  test("pauses while too many wait, and the next sweep goes on from there", async () => {
    let waiting = maxWaiting - 1;
    const offer = (batch: readonly Wakeup[]) => {
      waiting += batch.length;
      return batch.length;
    };
    const firer = { offer, waiting: () => waiting };
    const { after } = await sweepOverdue({ overdue }, firer, { after: null, signal });
    expect(after).toBe(rows[1_999] ?? null);
    expect(await sweepOverdue({ overdue }, firer, { after, signal })).toEqual({ found: 0, after });
    waiting = 0;
    expect(await sweepOverdue({ overdue }, firer, { after, signal })).toEqual({ found: 3_100, after: null });
    expect(waiting).toBe(3_100);
  });

  test("is more patient while a herd waits here for its turn", async () => {
    const graces: number[] = [];
    const nothing = async ({ graceMs }: { graceMs: number }) => {
      graces.push(graceMs);
      return [];
    };
    for (const waiting of [0, 499, 500])
      await sweepOverdue({ overdue: nothing }, { offer: () => 0, waiting: () => waiting }, { after: null, signal });
    expect(graces).toEqual([250, 250, 2_000]);
  });
});

describe("filling the horizon", () => {
  const about = { epoch: 3, rebuild: false, databaseNow: () => 0, signal: new AbortController().signal };

  test("stores what is claimed until nothing is left", async () => {
    const claims = [[wakeup("a", 1), wakeup("b", 2)], [wakeup("c", 3)], [], [wakeup("b2", 2)], [], []];
    const from: (number | null)[] = [];
    const stored: string[] = [];
    const claim = async (range: ClaimRange) => {
      from.push(range.from?.getTime() ?? null);
      return claims.shift() ?? [];
    };
    const wakeups = { store: async (batch: readonly Wakeup[]) => void stored.push(...batch.map(({ id }) => id)) };
    expect(await fillHorizon({ ...about, rows: { claim, release: async () => {} }, wakeups })).toBe(4);
    expect(stored).toEqual(["a", "b", "c", "b2"]);
    // Each claim begins where the last one ended, and what turned up behind it is found from the start.
    expect(from).toEqual([null, 2, 3, null, 2, null]);
  });

  test("claims the next batch while the last one is being stored, and not the one after", async () => {
    const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    let [claimed, sent] = [0, 0];
    const claim = async () => (claimed < 3 ? [wakeup(String(claimed), ++claimed)] : []);
    const wakeups = { store: async () => await gates[sent++]?.promise };
    const filling = fillHorizon({ ...about, rows: { claim, release: async () => {} }, wakeups });
    await until("two are being stored", () => sent === 2);
    await sleep(5); // a third would be sent at once
    expect([claimed, sent]).toEqual([2, 2]);
    for (const { resolve } of gates) resolve();
    expect(await filling).toBe(3);
  });

  test("takes every claim back when Redis does not take the wake-ups", async () => {
    const released: unknown[] = [];
    let claims = 0;
    const rows = {
      claim: async () => [wakeup("ab"[claims++] ?? "c", 1)],
      release: async (batch: readonly Wakeup[], epoch: number) =>
        void released.push([batch.map(({ id }) => id), epoch]),
    };
    const wakeups = { store: () => Promise.reject(new Error("Redis is gone")) };
    await expect(fillHorizon({ ...about, rows, wakeups })).rejects.toThrow("Redis is gone");
    await until("both claims are released", () => released.length === 2);
    expect(released).toEqual([
      [["a"], 3],
      [["b"], 3],
    ]);
  });
});

describe("the database's clock", () => {
  test("follows the fastest answer, stays within half its round trip, and does not follow the process's clock", async () => {
    // The database is 5 s ahead of the monotonic clock; answers take 40, 2, 40, 40, 40 ms.
    let monotonic = 0;
    const trips = [40, 2, 40, 40, 40];
    const sql = (async () => {
      const trip = trips.shift() ?? 40;
      monotonic += trip / 2;
      const ms = monotonic + 5_000;
      monotonic += trip / 2;
      return [{ ms }];
    }) as unknown as Sql;
    const clock = await openDatabaseClock({ sql }, () => monotonic);
    expect(clock.now() - monotonic).toBeCloseTo(5_000, 6);
    expect(clock.aheadMs()).toBeCloseTo(1 + 120 * 1e-4, 6);
    monotonic += 10_000;
    expect(clock.aheadMs()).toBeCloseTo(2 + 120 * 1e-4, 6);
  });
});

describe("a loop", () => {
  test("goes on after failures, tells the first and the recovery, and ends with its signal", async () => {
    const lines: string[] = [];
    const abort = new AbortController();
    let runs = 0;
    const told: [part: string, isDown: boolean][] = [];
    const loop = every(
      {
        ms: 1,
        signal: abort.signal,
        log: makeLog({}, "info", (line) => lines.push(JSON.parse(line).event)),
        name: "x",
        tellOutage: (part, error) => told.push([part, error !== null]),
      },
      async () => {
        if (++runs <= 3) throw new Error("not yet");
        if (runs === 6) abort.abort();
      },
    );
    await loop;
    expect([runs, lines]).toEqual([6, ["loop_failing", "loop_recovered"]]);
    expect(told).toEqual([
      ["x", true],
      ["x", true],
      ["x", true],
      ["x", false],
    ]);
  });

  test("comes back sooner when the work says so", async () => {
    const abort = new AbortController();
    let runs = 0;
    await every({ ms: 60_000, signal: abort.signal, log, name: "x", tellOutage: () => {} }, async () => {
      if (++runs === 3) abort.abort();
      return 1;
    });
    expect(runs).toBe(3);
  });
});
