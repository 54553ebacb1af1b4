import { afterAll, expect, test } from "bun:test";
import { inboxEntryOf } from "../../shared/consume/dead-letters/dead-letter.ts";
import { partitionName } from "../../shared/consume/member/partition-name.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { consumerWorld, openConsumerDb } from "../support/consumer-world.ts";
import type { Misbehaviour } from "../support/fake-broker.ts";
import { nameOf } from "../support/kernel-world/failing.ts";
import { placesOf, topics } from "../support/kernel-world/group-state.ts";
import { partitions, type Fate } from "../support/kernel-world/plan.ts";
import { runWorld, type Ran } from "../support/kernel-world/run.ts";
import { randomOf } from "../support/random.ts";

/** `KERNEL_SEEDS=7` replays one; `KERNEL_SEEDS=1-200` runs many. */
const usual = process.env.LONG_TESTS === "1" ? "1-2000" : "1-18";
const [first = 1, last = first] = (process.env.KERNEL_SEEDS ?? usual).split("-").map(Number);
const patienceMs = Number(process.env.KERNEL_PATIENCE_MS ?? 60_000);
const seeds = Array.from({ length: last - first + 1 }, (_, n) => first + n);

/** The worst of what was measured of the real client. */
const bad: Partial<Misbehaviour> = {
  staleBuffers: true,
  rewinds: 0.3,
  lateFetches: 0.05,
  lateCommits: 0.2,
  hangingCommits: 0.02,
  deliveryMs: 10,
  failures: 0.002,
  duplicates: 0.15,
  fetchSize: 15,
};

const everything: Fate = { kills: true, zombies: true, redrives: true, turns: true, leaves: 0.3 };
const leaving: Fate = { kills: false, zombies: false, redrives: false, turns: false, leaves: 1 };

async function run(seed: number, misbehaviour: Partial<Misbehaviour>, fate: Fate) {
  const random = randomOf(seed);
  const db = idle.pop() ?? (await openConsumerDb());
  const world = await consumerWorld({
    kafka: "fake",
    partitions,
    topics,
    misbehaviour: { ...misbehaviour, random },
    db,
  });
  try {
    const ran = await runWorld(world, { seed, random, fate, misbehaviour, patienceMs });
    // Members that nobody stops would go on in the database of the next run.
    const end = async () => {
      await world[Symbol.asyncDispose]();
      idle.push(db);
    };
    return { ...ran, [Symbol.asyncDispose]: end };
  } catch (error) {
    await world[Symbol.asyncDispose]();
    await db[Symbol.asyncDispose]();
    throw error;
  }
}

/** Databases with their connections that no run uses just now. */
const idle: Db[] = [];
afterAll(async () => {
  for (const db of idle) await db[Symbol.asyncDispose]();
}, 30_000);

/** So many at a time: they mostly wait. */
const together = 6;
const groups = Array.from({ length: Math.ceil(seeds.length / together) }, (_, n) =>
  seeds.slice(n * together, (n + 1) * together),
);

test.each(groups.map((some) => ({ seeds: some.join() })))(
  "whatever befalls client and members, nothing is lost, doubled or reordered (seeds $seeds)",
  async ({ seeds: some }) => {
    const outcomes = await Promise.allSettled(some.split(",").map((seed) => checkSeed(Number(seed))));
    const failed = outcomes.flatMap((outcome, n) =>
      outcome.status === "rejected" ? [{ seed: some.split(",")[n], error: outcome.reason as unknown }] : [],
    );
    for (const { seed, error } of failed) console.error(`KERNEL_SEEDS=${seed} replays this failure:`, error);
    expect(failed.map(({ seed }) => seed)).toEqual([]);
  },
  120_000,
);

