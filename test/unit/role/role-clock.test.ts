import { afterAll, expect, test } from "bun:test";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import { makeRoleClock } from "../../../shared/role/role-clock.ts";
import { until } from "../../support/until.ts";

const hourMs = 3_600_000;
const at = Date.parse("2026-03-01T09:00:00Z");

const following = new AsyncDisposableStack();
afterAll(() => following.disposeAsync());

/** A database and a process of which each has a clock of its own; `monotonic` moves them both. */
function setup() {
  const world = { monotonicMs: 5_000, databaseMs: at, wallMs: at, asked: 0 };
  // Stands for postgres.js's tag: the clock asks one question.
  const sql = (async () => {
    world.asked++;
    return [{ ms: world.databaseMs }];
  }) as unknown as Sql;
  const lines: string[] = [];
  const metrics = makeMetrics("outbox-relay", { process: false });
  const log = makeLog({}, "info", (line) => void lines.push((JSON.parse(line) as { event: string }).event));
  const clock = makeRoleClock({ log, metrics }, { wallMs: () => world.wallMs, monotonicMs: () => world.monotonicMs });
  const offset = async () =>
    Number(/^role_clock_offset_seconds\S* (\S+)$/m.exec(await metrics.text())?.[1] ?? Number.NaN);
  return { world, sql, lines, clock, offset };
}

test("now is the database's, whatever the process's clock says, and runs on between two measures", async () => {
  const { world, sql, clock, offset, lines } = setup();
  expect(() => clock.now()).toThrow("has not been asked yet");
  world.wallMs = at + 2 * hourMs;
  following.use(await clock.follow({ sql }));
  expect(clock.now().toISOString()).toBe("2026-03-01T09:00:00.000Z");
  expect(await offset()).toBe(-7_200);
  expect(lines).toEqual(["clock_off"]);
  world.monotonicMs += 1_500;
  world.wallMs -= 8 * hourMs;
  expect(clock.now().toISOString()).toBe("2026-03-01T09:00:01.500Z");
});

test("a clock that is a little off is not told in the log", async () => {
  const { world, sql, clock, offset, lines } = setup();
  world.wallMs = at - 1_900;
  following.use(await clock.follow({ sql }));
  expect([await offset(), lines]).toEqual([1.9, []]);
});

test("after a jump of the process's clock the database is asked at once: a machine was suspended, or its clock set", async () => {
  const { world, sql, clock, offset, lines } = setup();
  world.wallMs = at + hourMs;
  following.use(await clock.follow({ sql }));
  const before = world.asked;
  // Suspended for ten minutes: the monotonic clock stood still.
  world.databaseMs += 600_000;
  world.wallMs = world.databaseMs;
  await until("it is asked again", () => world.asked > before, { timeoutMs: 5_000 });
  await until("the clock is right", () => lines.includes("clock_right"), { timeoutMs: 5_000 });
  expect(clock.now().toISOString()).toBe("2026-03-01T09:10:00.000Z");
  expect(await offset()).toBe(0);
});
