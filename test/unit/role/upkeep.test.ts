import { expect, test } from "bun:test";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { forEachAlone, inBatches, keepUp, runUpkeep } from "../../../shared/role/upkeep.ts";

const boom = () => Promise.reject(new Error("boom"));

test("a step that fails is told and counted, and the others run", async () => {
  const ran: string[] = [];
  const lines: string[] = [];
  const metrics = makeMetrics("outbox-relay", { process: false });
  const stop = new AbortController();
  const steps = {
    first: boom,
    second: async () => void ran.push("second"),
    third: async () => {
      ran.push("third");
      // Aborted while the loop runs: the failures of this round are counted all the same.
      setTimeout(() => stop.abort(), 0);
    },
  };
  const log = makeLog({}, "warn", (line) => void lines.push(line));
  await keepUp({ everyMs: 60_000, steps }, { signal: stop.signal, log, metrics });
  expect(ran).toEqual(["second", "third"]);
  expect(lines.map((line) => JSON.parse(line) as { event: string; step: string })).toMatchObject([
    { event: "upkeep_failed", step: "first" },
  ]);
  const text = await metrics.text();
  expect(text).toMatch(/^upkeep_failures_total\{step="first",\S+ 1$/m);
  expect(text).toMatch(/^upkeep_failures_total\{step="second",\S+ 0$/m);
});

test("what fails because of a stop is no failure, and nothing is begun after it", async () => {
  const stop = new AbortController();
  const ran: string[] = [];
  const steps = {
    first: () => {
      stop.abort();
      return boom();
    },
    second: async () => void ran.push("second"),
  };
  const lines: string[] = [];
  const log = makeLog({}, "warn", (line) => void lines.push(line));
  expect(await runUpkeep(steps, { log, signal: stop.signal })).toEqual([]);
  expect([ran, lines]).toEqual([[], []]);
});

test("one item that fails keeps no other from its turn, and is told at the end", async () => {
  const done: number[] = [];
  const work = forEachAlone([1, 2, 3], async (n) => {
    if (n === 2) throw new Error("two");
    done.push(n);
  });
  await expect(work).rejects.toThrow("1 of 3 failed");
  expect(done).toEqual([1, 3]);
});

test("what is much is done in batches, and a stop waits for no more than the one that runs", async () => {
  const stop = new AbortController();
  const given =
    (left: number, stopAt = -1) =>
    async () => {
      const count = Math.min(10, left);
      left -= count;
      if (left === stopAt) stop.abort();
      return { count };
    };
  expect(await inBatches({ rows: 10, signal: stop.signal }, given(25))).toBe(25);
  expect(await inBatches({ rows: 10, signal: stop.signal }, given(20))).toBe(20);
  expect(await inBatches({ rows: 10, signal: stop.signal }, given(1_000, 970))).toBe(30);
});
