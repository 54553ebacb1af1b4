import { describe, expect, test } from "bun:test";
import type { Fetched } from "../../shared/broker.ts";
import { makeGuard, type Verdict } from "../../shared/consume/guard.ts";

const at = (partition: number, committed: number, bounds: { start?: number; end?: number } = {}) => ({
  topic: "t",
  partition,
  committed: BigInt(committed),
  start: BigInt(bounds.start ?? 0),
  end: BigInt(bounds.end ?? 1_000),
});
const record = (partition: number, offset: number, generation: number): Fetched => ({
  topic: "t",
  partition,
  offset: BigInt(offset),
  timestamp: 0,
  key: "k",
  value: null,
  headers: [],
  generation,
});

type Step =
  | { assign: number; partitions: ReturnType<typeof at>[] }
  | { deliver: readonly [partition: number, offset: number, generation: number]; verdict: Verdict };
const deliver = (partition: number, offset: number, generation: number, verdict: Verdict): Step => ({
  deliver: [partition, offset, generation],
  verdict,
});

const cases: Record<string, readonly Step[]> = {
  "records of an owned partition are taken in order": [
    { assign: 1, partitions: [at(0, 5)] },
    deliver(0, 5, 1, "take"),
    deliver(0, 6, 1, "take"),
  ],
  "what was delivered before does not count again, as when offsets go back": [
    { assign: 1, partitions: [at(0, 0)] },
    deliver(0, 0, 1, "take"),
    deliver(0, 1, 1, "take"),
    deliver(0, 0, 1, "repeated"),
    deliver(0, 1, 1, "repeated"),
    deliver(0, 2, 1, "take"),
  ],
  "a record below the commit does not count": [
    { assign: 1, partitions: [at(0, 3)] },
    deliver(0, 2, 1, "repeated"),
    deliver(0, 3, 1, "take"),
  ],
  "records of partitions never owned or lost do not count": [
    { assign: 1, partitions: [at(0, 0)] },
    deliver(1, 0, 1, "not_owned"),
    { assign: 2, partitions: [at(1, 0)] },
    deliver(0, 0, 1, "not_owned"),
    deliver(1, 0, 2, "take"),
  ],
  "a kept partition goes on where it was": [
    { assign: 1, partitions: [at(0, 0)] },
    deliver(0, 0, 1, "take"),
    { assign: 2, partitions: [at(0, 0)] },
    deliver(0, 0, 2, "repeated"),
    deliver(0, 1, 1, "take"),
    deliver(0, 2, 2, "take"),
  ],
  "the rest of a buffer from before a loss is stale once the partition is back": [
    { assign: 1, partitions: [at(0, 0)] },
    deliver(0, 0, 1, "take"),
    { assign: 2, partitions: [] },
    deliver(0, 1, 1, "not_owned"),
    { assign: 3, partitions: [at(0, 1)] },
    deliver(0, 2, 1, "stale"),
    deliver(0, 1, 3, "take"),
    deliver(0, 2, 3, "take"),
  ],
  "a hole between two records is a gap, and the guard stays before it": [
    { assign: 1, partitions: [at(0, 0)] },
    deliver(0, 0, 1, "take"),
    deliver(0, 2, 1, "gap"),
    deliver(0, 3, 1, "gap"),
    deliver(0, 1, 1, "take"),
  ],
  "a hole between the commit and the first record is a gap": [
    { assign: 1, partitions: [at(0, 4)] },
    deliver(0, 6, 1, "gap"),
  ],
  "partitions are judged apart": [
    { assign: 1, partitions: [at(0, 0), at(1, 7)] },
    deliver(1, 7, 1, "take"),
    deliver(0, 0, 1, "take"),
    deliver(1, 8, 1, "take"),
  ],
};

describe("the guard", () => {
  for (const [title, steps] of Object.entries(cases))
    test(title, () => {
      const guard = makeGuard();
      for (const step of steps)
        if ("assign" in step) guard.assign({ generation: step.assign, partitions: step.partitions });
        else expect([step.deliver, guard.judge(record(...step.deliver))]).toEqual([step.deliver, step.verdict]);
    });

  test("an assignment says what is new and what is gone", () => {
    const guard = makeGuard();
    expect(guard.assign({ generation: 1, partitions: [at(0, 0), at(1, 0)] }).acquired).toHaveLength(2);
    const change = guard.assign({ generation: 2, partitions: [at(1, 0), at(2, 9)] });
    expect(change.acquired).toEqual([at(2, 9)]);
    expect(change.lost).toEqual([{ topic: "t", partition: 0 }]);
    expect(guard.expects({ topic: "t", partition: 2 })).toBe(9n);
    expect(guard.expects({ topic: "t", partition: 0 })).toBeNull();
  });

  test.each([
    ["below the log's start", at(0, 4, { start: 5, end: 9 }), 1],
    ["at the log's start", at(0, 5, { start: 5, end: 9 }), 0],
    ["at the log's end", at(0, 9, { start: 5, end: 9 }), 0],
    ["beyond the log's end", at(0, 10, { start: 5, end: 9 }), 1],
  ])("a commit %s is told of", (_where, partition, alarms) => {
    expect(makeGuard().assign({ generation: 1, partitions: [partition] }).outOfLog).toHaveLength(alarms);
  });

  test("a kept partition's old commit may fall below the log's start without an alarm", () => {
    const guard = makeGuard();
    guard.assign({ generation: 1, partitions: [at(0, 0)] });
    expect(guard.assign({ generation: 2, partitions: [at(0, 0, { start: 5 })] }).outOfLog).toEqual([]);
  });
});
