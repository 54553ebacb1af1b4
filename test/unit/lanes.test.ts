import { expect, test } from "bun:test";
import { makeLanes } from "../../shared/consume/lanes.ts";
import { shardOf } from "../../shared/outbox/outbox.ts";

type Item = { lane: string; bytes: number; n: number };
const item = (lane: string, n: number, bytes = 1): Item => ({ lane, bytes, n });

/** Lanes whose batches end when the test says so. */
function setup(count = 1) {
  const batches: { items: readonly Item[]; end: () => void }[] = [];
  // A clock of the test's own: by the real one, a busy machine makes an idle lane look slow.
  const clock = { ms: 0 };
  const lanes = makeLanes<Item>(
    (items) => new Promise<void>((end) => batches.push({ items, end })),
    count,
    () => clock.ms,
  );
  const turn = () => Bun.sleep(0);
  return { lanes, batches, clock, turn, numbers: () => batches.map(({ items }) => items.map(({ n }) => n)) };
}

test("an idle lane starts with one item at once, and its next batch is what came in meanwhile", async () => {
  const { lanes, batches, turn, numbers } = setup();
  lanes.push(item("k", 1));
  expect(numbers()).toEqual([[1]]);
  lanes.push(item("k", 2));
  lanes.push(item("k", 3));
  expect(numbers()).toEqual([[1]]);
  batches[0]?.end();
  await turn();
  expect(numbers()).toEqual([[1], [2, 3]]);
});

test("a batch has 200 items at most", async () => {
  const { lanes, batches, turn, numbers } = setup();
  for (let n = 0; n < 500; n++) lanes.push(item("k", n));
  batches[0]?.end();
  await turn();
  batches[1]?.end();
  await turn();
  expect(numbers().map(({ length }) => length)).toEqual([1, 200, 200]);
  expect(numbers().flat()).toEqual(Array.from({ length: 401 }, (_, n) => n));
});

test("a lane that was slow takes as many as fit in a quarter of a second", async () => {
  const { lanes, batches, clock, turn, numbers } = setup();
  for (let n = 0; n < 300; n++) lanes.push(item("k", n));
  clock.ms = 10; // the pace: 10 ms for one item, halved by the start of 0
  batches[0]?.end();
  await turn();
  expect(numbers()[1]).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
});

test("a lane whose transactions are slow does not fall back to single messages, which would take as long each", async () => {
  const { lanes, batches, clock, turn, numbers } = setup();
  for (let n = 0; n < 300; n++) lanes.push(item("k", n));
  for (let batch = 0; batch < 3; batch++) {
    clock.ms += 2_000;
    batches[batch]?.end();
    await turn();
  }
  expect(numbers().map(({ length }) => length)).toEqual([1, 32, 32, 32]);
});

test("items of one key share a lane; other lanes run beside it", () => {
  const { lanes, numbers } = setup(8);
  for (let n = 0; n < 40; n++) lanes.push(item(`k${n % 20}`, n));
  expect(lanes.running()).toBeGreaterThan(4);
  expect(numbers().every(({ length }) => length === 1)).toBe(true);
});

test("keys of one shard of the outbox share a lane, so what the relay sends of one shard delays one lane", () => {
  const { lanes, numbers } = setup(8);
  const keys = Array.from({ length: 400 }, (_, n) => `key-${n}`).filter((key) => shardOf(key) === 3);
  expect(keys.length).toBeGreaterThan(10);
  for (const [n, key] of keys.entries()) lanes.push(item(key, n));
  expect([lanes.running(), numbers()]).toEqual([1, [[0]]]);
});

test("while paused nothing new starts, and what runs goes on", async () => {
  const { lanes, batches, turn, numbers } = setup();
  lanes.push(item("k", 1));
  lanes.pause();
  lanes.push(item("k", 2));
  batches[0]?.end();
  await turn();
  await lanes.idle();
  expect(numbers()).toEqual([[1]]);
  lanes.resume();
  expect(numbers()).toEqual([[1], [2]]);
});

test("dropped items are not run, the others keep their order", async () => {
  const { lanes, batches, turn, numbers } = setup();
  for (let n = 1; n <= 5; n++) lanes.push(item("k", n));
  lanes.drop(({ n }) => n === 3);
  batches[0]?.end();
  await turn();
  expect(numbers()).toEqual([[1], [2, 4, 5]]);
  expect(lanes.depth()).toBe(0);
});

test.each([
  ["items", 2_001, 1],
  ["bytes", 17, 1 << 20],
])("too many waiting %s hold the intake back until some are taken", async (_what, count, bytes) => {
  const { lanes, batches } = setup();
  for (let n = 0; n <= count; n++) lanes.push(item("k", n, bytes));
  expect(lanes.hasRoom()).toBe(false);
  let free = false;
  const room = lanes.room().then(() => {
    free = true;
  });
  await Bun.sleep(0);
  expect(free).toBe(false);
  batches[0]?.end();
  await room;
  expect(lanes.hasRoom()).toBe(true);
});
