import { expect, setDefaultTimeout, test } from "bun:test";
import type { Handler } from "../../shared/consume/handler.ts";
import { consumerWorld, record, write, type Consumer, type ConsumerWorld } from "../support/consumer-world.ts";
import { group } from "../support/consumer-world.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);

const said = (consumer: Consumer, event: string) => consumer.lines.some((line) => line.event === event);

/** As an operator does. */
async function control(world: ConsumerWorld, to: { paused?: boolean; release?: boolean }, notify = true) {
  await world.db.sql`
    insert into consumer_controls (group_name, paused, release_flood, set_by)
    values (${group}, ${to.paused ?? false}, ${to.release ?? false}, 'ada')
    on conflict (group_name) do update set paused = excluded.paused, release_flood = excluded.release_flood,
      set_at = clock_timestamp()`;
  if (notify) await world.db.sql`select pg_notify('consumer_controls', ${group})`;
}

test("a group that an operator has paused handles nothing, stays in its group, is no standstill, and goes on when told", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const consumer = world.start({ handle: record(), timing: { watchEveryMs: 50, stuckMs: 2_000 } });
  await until("joined", () => consumer.ready());
  await control(world, { paused: true });
  await until("the pause", () => said(consumer, "paused_by_operator"));
  const sent = await world.send(["a", "b", "c", "a"]);
  // Three times as long as standing still is allowed.
  await Bun.sleep(6_000);
  expect(await world.effects()).toHaveLength(0);
  expect(world.fake?.members(group)).toBe(1);
  expect(await consumer.metrics.text()).toMatch(/consumer_paused_by_operator\{.*\} 1/);
  await control(world, { paused: false });
  await until("all effects", async () => (await world.effects()).length === 4);
  expect((await world.effects()).map(({ id }) => id).toSorted()).toEqual([...sent].toSorted());
  await consumer.stop();
});

test("a pause that nobody was told of is found within 5 s, holds parked keys too, and a stop during it loses nothing", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  let healed = false;
  const handle: Handler = async (message, { tx }) => {
    if (!healed && message.key === "bad") throw new Error("no");
    await write(tx, message);
    return [];
  };
  await world.send(["bad"]);
  const consumer = world.start({ handle, tiersMs: [3_600_000] });
  await until("it is parked", async () => (await world.parked()).length === 1);
  healed = true;
  await control(world, { paused: true }, false);
  await until("the pause", () => said(consumer, "paused_by_operator"));
  await world.db.sql`update parked_keys set next_at = clock_timestamp()`;
  await world.send(["good"]);
  await Bun.sleep(2_500); // longer than the parked keys' poll
  expect(await world.effects()).toHaveLength(0);
  await consumer.stop();
  expect(await world.effects()).toHaveLength(0);
  await control(world, {});
  world.start({ handle });
  await until("both", async () => (await world.effects()).length === 2);
});

/** A handler that fails for all of one kind until it is mended: what a broken build does. */
function breakableHandler() {
  let broken = true;
  const handle: Handler = async (message, { tx }) => {
    if (broken && message.key !== "good") throw new Error("a broken build");
    await write(tx, message);
    return [];
  };
  return { handle, mend: () => (broken = false) };
}
const flood = { window: 8, keys: 3, probeMs: { baseMs: 20, maxMs: 50 } };
/** Enough for what is parked before the flood begins. */
const tiersMs = Array<number>(60).fill(50);
const keys = Array.from({ length: 60 }, (_, n) => `k${n % 20}`);

test("a build that fails on everything holds its messages instead of parking the topic, and goes on once it works", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { handle, mend } = breakableHandler();
  const sent = await world.send(keys);
  const consumer = world.start({ handle, flood, timing: { watchEveryMs: 50, stuckMs: 4_000 }, tiersMs });
  await until("the flood", () => said(consumer, "flood_began"), { timeoutMs: 30_000 });
  expect(await consumer.metrics.text()).toMatch(/consumer_flood\{.*\} 1/);
  await Bun.sleep(6_000); // longer than standing still is allowed, and than all tiers
  expect(await world.deadLetters()).toHaveLength(0);
  const parkedKeys = new Set((await world.parked()).map(({ key }) => key));
  expect(parkedKeys.size).toBeLessThanOrEqual(flood.window + 8);
  mend();
  await until("all effects", async () => (await world.effects()).length === sent.length, { timeoutMs: 30_000 });
  const effects = await world.effects();
  for (const [key, own] of Map.groupBy(effects, (effect) => effect.key))
    expect([key, ...own.map(({ n }) => n)]).toEqual([key, 1, 2, 3]);
  await until("the end of the flood", () => said(consumer, "flood_ended"));
  expect(await consumer.metrics.text()).toMatch(/consumer_flood\{.*\} 0/);
});

test("an operator's release lets a flood go its way to parking and dead letters", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { handle } = breakableHandler();
  await world.send(keys.slice(0, 20));
  const consumer = world.start({ handle, flood, tiersMs: [5] });
  await until("the flood", () => said(consumer, "flood_began"), { timeoutMs: 30_000 });
  await control(world, { release: true });
  await until("all dead", async () => (await world.deadLetters()).length === 20, { timeoutMs: 30_000 });
  expect(await world.effects()).toHaveLength(0);
});

test("parked keys and what holds a partition up are figures by group and topic", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const go = Promise.withResolvers<void>();
  const handle: Handler = async (message) => {
    if (message.key === "slow") await go.promise;
    else if (message.key !== "good") throw new Error("no");
    return [];
  };
  await world.send(["bad", "bad", "worse"]);
  const consumer = world.start({ handle, tiersMs: [3_600_000], timing: { watchEveryMs: 50 } });
  await until("they are parked", async () => (await world.parked()).length === 3);
  await world.send(["slow"]);
  const figure = async (name: string) =>
    Number(
      new RegExp(`^${name}\\{[^}]*topic="task-events"[^}]*\\} (.*)$`, "m").exec(await consumer.metrics.text())?.[1],
    );
  await until("the keys", async () => (await figure("consumer_parked_keys")) === 2, { timeoutMs: 15_000 });
  expect(await figure("consumer_parked_messages")).toBe(3);
  expect(await figure("consumer_parked_oldest_seconds")).toBeGreaterThan(0);
  await until("the head", async () => (await figure("consumer_head_of_line_seconds")) > 0.3);
  go.resolve();
  await until("no head", async () => (await figure("consumer_head_of_line_seconds")) === 0);
  expect(await consumer.metrics.text()).not.toMatch(/worse|"bad"/);
});
