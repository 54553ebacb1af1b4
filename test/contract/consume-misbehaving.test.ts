import { expect, test } from "bun:test";
import type { Broker, PartitionOffset } from "../../shared/broker.ts";
import { Problem } from "../../shared/problem.ts";
import { inboxEntryOf } from "../../shared/consume/dead-letter.ts";
import type { Handler } from "../../shared/consume/handler.ts";
import { consumerWorld, write, type ConsumerWorld } from "../support/consumer-world.ts";
import type { Misbehaviour } from "../support/fake-broker.ts";
import { until } from "../support/until.ts";

/** A small generator of repeatable randomness (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `KERNEL_SEEDS=7` replays one; `KERNEL_SEEDS=1-200` runs many. Four by default. */
const [first = 1, last = first] = (process.env.KERNEL_SEEDS ?? "1-4").split("-").map(Number);
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
  fetchSize: 15,
};

/** Short enough for a test, and more than what fails for a while needs. */
const tiersMs = [5, 10, 20, 20, 40, 40, 40, 40];

/** Members a, b, c and their successors handle what is sent meanwhile; some messages always fail, some for a while. */
async function run(seed: number, misbehaviour: Partial<Misbehaviour>) {
  const random = randomOf(seed);
  const world = await consumerWorld({ kafka: "fake", partitions: 3, misbehaviour: { ...misbehaviour, random } });
  const dead = new Set<string>();
  const flaky = new Map<string, number>();
  const member =
    (name: string): Handler =>
    async (message, { tx }) => {
      await write(tx, message, name);
      if (random() < 0.1) await Bun.sleep(random() * 5); // slow handlers overlap with rebalances
      const id = `${message.key}/${message.sequence}`;
      if (invalid.has(id)) throw new Problem("INVARIANT");
      if (dead.has(id)) throw new Error("never");
      const left = flaky.get(id) ?? 0;
      flaky.set(id, left - 1);
      if (left > 0) throw new Error("not yet");
      return [];
    };
  const early: string[] = [];
  const invalid = new Set<string>();
  const timing = { commitEveryMs: 20, watchEveryMs: 100, stuckMs: 2_000, inactiveMs: 2_000 };
  const start = (name: string) =>
    world.start({ handle: member(name), broker: watchCommits(world, (what) => early.push(what)), timing, tiersMs });
  const running = [start("a"), start("b"), start("c")];
  const all = [...running];
  const keys = Array.from({ length: 10 }, (_, n) => `k${n}`);
  const counts = new Map<string, number>();
  const sent = new Map<string, string>();
  for (let round = 0; round < 12; round++) {
    for (const key of keys) {
      const from = (counts.get(key) ?? 0) + 1;
      const count = random() < 0.7 ? 2 : 1;
      counts.set(key, from + count - 1);
      const ids = Array.from({ length: count }, (_, n) => `${key}/${from + n}`);
      for (const id of ids)
        if (random() < 0.02) (dead.add(id), random() < 0.3 && invalid.add(id));
        else if (random() < 0.06) flaky.set(id, 1 + Math.floor(random() * 7));
      const messages = await world.send(Array<string>(count).fill(key), from);
      messages.forEach((message, n) => sent.set(message, ids[n] ?? ""));
    }
    await Bun.sleep(random() * 30); // spreads the records over the rebalances
    if (random() < 0.4) {
      const leaving = running.shift();
      running.push(start(`m${round}`));
      all.push(...running.slice(-1));
      await leaving?.stop();
    }
  }
  await until(`all commits (seed ${seed})`, () => world.caughtUp(), { timeoutMs: 60_000 });
  await until(`nothing parked (seed ${seed})`, async () => (await world.parked()).length === 0, { timeoutMs: 60_000 });
  const logged = (event: string) => all.flatMap(({ lines }) => lines).filter((line) => line.event === event);
  return { world, dead, sent, early, logged, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

/** Says when an offset is committed before the fate of every record below it is known. The commit itself is not held up. */
function watchCommits(world: ConsumerWorld, tell: (what: string) => void): Pick<Broker, "join" | "admin"> {
  const check = async (offsets: readonly PartitionOffset[]) => {
    for (const at of offsets) {
      const below = world.fake?.recordsOf(at).filter(({ offset }) => offset < at.offset) ?? [];
      const ids = below.map((record) => inboxEntryOf(record).id);
      const [row] = await world.db.sql<{ missing: number }[]>`
        select count(*)::int as missing from unnest(${ids}::uuid[]) as id
        where not exists (select from inbox where message_id = id)`;
      if (row?.missing !== 0) tell(`${at.topic}/${at.partition}@${at.offset}: ${row?.missing} without a fate`);
    }
  };
  return {
    admin: world.broker.admin,
    join: async (options) => {
      const member = await world.broker.join(options);
      return {
        ...member,
        commit: (offsets) => {
          const committed = member.commit(offsets);
          return check(offsets).then(() => committed);
        },
      };
    },
  };
}

test.each(seeds)(
  "a client that misbehaves in every measured way loses, doubles and reorders nothing (seed %d)",
  async (seed) => {
    await using ran = await run(seed, bad);
    const { world, dead, sent, early } = ran;
    const effects = await world.effects();
    const expected = [...sent].filter(([, id]) => !dead.has(id)).map(([message]) => message);
    expect(effects.map(({ id }) => id).toSorted()).toEqual(expected.toSorted());
    const keysOfDead = [...dead].map((id) => id.split("/")[0] ?? "");
    expect((await world.deadLetters()).map(({ key }) => key).toSorted()).toEqual(keysOfDead.toSorted());
    const fates = new Map((await world.fates()).map(({ message_id, fate }) => [message_id, fate]));
    for (const [message, id] of sent) expect([id, fates.get(message)]).toEqual([id, dead.has(id) ? "dead" : "done"]);
    for (const [key, own] of Map.groupBy(effects, (effect) => effect.key)) {
      const order = own.map(({ n }) => n);
      expect([key, ...order]).toEqual([key, ...order.toSorted((a, b) => a - b)]);
    }
    expect(early).toEqual([]);
  },
  120_000,
);

test.each(seeds.slice(0, 2))(
  "what is left in a buffer from before a rebalance is not taken for missing records (seed %d)",
  async (seed) => {
    await using ran = await run(seed, { ...bad, lateFetches: 0, failures: 0, hangingCommits: 0 });
    const { logged } = ran;
    expect(logged("gap_in_deliveries")).toEqual([]);
    expect(logged("partitions_assigned").length).toBeGreaterThan(6);
  },
  120_000,
);
