import { expect, test } from "bun:test";
import type { PositionComparison } from "../../../../shared/consume/log/positions.ts";
import { timing as anyTiming } from "../../../../shared/consume/member/session.ts";
import { sessionWorld, zero } from "../../../support/session-world.ts";
import { until } from "../../../support/until.ts";

const compared = (more: Partial<PositionComparison> = {}): PositionComparison => ({
  life: "one",
  behind: [],
  doubted: new Map(),
  remade: [],
  ...more,
});

test("no record is worked before the positions are compared", async () => {
  const { worked, start, send, committed } = await sessionWorld();
  await send(3);
  const answer = Promise.withResolvers<PositionComparison>();
  const session = start({ positions: { compare: () => answer.promise } });
  await Bun.sleep(30); // as long as records take to be delivered
  expect(worked).toEqual([]);
  answer.resolve(compared());
  await until("the commit", async () => (await committed()) === 3n);
  expect(worked).toEqual([0n, 1n, 2n]);
  expect(await session.end()).toEqual({ kind: "stopped" });
});

test("commits above the positions are moved back, and nothing is worked by this client", async () => {
  const { worked, start, send, committed } = await sessionWorld();
  await send(3);
  const first = start();
  await until("the commit", async () => (await committed()) === 3n);
  await first.end();
  const behind = [{ ...zero, offset: 1n }];
  const second = start({ positions: { compare: () => Promise.resolve(compared({ behind })) } });
  expect(await second.ended).toEqual({ kind: "rewound", partitions: behind });
  expect(await committed()).toBe(1n);
  const third = start();
  await until("the commit", async () => (await committed()) === 3n);
  expect(worked).toEqual([0n, 1n, 2n, 1n, 2n]);
  await third.end();
});

test("another life of the database ends the client, whether a rebalance, a store or a look shows it", async () => {
  const other = Object.assign(new Error("another"), { code: "DATABASE_CHANGED" });
  const lives = ["one", "two"];
  const world = await sessionWorld({ partitions: 2 });
  const compare = () => Promise.resolve(compared({ life: lives.shift() ?? "two" }));
  // Looked at every few seconds too, which shows the same.
  const first = world.start({ positions: { compare, life: () => new Promise(() => {}) } });
  await until("it has joined", () => lives.length === 1);
  const second = world.start();
  expect(await first.ended).toEqual({ kind: "database_changed" });
  await second.end();
  await world.send(1);
  const third = world.start({ positions: { store: () => Promise.reject(other) } });
  expect(await third.ended).toEqual({ kind: "database_changed" });
  expect(await world.committed()).toBeUndefined();
  const timing = { watchEveryMs: 5 } as const;
  const fourth = world.start({
    positions: { life: () => Promise.resolve("two") },
    timing: { ...anyTiming, ...timing },
  });
  expect(await fourth.ended).toEqual({ kind: "database_changed" });
});

test("an answer about an assignment that is over counts no more", async () => {
  const world = await sessionWorld({ partitions: 2 });
  const answers: ((answer: PositionComparison) => void)[] = [];
  const seen: string[] = [];
  const compare = () => new Promise<PositionComparison>((resolve) => answers.push(resolve));
  const first = world.start({ positions: { compare }, onCompared: ({ life }) => void seen.push(life) });
  await until("it is asked", () => answers.length === 1);
  const second = world.start();
  await until("it is asked anew", () => answers.length === 2);
  answers[0]?.(compared({ life: "early" }));
  await Bun.sleep(5); // as long as an answer takes to be heard
  answers[1]?.(compared({ life: "late" }));
  await until("the answer is heard", () => seen.length > 0);
  expect(seen).toEqual(["late"]);
  await Promise.all([first.end(), second.end()]);
});

test("a stop commits what was handled, and what was taken before a gap is still worked", async () => {
  const { broker, worked, start, send, committed } = await sessionWorld();
  await send(3);
  const first = start({ timing: { ...anyTiming, commitEveryMs: 3_600_000 } });
  await until("all is worked", () => worked.length === 3);
  await first.end();
  expect(await committed()).toBe(3n);
  await send(3);
  broker.withhold(zero, 4n);
  const second = start({ timing: { ...anyTiming, commitEveryMs: 3_600_000 } });
  expect(await second.ended).toEqual({ kind: "gap", partition: "task-events/0", expected: 4n, found: 5n });
  expect([worked.length, await committed()]).toEqual([4, 4n]);
});

