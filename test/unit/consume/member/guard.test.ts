import { describe, expect, test } from "bun:test";
import type { FetchedRecord } from "../../../../shared/messages/broker.ts";
import { makeGuard, type GuardVerdict } from "../../../../shared/consume/member/guard.ts";

const at = (partition: number, committed: number, bounds: { start?: number; end?: number } = {}) => ({
  topic: "t",
  partition,
  committed: BigInt(committed),
  start: BigInt(bounds.start ?? 0),
  end: BigInt(bounds.end ?? 1_000),
});
const record = (partition: number, offset: number, generation: number, leaderEpoch?: number): FetchedRecord => ({
  ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
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
  | { deliver: readonly [partition: number, offset: number, generation: number]; verdict: GuardVerdict };
const deliver = (partition: number, offset: number, generation: number, verdict: GuardVerdict): Step => ({
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

  test("a record that comes again is one that a later leader wrote, where that is known", () => {
    const guard = makeGuard();
    const judge = (offset: number, epoch?: number) => guard.judge(record(0, offset, 1, epoch));
    guard.assign({ generation: 1, partitions: [{ ...at(0, 5), leaderEpoch: 0 }] });
    expect([judge(4), judge(4, 0), judge(4, 1)]).toEqual(["repeated", "repeated", "rewritten"]);
    // Who leads now is asked about before the first record of theirs is taken.
    expect([judge(5, 1), judge(5, 0), judge(6, 0)]).toEqual(["new_leader", "take", "take"]);
    expect(guard.last({ topic: "t", partition: 0 })).toEqual({ offset: 6n, epoch: 0 });
    guard.trust({ topic: "t", partition: 0 }, 3);
    expect([judge(7, 3), judge(7, 3), judge(7, 4)]).toEqual(["take", "repeated", "rewritten"]);
    // A broker that does not tell: nothing is known from then on.
    expect([judge(8), judge(8, 9), judge(9, 9)]).toEqual(["take", "repeated", "take"]);
    expect(guard.last({ topic: "t", partition: 1 })).toBeNull();
  });

  test("a partition that stands gives nothing more, and is not among the positions, until it is acquired anew", () => {
    const guard = makeGuard();
    guard.assign({ generation: 1, partitions: [at(0, 5), at(1, 7)] });
    const zero = { topic: "t", partition: 0 };
    guard.stand(zero);
    expect([guard.judge(record(0, 5, 1)), guard.judge(record(1, 7, 1))]).toEqual(["standing", "take"]);
    expect(guard.positions()).toEqual([{ topic: "t", partition: 1, offset: 8n }]);
    guard.assign({ generation: 2, partitions: [] });
    guard.assign({ generation: 3, partitions: [at(0, 5)] });
    expect(guard.judge(record(0, 5, 3))).toBe("take");
  });

  test("a hole that is passed moves the guard on, and never back", () => {
    const guard = makeGuard();
    const zero = { topic: "t", partition: 0 };
    guard.assign({ generation: 1, partitions: [at(0, 5)] });
    guard.pass(zero, 9n);
    expect(guard.expects(zero)).toBe(9n);
    guard.pass(zero, 7n);
    expect(guard.expects(zero)).toBe(9n);
    guard.pass({ topic: "t", partition: 1 }, 9n);
    expect(guard.judge(record(0, 9, 1))).toBe("take");
  });
});
