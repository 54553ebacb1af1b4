import { expect, test } from "bun:test";
import { makeBatches } from "../../../workers/task-service/make-batches.ts";
import { makeOneAtATime } from "../../../workers/task-service/one-at-a-time.ts";

/** A store whose batches end when they are told to. */
function setup(limits = { maxItems: 3, inFlight: 1, maxWaiting: 100 }) {
  const runs: { items: readonly string[]; end: (error?: Error) => void }[] = [];
  const run = (items: readonly string[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
    runs.push({ items, end: (error) => (error ? reject(error) : resolve(items.map((item) => `${item}!`))) });
    return promise;
  };
  return { runs, add: makeBatches(run, limits) };
}

const refused = (code: string) => Object.assign(new Error("refused"), { code });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a lone item runs at once; what comes meanwhile goes together with the next, in order and up to the limit", async () => {
  const { runs, add } = setup();
  const answers = ["a", "b", "c", "d", "e"].map(add);
  expect(runs.map(({ items }) => items)).toEqual([["a"]]);
  runs[0]?.end();
  expect(await answers[0]).toBe("a!");
  await settled();
  expect(runs.map(({ items }) => items)).toEqual([["a"], ["b", "c", "d"]]);
  runs[1]?.end();
  await settled();
  runs[2]?.end();
  expect(await Promise.all(answers)).toEqual(["a!", "b!", "c!", "d!", "e!"]);
});

test("no more batches run at once than allowed", async () => {
  const { runs, add } = setup({ maxItems: 1, inFlight: 2, maxWaiting: 100 });
  const answers = ["a", "b", "c"].map(add);
  expect(runs).toHaveLength(2);
  runs[1]?.end();
  await settled();
  expect(runs.map(({ items }) => items)).toEqual([["a"], ["b"], ["c"]]);
  runs[0]?.end();
  runs[2]?.end();
  expect(await Promise.all(answers)).toEqual(["a!", "b!", "c!"]);
});

test("a batch that fails for one item runs again one by one, and only the culprit fails", async () => {
  const ran: (readonly string[])[] = [];
  const add = makeBatches(
    async (items: readonly string[]) => {
      ran.push(items);
      if (items.includes("bad")) throw refused("23514");
      return items;
    },
    { maxItems: 10, inFlight: 1, maxWaiting: 100 },
  );
  const first = add("first");
  const outcomes = await Promise.allSettled([first, ...["a", "bad", "c"].map(add)]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  expect(ran).toEqual([["first"], ["a", "bad", "c"], ["a"], ["bad"], ["c"]]);
});

test("a batch whose fate is unknown is not run again: all of it fails", async () => {
  const { runs, add } = setup();
  const outcomes = Promise.allSettled(["a", "b", "c"].map(add));
  runs[0]?.end();
  await settled();
  runs[1]?.end(refused("CONNECTION_CLOSED"));
  expect((await outcomes).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  expect(runs).toHaveLength(2);
});

test("when too many wait, the next is refused at once and those before it are not", async () => {
  const { runs, add } = setup({ maxItems: 3, inFlight: 1, maxWaiting: 2 });
  const answers = ["a", "b", "c"].map(add);
  await expect(add("d")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  runs[0]?.end();
  await settled();
  runs[1]?.end();
  expect(await Promise.all(answers)).toEqual(["a!", "b!", "c!"]);
});

test("works of one key take turns, a failed one too; other keys do not wait", async () => {
  const oneAtATime = makeOneAtATime();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = oneAtATime("k", async () => {
    await gate.promise;
    order.push("first");
    throw new Error("failed");
  });
  const second = oneAtATime("k", async () => void order.push("second"));
  await oneAtATime("other", async () => void order.push("other"));
  gate.resolve();
  await expect(first).rejects.toThrow("failed");
  await second;
  expect(order).toEqual(["other", "first", "second"]);
});
