import { expect, test } from "bun:test";
import { makeItem } from "../../../../shared/consume/member/item.ts";
import { makeLanes } from "../../../../shared/consume/member/lanes.ts";
import { shardOf } from "../../../../shared/outbox/outbox.ts";

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

test("all are idle once the last batch has ended, and no earlier", async () => {
  const { lanes, batches, turn } = setup(8);
  for (let n = 0; n < 3; n++) lanes.push(item(`k${n}`, n));
  let isIdle = false;
  const idle = lanes.idle().then(() => (isIdle = true));
  for (const { end } of batches) {
    await turn();
    expect(isIdle).toBe(false);
    end();
  }
  await idle;
  expect(lanes.running()).toBe(0);
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

test.each([0, 1, 3, 10])(
  "an item pushed at whatever moment of the end of a batch is started without another push (batches of %d microtasks)",
  async (microtasks) => {
    const stranded: number[] = [];
    for (let gap = 0; gap < 30; gap++) {
      let done = 0;
      const lanes = makeLanes<Item>(async (items) => {
        for (let n = 0; n < microtasks; n++) await Promise.resolve();
        done += items.length;
      }, 1);
      lanes.push(item("k", 1));
      for (let n = 0; n < gap; n++) await Promise.resolve();
      lanes.push(item("k", 2));
      await Bun.sleep(0);
      if (done !== 2) stranded.push(gap);
    }
    expect(stranded).toEqual([]);
  },
);

test("the time of a record is one that dates and the database can hold, whatever its producer says", () => {
  const track = () => ({ finish: () => {}, isOwned: () => true });
  const timeOf = (timestamp: number) => {
    const record = {
      topic: "t",
      partition: 0,
      offset: 0n,
      timestamp,
      key: "k",
      value: null,
      headers: [],
      generation: 1,
    };
    return new Date(makeItem(record, track).record.timestamp).toISOString();
  };
  expect([-8e15, 0, 9e18].map(timeOf)).toEqual([
    "0001-01-01T00:00:00.000Z",
    "1970-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
  ]);
});
