import { expect, test } from "bun:test";
import type { Sql } from "../../../shared/postgres/db.ts";
import type { DueRows, Wakeup } from "../../../shared/timers/due-rows.ts";
import { runTimers } from "../../../shared/timers/run-timers.ts";
import type { Wakeups } from "../../../shared/timers/wakeups.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { databaseClockOf, roleOf } from "../../support/role-of.ts";
import { until } from "../../support/until.ts";

/** Timers of one process, whose table has nothing of its own and whose wake-ups are rung by hand. */
async function setup() {
  const stop = new AbortController();
  const sql = (async () => [{ ms: Date.now() }]) as unknown as Sql;
  const stored: Wakeup[] = [];
  let ring: ((wakeup: Wakeup) => number) | null = null;
  const wakeups: Wakeups = {
    store: async (batch) => void stored.push(...batch),
    start: (onWake) => (ring = onWake),
    isUp: () => true,
    marker: { read: () => Promise.reject(new Error("not asked")), replace: () => Promise.resolve(false) },
    [Symbol.asyncDispose]: async () => {},
  };
  const fired: string[] = [];
  const rows: DueRows = {
    claim: async () => [],
    release: async () => {},
    overdue: async () => [],
    late: async () => ({ rows: 0, seconds: 0 }),
    fire: async (batch) => {
      fired.push(...batch.map(({ id }) => id));
      return batch.map(({ id }) => ({ id, outcome: "fired" }));
    },
  };
  const role = roleOf({
    name: "reminder-service",
    signal: stop.signal,
    log: makeLog({}, "error", () => {}),
    clock: await databaseClockOf({ sql }),
  });
  const running = runTimers({ db: { sql }, name: "reminders", wakeups, rows }, role);
  await until("it listens", () => ring !== null);
  const dueIn = (id: string, ms: number): Wakeup => ({ id, generation: 1, dueAt: new Date(Date.now() + ms) });
  return {
    stored,
    fired,
    ring: (id: string, ms: number) => ring?.(dueIn(id, ms)),
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

test("what an instance that stops had taken goes back to Redis, nearest first, and it takes no more", async () => {
  const timers = await setup();
  expect([timers.ring("far", 20_000), timers.ring("near", 10_000), timers.ring("now", -5)]).toEqual([0, 0, 0]);
  await until("what is due has fired", () => timers.fired.length === 1);
  const stopping = timers.stop();
  expect(timers.ring("late", 10_000)).toBeGreaterThan(0);
  await stopping;
  expect(timers.stored.map(({ id }) => id)).toEqual(["near", "far"]);
  expect(timers.fired).toEqual(["now"]);
});

test("a wake-up that rings far too early is to ring again shortly before its instant", async () => {
  const timers = await setup();
  const again = timers.ring("early", 3_600_000) ?? 0;
  expect(again).toBeGreaterThan(3_590_000);
  expect(again).toBeLessThan(3_600_000);
  await timers.stop();
  expect([timers.stored, timers.fired]).toEqual([[], []]);
});
