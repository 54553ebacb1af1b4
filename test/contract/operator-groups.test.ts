import { afterAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { operatorWorld } from "../support/operator-world.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(30_000);
const world = await operatorWorld();
const { ops, db } = world;
afterAll(() => world[Symbol.asyncDispose](), 30_000);
beforeEach(() => world.clear());

type Group = {
  group: string;
  lagMessages: number;
  parkedKeys: number;
  parkedMessages: number;
  dead: number;
  blocked: unknown;
};

test("groups shows lag, parked keys, dead letters and why nothing moves", async () => {
  await using producer = await world.broker.producer();
  await producer.send([{ topic: "reminders", timestamp: Date.now(), key: "k", value: Buffer.from("x"), headers: [] }]);
  await world.park("task-update-broadcaster", "a", 3);
  await world.park("task-update-broadcaster", "b", 1);
  await world.die();
  const { groups } = await ops.json<{ groups: Group[] }>("groups");
  const of = (name: string) => groups.find(({ group }) => group === name);
  expect(groups).toHaveLength(6);
  expect(of("task-update-broadcaster")).toMatchObject({ parkedKeys: 2, parkedMessages: 4, dead: 1, lagMessages: 1 });
  expect(of("notification-service")).toMatchObject({ members: 0, blocked: { why: "nobody reads it" } });
  expect(of("reminder-service")).toMatchObject({ lagMessages: 0, parkedKeys: 0, blocked: null });
  expect((await ops("groups")).out).toMatch(
    /^task-update-broadcaster +0 +absent +1 +\S+ +2 +1 +nobody reads it since /m,
  );
});

test("pausing tells the group, is audited once, and shows why nothing moves", async () => {
  const heard: string[] = [];
  await using listener = await db.listen("consumer_controls", (text) => void (text !== "" && heard.push(text)));
  expect(listener.isListening()).toBe(true);
  expect((await ops("consumers", "pause", "reminder-service", "--dry-run")).out).toContain("would be paused");
  expect((await ops("consumers", "pause", "reminder-service", "--reason", "deploy")).out).toBe(
    "reminder-service: paused",
  );
  expect((await ops("consumers", "pause", "reminder-service")).out).toBe("reminder-service: paused already");
  const { groups } = await ops.json<{ groups: Group[] }>("groups");
  expect(groups.find(({ group }) => group === "reminder-service")?.blocked).toMatchObject({
    why: expect.stringMatching(/^paused by ada@/),
  });
  expect((await ops("consumers", "resume", "reminder-service")).out).toBe("reminder-service: resumed");
  expect([...(await world.audited())]).toMatchObject([
    { action: "consumers pause", reason: "deploy", plan: { group: "reminder-service" } },
    { action: "consumers resume", reason: null },
  ]);
  await until("both notices", () => heard.length >= 2);
  expect(heard).toEqual(["reminder-service", "reminder-service"]);
});

test("a flood is released anew each time, and a later pause does not release it again", async () => {
  const row = async () =>
    (
      await db.sql<{ paused: boolean; release: boolean; at: string }[]>`
      select paused, release_flood as release, set_at::text as at from consumer_controls`
    )[0];
  await ops("consumers", "release-flood", "reminder-service");
  const first = await row();
  await ops("consumers", "release-flood", "reminder-service");
  const second = await row();
  expect([first?.release, second?.release]).toEqual([true, true]);
  expect(second?.at).not.toBe(first?.at ?? "");
  await ops("consumers", "pause", "reminder-service");
  expect(await row()).toMatchObject({ paused: true, release: false });
});

test("a group that does not exist is named with those that do", async () => {
  expect(await ops("consumers", "pause", "nobody")).toMatchObject({
    code: 1,
    err: expect.stringContaining('there is no group "nobody"; there are task-service'),
  });
  expect((await ops("consumers", "stop", "reminder-service")).code).toBe(2);
});
