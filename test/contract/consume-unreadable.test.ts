import { expect, test } from "bun:test";
import { Problem } from "../../shared/problem.ts";
import { consumerWorld, event } from "../support/consumer-world.ts";
import { until } from "../support/until.ts";

const patience = { timeoutMs: 20_000 };

/** The failures a record can be read with, by what they mean; `undefined`: it can be read. */
const bug = () => new Error("a decoder that has a bug");
const noSchema = () => new Problem("UNAVAILABLE", "its schema cannot be had now");
const noRecord = () => new Problem("UNDECODABLE", "bytes that are no record");

async function setup() {
  const world = await consumerWorld({ kafka: "fake", partitions: 1 });
  let heal = () => {};
  const broken = new Set<number>();
  world.setUnreadable((_key, n) => (broken.has(n) ? failure() : undefined));
  let failure: () => Error = bug;
  return {
    world,
    /** These messages cannot be read until `heal`. */
    breakFor: (ns: readonly number[], how: () => Error) => {
      failure = how;
      for (const n of ns) broken.add(n);
      heal = () => broken.clear();
    },
    heal: () => heal(),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}
const numbers = async ({ effects }: Awaited<ReturnType<typeof consumerWorld>>) => (await effects()).map(({ n }) => n);

test("a record that cannot be read by mistake is parked behind those before it, and those after it wait", async () => {
  await using made = await setup();
  const { world } = made;
  made.breakFor([3], bug);
  await world.sendRaw([1, 2, 3, 4].map((n) => event("k", n)));
  const consumer = world.start({ tiersMs: [600_000], lanes: 1 });
  await until("two are parked", async () => (await world.parked()).length === 2, patience);
  expect(await numbers(world)).toEqual([1, 2]);
  made.heal();
  await world.db.sql`update parked_keys set next_at = clock_timestamp()`;
  await until("all", async () => (await world.effects()).length === 4, patience);
  expect(await numbers(world)).toEqual([1, 2, 3, 4]);
  await consumer.stop();
});

test("what comes before a record whose schema cannot be had is handled at once, the rest in order when it can", async () => {
  await using made = await setup();
  const { world } = made;
  made.breakFor([3], noSchema);
  await world.sendRaw([1, 2, 3, 4].map((n) => event("k", n)));
  const consumer = world.start({ lanes: 1 });
  await until("the first two", async () => (await world.effects()).length === 2, patience);
  await until("a pause", () => consumer.lines.some(({ event: name }) => name === "consumer_paused"), patience);
  made.heal();
  await until("all", async () => (await world.effects()).length === 4, patience);
  expect(await numbers(world)).toEqual([1, 2, 3, 4]);
  expect(await world.deadLetters()).toHaveLength(0);
  await consumer.stop();
});

test("what is no record is a dead letter where it stands, and the others keep their order", async () => {
  await using made = await setup();
  const { world } = made;
  made.breakFor([2, 4], noRecord);
  await world.sendRaw([1, 2, 3, 4, 5].map((n) => event("k", n)));
  const consumer = world.start({ lanes: 1 });
  await until("three effects", async () => (await world.effects()).length === 3, patience);
  await until("two dead letters", async () => (await world.deadLetters()).length === 2, patience);
  expect(await numbers(world)).toEqual([1, 3, 5]);
  await consumer.stop();
});