async function checkSeed(seed: number): Promise<void> {
  await using ran = await run(seed, bad, everything);
  const { world, brought, early, epoch, logged } = ran;
  const all = await world.db.sql<{ id: string; topic: string; key: string; n: number; epoch: number }[]>`
    select id, topic, key, n, epoch from effects order by place`;
  // Every effect once, in each of the group's lives.
  expect(all.length - new Set(all.map(({ id, epoch: life }) => `${id} ${life}`)).size).toBe(0);
  const effects = all.filter((effect) => effect.epoch === epoch);
  await checkFates(ran, effects);
  // What handlers change together is changed together.
  const [shared] = await world.db.sql<{ n: number }[]>`select sum(n)::int as n from shared_rows`;
  expect(shared?.n).toBe(2 * all.filter((effect) => ran.crossed.has(nameOf(effect))).length);
  // In order per topic and key, but for what was brought back, which comes late, and what lies in different partitions.
  const places = await placesOf(world);
  const lines = Map.groupBy(effects, ({ id, topic, key }) => `${topic}/${key} in ${places.get(id)}`);
  for (const [line, own] of lines) {
    const order = own.filter((effect) => !brought.has(nameOf(effect))).map(({ n }) => n);
    expect([line, ...order]).toEqual([line, ...order.toSorted((a, b) => a - b)]);
  }
  expect(early).toEqual([]);
  // An outage is waited out: it is nobody's failure.
  const blamed = logged("message_failed").filter(({ error }) => Object(error).code === "DEPENDENCY_ANSWERS");
  expect(blamed).toEqual([]);
  // So is a deadlock: what Postgres ended is done again, and no try of a message is spent.
  expect([...(await world.db.sql`select error from parked_for where error ilike '%deadlock%'`)]).toEqual([]);
  const alarms = new Set(logged("consumer_alarm").map(({ partition }) => partition));
  expect([...alarms].filter((name) => ran.loss === null || name !== partitionName(ran.loss.at))).toEqual([]);
}

/**
 * Every message has its effect, or is a dead letter if it never works; but for what was lost with a log, where that is
 * told.
 */
async function checkFates(ran: Ran, effects: readonly Readonly<{ id: string }>[]) {
  const { world, old, epoch } = ran;
  const fates = await world.db.sql<{ message_id: string; fate: string }[]>`
    select message_id, fate from inbox where epoch = ${epoch}`;
  const fateOf = new Map(fates.map(({ message_id, fate }) => [message_id, fate]));
  const lost = await lostWithLog(ran, (id) => fateOf.has(id));
  const sent = new Map([...ran.sent].filter(([id]) => !lost.has(id)));
  const dead = new Set([...sent.values()].filter((name) => ran.dead.has(name)));
  const expected = [...sent].filter(([, name]) => !dead.has(name)).map(([id]) => id);
  expect(effects.map(({ id }) => id).toSorted()).toEqual(expected.toSorted());
  for (const [id, name] of sent)
    if (fateOf.has(id) || !old.has(id))
      expect([name, fateOf.get(id)]).toEqual([name, dead.has(name) ? "dead" : "done"]);
  // What is dead, and only that, is in the index, and as often in the outbox as it died.
  const letters = await world.db.sql<{ message_id: string }[]>`
    select message_id from dead_letters where state = 'dead' and epoch = ${epoch}`;
  expect(letters.map(({ message_id }) => ran.sent.get(message_id) ?? "").toSorted()).toEqual([...dead].toSorted());
  const told = new Set((await world.deadLetters()).map(({ key, subject }) => key ?? subject));
  for (const name of dead) expect(told).toContain(name.split("/")[1] ?? "");
  const orphans = await world.db.sql`select key from parked_messages`;
  expect([...orphans]).toEqual([]);
}

/**
 * What need not have a fate, by message id: where a partition stands, what its log has lost and what came after. Where
 * it does not, only what the end of the log lost before anybody read it: then it was as if it had never been sent.
 */
async function lostWithLog({ world, loss, isLossTold }: Ran, hasFate: (id: string) => boolean): Promise<Set<string>> {
  if (loss === null) return new Set();
  const there = (world.fake?.recordsOf(loss.at) ?? []).map((record) => inboxEntryOf(record).id);
  const later = [...new Set(there)].filter((id) => !loss.before.includes(id));
  if (loss.side === "end") {
    // What was read of the lost records shows that the log is another one.
    expect([...loss.gone].some(hasFate) && !isLossTold).toBe(false);
    // No record that stands where another was read is taken for that one, or handled after a gap.
    if (isLossTold) expect(later.filter(hasFate)).toEqual([]);
    return new Set([...loss.gone, ...(isLossTold ? later : [])].filter((id) => !hasFate(id)));
  }
  return new Set(isLossTold ? [...loss.before, ...later].filter((id) => !hasFate(id)) : []);
}

test.each(seeds.slice(0, 2))(
  "what is left in a buffer from before a rebalance is not taken for missing records (seed %d)",
  async (seed) => {
    await using ran = await run(seed, { ...bad, lateFetches: 0, failures: 0, hangingCommits: 0 }, leaving);
    const { logged } = ran;
    expect(logged("gap_in_deliveries")).toEqual([]);
    expect(logged("partitions_assigned").length).toBeGreaterThan(6);
  },
  120_000,
);
