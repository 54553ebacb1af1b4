import { expect, test } from "bun:test";
import type { Broker, FetchedRecord } from "../../shared/messages/broker.ts";
import { Problem } from "../../shared/problem.ts";
import { consumerWorld, topic, type ConsumerWorld } from "../support/consumer-world.ts";
import { until } from "../support/until.ts";

const timing = { watchEveryMs: 50, stuckMs: 1_500, commitEveryMs: 20, drainMs: 200 };

/** A client that never delivers the records of some partitions, and says nothing of it. */
function withholding(
  { broker }: ConsumerWorld,
  isWithheld: (record: FetchedRecord) => boolean,
): Pick<Broker, "join" | "admin"> {
  return {
    admin: broker.admin,
    join: (options) =>
      broker.join({
        ...options,
        onRecords: (records) => options.onRecords(records.filter((record) => !isWithheld(record))),
      }),
  };
}

/** A key of each of so many partitions. */
async function keysOf({ fake, send }: ConsumerWorld, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: 40 }, (_, n) => `k${n}`);
  await send(names);
  return Array.from({ length: count }, (_, partition) => fake?.recordsOf({ topic, partition })[0]?.key ?? "");
}

/** Sends to these keys until told to stop. */
function keepSending(world: ConsumerWorld, keys: readonly string[]) {
  let n = 2;
  const timer = setInterval(() => void world.send(keys, n++), 50);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

test("a partition that stands still while others move ends the process, which names it", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 3 });
  const [first = "", , third = ""] = await keysOf(world, 3);
  using _ = keepSending(world, [first, third]);
  const consumer = world.start({ timing, broker: withholding(world, ({ partition }) => partition === 1) });
  expect(await consumer.stopped.catch(String)).toContain(`${topic}/1 stands still`);
});

test("a lane that waits for what is down excuses neither another partition nor more than its own", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 3 });
  const [waits = ""] = await keysOf(world, 3);
  world.setUnreadable((key) => (key === waits ? new Problem("UNAVAILABLE") : undefined));
  const consumer = world.start({ timing, broker: withholding(world, ({ partition }) => partition === 1) });
  expect(await consumer.stopped.catch(String)).toContain(`${topic}/1 stands still`);
  expect(consumer.lines.some(({ event }) => event === "consumer_paused")).toBe(true);
});

test("a partition whose head waits for what is down is no standstill, however long the others go on without it", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 3 });
  const [waits = "", ...others] = await keysOf(world, 3);
  world.setUnreadable((key) => (key === waits ? new Problem("UNAVAILABLE") : undefined));
  using _ = keepSending(world, others);
  const consumer = world.start({ timing });
  const began = performance.now();
  await until("three times as long as it may stand still", () => performance.now() - began > 3 * timing.stuckMs);
  world.setUnreadable(() => undefined);
  await until("its effect", async () => (await world.effects()).some(({ key }) => key === waits));
  await consumer.stop();
});
