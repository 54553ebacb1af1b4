import { describe, expect, test } from "bun:test";
import { makeLog } from "../../../shared/role/log.ts";
import { makeCrowd } from "../../../shared/timers/crowd.ts";
import type { Wakeup } from "../../../shared/timers/due-rows.ts";
import { makeFairQueue } from "../../../shared/timers/fair-queue.ts";
import { batchSize, makeFirer } from "../../../shared/timers/fire-when-due.ts";
import { until } from "../../support/until.ts";

describe("a fair queue", () => {
  const filled = (lines: Readonly<Record<string, number>>) => {
    const queue = makeFairQueue<string>();
    for (const [owner, count] of Object.entries(lines))
      for (let index = 1; index <= count; index++) queue.add(owner, `${owner}${index}`);
    return queue;
  };

  test.each([
    [{ a: 3 }, 2, ["a1 a2", "a3"]],
    [{ a: 4, b: 1 }, 3, ["a1 b1 a2", "a3 a4"]],
    [{ a: 2, b: 2, c: 2 }, 2, ["a1 b1", "c1 a2", "b2 c2"]],
    [{ a: 5, b: 2 }, 100, ["a1 b1 a2 b2 a3 a4 a5"]],
    [{}, 10, []],
  ])("%j by %i", (lines, limit, batches) => {
    const queue = filled(lines);
    const taken: string[] = [];
    while (queue.size() > 0) taken.push(queue.take(limit).join(" "));
    expect(taken).toEqual(batches);
  });

  test("who comes while a herd waits is in the next batch", () => {
    const queue = filled({ herd: 1_000 });
    queue.take(10);
    queue.add("late", "late1");
    expect(queue.take(2)).toEqual(["herd11", "late1"]);
    expect(queue.size()).toBe(989);
  });

  test("gives 50,000 of one owner in 100 batches of 500", () => {
    const queue = filled({ herd: 50_000 });
    let batches = 0;
    for (; queue.size() > 0; batches++) queue.take(500);
    expect(batches).toBe(100);
  });
});

test("a herd of one owner, wakened or overdue, leaves room for the others in the very next batch", async () => {
  const gates = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
  const batches: (readonly Wakeup[])[] = [];
  const firer = makeFirer({
    fire: async (batch) => {
      const gate = gates[batches.push(batch) - 1];
      await gate?.promise;
      return batch.map(({ id }) => ({ id, outcome: "fired" }));
    },
    clock: { now: () => 1_000, aheadMs: () => 0, measure: async () => {} },
    log: makeLog({}, "error", () => {}),
    onFired: () => {},
  });
  const due = (owner: string, count: number): readonly Wakeup[] =>
    Array.from({ length: count }, (_, index) => ({ id: `${owner}${index}`, generation: 1, dueAt: new Date(0), owner }));
  firer.offer(due("herd", 5_000));
  expect(batches.map(({ length }) => length)).toEqual([batchSize, batchSize]); // two are under way at once
  for (const owner of ["b", "c", "d"]) firer.offer(due(owner, 2));
  expect(firer.offer(due("herd", 5_001))).toBe(1); // found again by the next sweep, with one more
  expect(firer.waiting()).toBe(4_007);
  gates[0]?.resolve();
  await until("the next batch is fired", () => batches.length > 2);
  const owners = batches[2]?.map(({ owner }) => owner) ?? [];
  expect(owners.filter((owner) => owner !== "herd")).toHaveLength(6);
  expect(owners).toHaveLength(batchSize);
  gates[1]?.resolve();
  await until("all are fired", () => firer.waiting() === 0);
  expect(batches.flat()).toHaveLength(5_007);
});

test("a crowd is counted by owner and second, and forgotten when the second is over", () => {
  const crowd = makeCrowd();
  const places = [
    crowd.place("a", 5_000, 0),
    crowd.place("a", 5_999, 0),
    crowd.place("b", 5_500, 0),
    crowd.place("a", 6_000, 0),
    crowd.place("a", 5_100, 5_200),
    crowd.place("a", 5_100, 6_200),
  ];
  expect(places.map(({ ofAll, ofOwner }) => `${ofAll} ${ofOwner}`)).toEqual(["0 0", "1 1", "2 0", "0 0", "3 2", "0 0"]);
});