test("what waits in a lane when a gap is found is worked, too", async () => {
  const { broker, worked, start, send, committed } = await sessionWorld();
  await send(4);
  broker.withhold(zero, 2n);
  const go = Promise.withResolvers<void>();
  const session = start({
    work: async (items) => {
      await go.promise;
      for (const { record, tracked } of items) {
        worked.push(record.offset);
        tracked.finish();
      }
    },
  });
  // The first is being worked, the second waits for it.
  const gap = await Promise.race([session.ended, Bun.sleep(50)]);
  expect(gap).toBeUndefined();
  go.resolve();
  expect(await session.ended).toMatchObject({ kind: "gap", expected: 2n });
  expect([worked, await committed()]).toEqual([[0n, 1n], 2n]);
});

test("what a second client leaves out too makes the partition stand", async () => {
  const { broker, worked, start, send } = await sessionWorld();
  await send(3);
  broker.withhold(zero, 1n);
  const session = start({
    wasSkipped: (partition, expected, found) => `${partition} ${expected} ${found}` === "task-events/0 1 2",
  });
  await until("it stands", () => session.standing.names().length > 0);
  expect(worked).toEqual([0n]);
  await session.end();
});

/** The logs are looked at all the time. */
const looking = { timing: { ...anyTiming, commitEveryMs: 5, lookEveryMs: 5 } } as const;

test("records that are deleted before they are read make the partition stand, whether or not others come after them", async () => {
  const { broker, worked, start, send, committed } = await sessionWorld();
  await send(6);
  const first = start();
  await until("the commit", async () => (await committed()) === 6n);
  await first.end();
  await send(3);
  broker.truncate(zero, 8n);
  const second = start();
  await until("it stands", () => second.standing.names().length > 0);
  await second.end();
  broker.truncate(zero, 9n);
  const third = start(looking);
  await until("it stands", () => third.standing.names().length > 0);
  await third.end();
  expect([worked.length, await committed()]).toEqual([6, 6n]);
});

test("records that are deleted while the next ones are on their way make the partition stand", async () => {
  const { broker, worked, start, send, committed } = await sessionWorld();
  await send(4);
  const first = start();
  await until("the commit", async () => (await committed()) === 4n);
  await first.end();
  await send(3);
  broker.withhold(zero, 4n);
  const answer = Promise.withResolvers<PositionComparison>();
  const session = start({ positions: { compare: () => answer.promise } });
  await Bun.sleep(30); // as long as records take to be delivered: from the fifth on
  broker.truncate(zero, 5n);
  answer.resolve(compared());
  await until("it stands", () => session.standing.names().length > 0);
  await session.end();
  expect([worked.length, await committed()]).toEqual([4, 4n]);
});

test("records that nobody was given and that are deleted make the partition stand, although nothing comes", async () => {
  const { broker, start, send, committed } = await sessionWorld();
  await send(6);
  const session = start(looking);
  await until("the commit", async () => (await committed()) === 6n);
  for (const offset of [6n, 7n]) broker.withhold(zero, offset);
  await send(2);
  broker.truncate(zero, 8n);
  await until("it stands", () => session.standing.names().length > 0);
  await session.end();
});

test("a log that was cut off at its end makes the partition stand, although nothing comes", async () => {
  const { broker, start, send, committed } = await sessionWorld();
  await send(6);
  const session = start(looking);
  await until("the commit", async () => (await committed()) === 6n);
  broker.cutOff(zero, 4n);
  await until("it stands", () => session.standing.names().length > 0);
  await session.end();
});

test("holes before a record and at the end of a log are passed and committed", async () => {
  const { broker, worked, start, send, committed } = await sessionWorld();
  await send(4);
  for (const offset of [0n, 2n]) broker.tearOut(zero, offset);
  broker.mark(zero);
  const session = start(looking);
  await until("the commit behind all of it", async () => (await committed()) === 5n);
  expect(worked).toEqual([1n, 3n]);
  expect(session.standing.names()).toEqual([]);
  await session.end();
});

test("partitions that are added end the client: the next one is given them", async () => {
  const { broker, start } = await sessionWorld();
  const joined = Promise.withResolvers<void>();
  const session = start({ ...looking, onJoined: joined.resolve });
  await joined.promise;
  broker.addPartitions("task-events", 3);
  expect(await session.ended).toEqual({ kind: "grown", topics: ["task-events"] });
});
