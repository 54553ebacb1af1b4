import { afterAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { until } from "../support/until.ts";
import { operatorWorld } from "../support/operator-world.ts";

setDefaultTimeout(60_000);
const world = await operatorWorld();
const { ops, db } = world;
afterAll(() => world[Symbol.asyncDispose](), 30_000);
beforeEach(() => world.clear());

const due = async () =>
  (await db.sql<{ key: string }[]>`select key from parked_keys where next_at <= clock_timestamp() order by key`).map(
    ({ key }) => key,
  );
const place = (key: string) => ["--group", "reminder-service", "--topic", "task-events", "--key", key];

test("parked keys are listed with their queue, tries and next time", async () => {
  await world.park("reminder-service", "a", 3);
  expect((await ops("parked")).out).toMatch(
    /^reminder-service +task-events +0\/0 +a +3 +2 +\S+Z +\S+Z +unknown +no luck$/m,
  );
  expect((await ops("parked", "ls", "--group", "task-service")).out).toBe("no key is parked");
});

test("retry makes the head of one key due, release those of all that fit; a dry run neither", async () => {
  for (const key of ["a", "b", "c"]) await world.park("reminder-service", key, 1, key === "c" ? "cafe" : "beef");
  expect((await ops("parked", "retry", ...place("a"), "--dry-run")).out).toContain("would retry");
  expect(await due()).toEqual([]);
  expect((await ops("parked", "retry", ...place("a"))).out).toBe("1 key is tried now");
  expect(await due()).toEqual(["a"]);
  expect((await ops("parked", "release", "--fingerprint", "beef")).out).toBe("2 keys are tried now");
  expect(await due()).toEqual(["a", "b"]);
  expect(await ops("parked", "retry", ...place("x"))).toMatchObject({
    code: 1,
    err: expect.stringContaining("x is not parked"),
  });
  expect((await ops("parked", "release")).code).toBe(2);
  expect((await world.audited()).map(({ action, state }) => `${action} ${state}`)).toEqual([
    "parked retry done",
    "parked release done",
  ]);
});

test("skip makes the head a dead letter and lets the rest of the queue go on", async () => {
  const epoch = await world.park("reminder-service", "a", 2);
  const [head] = await db.sql<
    { id: string }[]
  >`select message_id as id from parked_messages order by parked_messages.id`;
  expect((await ops("parked", "skip", ...place("a"), "--reason", "never mind")).out).toBe(
    `skipped ${head?.id}: now a dead letter`,
  );
  expect(await db.sql`select from parked_messages`).toHaveLength(1);
  expect(await due()).toEqual(["a"]);
  expect([...(await db.sql`select fate from inbox where epoch = ${epoch} and message_id = ${head?.id ?? ""}`)]).toEqual(
    [{ fate: "dead" }],
  );
  expect((await ops("dlq", "ls")).out).toMatch(/skipped by ada@\S+; it had failed with: no luck/);
});

test("a reset shows what it would do, is refused while the group has members, and moves an empty group", async () => {
  await using producer = await world.broker.producer();
  for (let n = 0; n < 4; n++)
    await producer.send([
      { topic: "task-commands", timestamp: Date.now(), key: "k", value: Buffer.from([n]), headers: [] },
    ]);
  const [before] = await db.sql<{ epoch: number }[]>`
    insert into consumer_groups (name) values ('task-service') returning epoch`;
  type Reset = { steps: { again: number; skipped: number }[]; parkedMessages: number };
  const sum = ({ steps }: Reset, of: "again" | "skipped") => steps.reduce((total, step) => total + step[of], 0);
  const plan = await ops.json<Reset>("groups", "reset", "task-service", "--to", "latest");
  expect(sum(plan, "skipped")).toBe(4);
  expect(await world.broker.admin.committed("task-service")).toEqual([]);
  const member = await world.broker.join({
    group: "task-service",
    topics: ["task-commands"],
    onRecords: () => Promise.resolve(),
    onAssigned: () => {},
    onRebalancing: () => {},
    onFailed: () => {},
  });
  expect(await ops("groups", "reset", "task-service", "--to", "latest", "--yes")).toMatchObject({
    code: 1,
    err: expect.stringContaining("task-service has 1 members; stop its role first"),
  });
  await member[Symbol.asyncDispose]();
  await until("the group is empty", async () =>
    (await world.broker.admin.groups()).every(({ members }) => members === 0),
  );
  await world.park("task-service", "a", 2);
  const done = await ops.json<Reset>("groups", "reset", "task-service", "--to", "latest", "--yes");
  expect(done).toMatchObject({ parkedKeys: 1, parkedMessages: 2 });
  const committed = await world.broker.admin.committed("task-service");
  expect(committed.reduce((total, { offset }) => total + offset, 0n)).toBe(4n);
  const [after] = await db.sql<{ epoch: number }[]>`select epoch from consumer_groups where name = 'task-service'`;
  expect(after?.epoch).toBeGreaterThan(before?.epoch ?? 0);
  const back = await ops.json<Reset>("groups", "reset", "task-service", "--to", "1h");
  expect(sum(back, "again")).toBe(4);
  expect((await world.audited()).map(({ action, state }) => `${action} ${state}`)).toEqual(["groups reset done"]);
});

test("a group whose effects reach people is reset only by force", async () => {
  expect(await ops("groups", "reset", "notification-service", "--to", "earliest", "--yes")).toMatchObject({
    code: 1,
    err: expect.stringContaining("notification-service reaches people"),
  });
  const plan = await ops("groups", "reset", "notification-service", "--to", "earliest");
  expect(plan).toMatchObject({ code: 0, out: expect.stringContaining("needs --force") });
  expect((await ops("groups", "reset", "notification-service", "--to", "earliest", "--yes", "--force")).code).toBe(0);
});
