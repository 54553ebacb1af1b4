import { expect, test } from "bun:test";
import { makeQuota, type QuotaLimits } from "../../../shared/limits/quota.ts";

type Kind = "open" | "templates";
const limit = (most: number | null, words: string) => ({ most, words, advice: "delete some first" });

function setup(limits: QuotaLimits<Kind> = { open: limit(10, "open tasks"), templates: limit(2, "templates") }) {
  let at = 0;
  let counts = 0;
  /** As the table: what every process has written. */
  const has = { open: 0, templates: 0 };
  const count = async () => {
    counts += 1;
    return { ...has };
  };
  const quota = makeQuota<Kind>(limits, { count, now: () => at });
  const add = (open: number, templates = 0) =>
    quota.within("ada", { open, templates }, async () => {
      await Promise.resolve();
      has.open += open;
      has.templates += templates;
    });
  return { quota, add, has, counts: () => counts, pass: (ms: number) => (at += ms) };
}

const refused = { code: "QUOTA_EXCEEDED", message: "You may have 10 open tasks: delete some first" };

test("there is room up to the limit, and the refusal says what it is and what to do", async () => {
  const { add, has } = setup();
  for (let i = 0; i < 10; i++) await add(1);
  await expect(add(1)).rejects.toMatchObject(refused);
  await expect(add(0, 3)).rejects.toMatchObject({ message: "You may have 2 templates: delete some first" });
  expect(has).toEqual({ open: 10, templates: 0 });
});

test("many at once get no more than the room there is", async () => {
  const { add, has, counts } = setup();
  const settled = await Promise.allSettled(Array.from({ length: 40 }, () => add(1)));
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  expect([has.open, counts()]).toEqual([10, 1]);
});

test("one count serves for a quarter of the room, and a minute", async () => {
  const { add, has, counts, pass } = setup({ open: limit(1_000, "open tasks"), templates: limit(null, "") });
  pass(10_000);
  for (let i = 0; i < 250; i++) await add(1);
  expect(counts()).toBe(1);
  pass(10_000);
  // Another process has written much meanwhile.
  has.open = 990;
  await add(1);
  expect(counts()).toBe(2);
  pass(61_000);
  await add(1);
  expect(counts()).toBe(3);
});

test("what would pass the limit by an old count is counted again first", async () => {
  const { add, has, counts, pass } = setup({ open: limit(1_000, "open tasks"), templates: limit(null, "") });
  has.open = 900;
  await add(1);
  // Deleted through another process; then many at once.
  has.open = 100;
  pass(2_000);
  await add(200);
  expect([has.open, counts()]).toEqual([300, 2]);
});

test("at the limit it is counted once in two seconds at most, and what is taken away here makes room at once", async () => {
  const { add, has, counts, pass } = setup();
  has.open = 10;
  for (let i = 0; i < 20; i++) await expect(add(1)).rejects.toMatchObject(refused);
  expect(counts()).toBe(1);
  await add(-1);
  await add(1);
  await expect(add(1)).rejects.toMatchObject(refused);
  expect(counts()).toBe(1);
  // Deleted through another process.
  has.open = 5;
  await expect(add(1)).rejects.toMatchObject(refused);
  pass(2_000);
  await add(1);
  expect([has.open, counts()]).toEqual([6, 2]);
});

test("work that fails takes no room; what has been forgotten is counted again", async () => {
  const { quota, add, has, counts } = setup();
  for (let i = 0; i < 20; i++)
    await expect(quota.within("ada", { open: 1 }, () => Promise.reject(new Error("down")))).rejects.toThrow("down");
  for (let i = 0; i < 10; i++) await add(1);
  has.open = 3;
  quota.forget("ada");
  await add(7);
  expect([has.open, counts()]).toEqual([10, 2]);
});

test("what is still being written counts, also when it is counted anew", async () => {
  const { quota, add } = setup();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const writing = quota.within("ada", { open: 10 }, () => {
    begun.resolve();
    return gate.promise;
  });
  await begun.promise;
  quota.forget("ada");
  await expect(add(1)).rejects.toMatchObject(refused);
  gate.resolve();
  await writing;
});

test("without a limit nothing is counted", async () => {
  const { add, counts } = setup({ open: limit(null, ""), templates: limit(null, "") });
  for (let i = 0; i < 100; i++) await add(1, 1);
  expect(counts()).toBe(0);
});
