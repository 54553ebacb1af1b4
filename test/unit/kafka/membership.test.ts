import { expect, test } from "bun:test";
import { announce } from "../../../shared/kafka/membership.ts";

/** Answers of the broker that come when the test says so. */
function setup() {
  const told: number[] = [];
  const asked: (() => void)[] = [];
  const admin = {
    committed: () => new Promise<[]>((resolve) => asked.push(() => resolve([]))),
    offsets: async () => new Map([[0, 5n]]),
    topicId: () => Promise.resolve("one"),
  };
  const announced = announce(
    admin,
    { group: "task-service", onAssigned: ({ generation }) => told.push(generation) },
    (error) => {
      throw error;
    },
  );
  const join = (generation: number) => announced.joined(generation, [{ topic: "task-commands", partition: 0 }]);
  return { announced, join, told, answer: () => asked.shift()?.() };
}

test("an assignment that a rebalance ends while its offsets are asked for is told to nobody; the next one is", async () => {
  const { announced, join, told, answer } = setup();
  const first = join(7);
  announced.rebalancing();
  answer();
  await first;
  expect(told).toEqual([]);
  const records = announced.told(7);
  const second = join(8);
  answer();
  await second;
  await records;
  expect(told).toEqual([8]);
});

test("of two assignments the newest is told, whichever answer comes first", async () => {
  const { join, told, answer } = setup();
  const joins = [join(7), join(8)];
  answer();
  answer();
  await Promise.all(joins);
  expect(told).toEqual([8]);
});
