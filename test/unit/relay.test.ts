import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Outgoing, SendFailure } from "../../shared/broker.ts";
import type { Claimed } from "../../workers/outbox-relay/claim.ts";
import { cutSends } from "../../workers/outbox-relay/cut-sends.ts";
import { publish } from "../../workers/outbox-relay/publish.ts";
import { holds } from "../../workers/outbox-relay/refuse.ts";
import { makeTopicPauses } from "../../workers/outbox-relay/topic-pauses.ts";
import { makeWake } from "../../workers/outbox-relay/wake.ts";
import { shardOf } from "../../shared/outbox/outbox.ts";

const row = (id: number, of: Partial<Claimed> = {}): Claimed => {
  const key = of.key ?? `k${id % 3}`;
  return {
    id,
    day: "2026-03-01",
    lease: { shard: shardOf(key), epoch: 1 },
    line: 0,
    topic: "task-events",
    sequence: id,
    value: Buffer.from(String(id)),
    headers: [],
    bytes: 100,
    ...of,
    key,
  };
};
const rows = (count: number): Claimed[] => Array.from({ length: count }, (_, n) => row(n + 1));

describe("cutting sends", () => {
  test("keeps every row in order, and no partition above the limit unless a row alone is", () => {
    const size = fc.integer({ min: 1, max: 500 });
    fc.assert(
      fc.property(fc.array(size), (sizes) => {
        const all = sizes.map((bytes, id) => row(id, { bytes }));
        const sends = cutSends(all, 300);
        expect(sends.flat()).toEqual(all);
        for (const send of sends)
          for (const [, of] of Map.groupBy(send, ({ key }) => key))
            if (of.length > 1) expect(of.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(300);
      }),
    );
  });

  test("leaves small rows together", () => {
    expect(cutSends(rows(1000))).toHaveLength(1);
  });
});

describe("publishing", () => {
  /** Takes what `refuses` lets through; a send fails as a whole, as the broker's do. */
  const setup = (refuses: (record: Outgoing) => SendFailure | null) => {
    const sends: number[][] = [];
    const refused: number[] = [];
    const idOf = ({ value }: Outgoing) => Number(Buffer.from(value ?? []).toString());
    return {
      refused,
      sends,
      taken: () => sends.flat(),
      deps: {
        producer: {
          send: async (records: readonly Outgoing[]) => {
            const failure = records.map(refuses).find((found) => found !== null);
            if (failure) throw Object.assign(new Error(failure), { failure });
            sends.push(records.map(idOf));
          },
          [Symbol.asyncDispose]: async () => {},
        },
        mayBeSent: (_row: Claimed) => true,
        onPublished: () => {},
        onRefused: async ({ id }: Claimed) => void refused.push(id),
        holds,
      },
    };
  };
  const bad =
    (...ids: number[]) =>
    ({ value }: Outgoing): SendFailure | null =>
      ids.includes(Number(Buffer.from(value ?? []).toString())) ? "refused" : null;

  test("sends all rows at once", async () => {
    const world = setup(() => null);
    expect(await publish(rows(9), world.deps)).toEqual({ failure: null, complete: true });
    expect(world.sends).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9]]);
  });

  test("a row refused alone is told of; later rows of its key wait and the others go, in order", async () => {
    const world = setup(bad(4));
    expect(await publish(rows(9), world.deps)).toEqual({ failure: null, complete: false });
    expect(world.refused).toEqual([4]);
    // 7 has the key of 4.
    expect(world.taken()).toEqual([1, 2, 3, 5, 6, 8, 9]);
  });

  test("on task-updates later rows of the key go on: a later snapshot has it all", async () => {
    const world = setup(bad(4));
    const updates = rows(9).map((one) => ({ ...one, topic: "task-updates" }));
    await publish(updates, world.deps);
    expect([world.refused, world.taken()]).toEqual([[4], [1, 2, 3, 5, 6, 7, 8, 9]]);
  });

  test("refused together for their size but not alone, rows are halved until they pass, and nobody is blamed", async () => {
    const world = setup(() => null);
    const send = world.deps.producer.send;
    world.deps.producer.send = async (records) => {
      if (records.length > 2) throw Object.assign(new Error("too large"), { failure: "refused" });
      await send(records);
    };
    expect(await publish(rows(7), world.deps)).toEqual({ failure: null, complete: true });
    expect([world.refused, world.taken()]).toEqual([[], [1, 2, 3, 4, 5, 6, 7]]);
  });

  test("an unreachable broker ends the round: nothing overtakes", async () => {
    const world = setup(({ value }) => (Buffer.from(value ?? []).toString() === "5" ? "unreachable" : null));
    const large = rows(9).map((one) => ({ ...one, bytes: 150_000 }));
    const { failure, complete } = await publish(large, world.deps);
    expect(failure).toMatchObject({ failure: "unreachable" });
    expect(complete).toBe(false);
    expect(world.taken()).toEqual([1, 2, 3]);
  });

  test("once a row is left out for its lease, its whole shard is, even if the lease is back", async () => {
    const world = setup(() => null);
    let asked = 0;
    const large = rows(9).map((one) => ({ ...one, bytes: 150_000 }));
    // Lapsed while the first send of key k1 was looked at, renewed right after.
    const mayBeSent = ({ key }: Claimed) => key !== "k1" || asked++ !== 0;
    const { complete } = await publish(large, { ...world.deps, mayBeSent });
    expect(complete).toBe(false);
    const lostShard = shardOf("k1");
    expect(world.taken()).toEqual(large.filter(({ lease }) => lease.shard !== lostShard).map(({ id }) => id));
  });

  test("refusals among many: order per key holds for what is sent, and every row is sent, refused or behind a refusal", () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 6 });
    return fc.assert(
      fc.asyncProperty(ids, async (poison) => {
        const world = setup(bad(...poison));
        await publish(rows(40), world.deps);
        const taken = world.taken();
        for (const [key, of] of Map.groupBy(rows(40), (one) => one.key)) {
          const first = of.findIndex(({ id }) => poison.includes(id));
          const expected = (first < 0 ? of : of.slice(0, first)).map(({ id }) => id);
          expect(taken.filter((id) => `k${id % 3}` === key)).toEqual(expected);
        }
      }),
    );
  });
});

test("a topic that fails is paused for longer and longer, up to 5 s, and forgiven at once", () => {
  let now = 0;
  const pauses = makeTopicPauses(() => now);
  const lasts = (): number => {
    const from = now;
    while (pauses.paused().length > 0) now += 10;
    return now - from;
  };
  const rounds = Array.from({ length: 12 }, () => {
    pauses.failed(["reminders"]);
    return lasts();
  });
  expect(Math.max(...rounds)).toBeLessThanOrEqual(5010);
  expect(rounds[0]).toBeLessThanOrEqual(210);
  expect(pauses.isSuspect("reminders")).toBe(true);
  expect(pauses.isSuspect("task-events")).toBe(false);
  pauses.succeeded(["reminders"]);
  expect([pauses.paused(), pauses.isSuspect("reminders")]).toEqual([[], false]);
});

test("a wake between two rests is not missed, and a rest ends by itself", async () => {
  const { wake, rest } = makeWake();
  wake();
  const from = performance.now();
  await rest(5000);
  expect(performance.now() - from).toBeLessThan(1000);
  const resting = rest(5000);
  wake();
  await resting;
  await rest(1);
  expect(performance.now() - from).toBeLessThan(1000);
});
