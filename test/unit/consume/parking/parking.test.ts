import { describe, expect, test } from "bun:test";
import { makeOffsets } from "../../../../shared/consume/member/offsets.ts";
import { defaultTiersMs, nextTry } from "../../../../shared/consume/failure/retry.ts";
import { Problem } from "../../../../shared/problem.ts";

describe("the next try of a parked message", () => {
  const after = (attempts: number, random = 1) =>
    nextTry({ class: "unknown", error: null, attempts, before: "unknown" }, defaultTiersMs, () => random);

  test("comes 5 s, 30 s, 2 min, 10 min and 1 h after the last at the latest, and then not at all", () => {
    expect([0, 1, 2, 3, 4].map((attempts) => after(attempts))).toEqual(
      [5_000, 30_000, 120_000, 600_000, 3_600_000].map((delayMs, n) => ({ delayMs, attempts: n + 1 })),
    );
    expect(after(5)).toBeNull();
  });

  test("is at any moment of its tier", () => {
    expect([0, 0.25, 0.5].map((random) => after(1, random)?.delayMs)).toEqual([0, 7_500, 15_000]);
  });

  test("of one that is hopeless comes at once, and once", () => {
    const hopeless = { class: "permanent", error: null, attempts: 1 } as const;
    expect(nextTry({ ...hopeless, before: "unknown" }, defaultTiersMs)).toEqual({ delayMs: 0, attempts: 2 });
    expect(nextTry({ ...hopeless, before: "invalid" }, defaultTiersMs)).toBeNull();
  });

  test("of one that was told when to come back comes then, from 1 s to 1 h, and spends nothing", () => {
    const told = (retryAfterSeconds: number) =>
      nextTry(
        {
          class: "throttled",
          error: new Problem("UNAVAILABLE", "later", { retryAfterSeconds }),
          attempts: 5,
          before: null,
        },
        [],
      );
    expect([0, 90, 90_000].map(told)).toEqual([1_000, 90_000, 3_600_000].map((delayMs) => ({ delayMs, attempts: 5 })));
  });
});

test("the oldest unfinished record of a partition is the one that holds its commits, whatever finished behind it", async () => {
  const offsets = makeOffsets();
  const at = { topic: "task-events", partition: 0 };
  offsets.acquire({ ...at, committed: 5n });
  const ages = () => offsets.headAges().map(({ ms }) => ms);
  expect(ages()).toEqual([0]);
  const first = offsets.track(at, 5n);
  await Bun.sleep(30); // so that the second is visibly younger
  const second = offsets.track(at, 6n);
  second.finish();
  expect(ages()[0]).toBeGreaterThanOrEqual(25);
  const third = offsets.track(at, 7n);
  first.finish();
  expect(ages()[0]).toBeLessThan(25);
  third.finish();
  expect(ages()).toEqual([0]);
});
