import { expect, test } from "bun:test";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { makePace } from "../../../shared/waiting/pace.ts";

const never = new AbortController().signal;

function setup(seldomMs = 60_000) {
  const metrics = makeMetrics("test", { process: false });
  let at = 0;
  const pace = makePace({ name: "rows", oftenMs: 1, seldomMs, metrics, monotonic: () => at });
  return {
    pace,
    pass: (ms: number) => void (at += ms),
    untold: async () => Number(/poll_found_untold_total\{[^}]*\} (\d+)/.exec(await metrics.text())?.[1]),
  };
}

/** Whether a rest ends by itself within some ms. */
async function isShort(rest: Promise<void>): Promise<boolean> {
  return Promise.race([rest.then(() => true), Bun.sleep(50).then(() => false)]);
}

test("looks are frequent at the start and for five seconds after somebody told, and seldom after that", async () => {
  const { pace, pass } = setup();
  expect(await isShort(pace.rest(never))).toBe(true);
  pass(5_001);
  const seldom = pace.rest(never);
  expect(await isShort(seldom)).toBe(false);
  pace.told();
  expect(await isShort(seldom)).toBe(true);
  expect(await isShort(pace.rest(never))).toBe(true);
  pass(5_001);
  expect(await isShort(pace.rest(never))).toBe(false);
});

test("what is told during a look ends the rest after it at once", async () => {
  const { pace, pass } = setup();
  pass(5_001);
  pace.told();
  pass(5_001);
  expect(await isShort(pace.rest(never))).toBe(true);
  expect(await isShort(pace.rest(never))).toBe(false);
});

test("what a look finds although nobody told is counted, and looks are frequent again", async () => {
  const { pace, pass, untold } = setup();
  pace.found();
  expect(await untold()).toBe(0);
  pass(5_001);
  pace.found();
  expect(await untold()).toBe(1);
  expect(await isShort(pace.rest(never))).toBe(true);
  pace.told();
  pace.found();
  expect(await untold()).toBe(1);
});

test("a stop ends a rest", async () => {
  const { pace, pass } = setup();
  pass(5_001);
  const stop = new AbortController();
  const rest = pace.rest(stop.signal);
  stop.abort();
  expect(await isShort(rest)).toBe(true);
  expect(await isShort(pace.rest(stop.signal))).toBe(true);
});
