import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { OutgoingRecord, SendFailure } from "../../../shared/messages/broker.ts";
import type { ClaimedMessage } from "../../../workers/outbox-relay/claim.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import type { Db } from "../../../shared/postgres/db.ts";
import { cutSends } from "../../../workers/outbox-relay/cut-sends.ts";
import { publish } from "../../../workers/outbox-relay/publish.ts";
import { makeMeters } from "../../../workers/outbox-relay/meters.ts";
import { holds } from "../../../workers/outbox-relay/refuse.ts";
import { relayOutbox } from "../../../workers/outbox-relay/relay-outbox.ts";
import { makeLayouts, type Layouts } from "../../../workers/outbox-relay/layouts.ts";
import { makeTopicPauses } from "../../../workers/outbox-relay/topic-pauses.ts";
import { makeWake } from "../../../shared/waiting/wake.ts";
import { noLayouts } from "../../support/no-layouts.ts";
import { originHeader, readOrigin } from "../../../shared/outbox/origin.ts";
import { shardOf } from "../../../shared/outbox/outbox.ts";

const row = (id: number, of: Partial<ClaimedMessage> = {}): ClaimedMessage => {
  const key = of.key ?? `k${id % 3}`;
  return {
    id,
    day: "2026-03-01",
    lease: { shard: shardOf(key), epoch: 1 },
    claimedAt: 1_700_000_000_000 + id,
    created: `${1_700_000_000_000_000 + id}`,
    life: "1",
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
const rows = (count: number): ClaimedMessage[] => Array.from({ length: count }, (_, n) => row(n + 1));

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
  const setup = (refuses: (record: OutgoingRecord) => SendFailure | null) => {
    const sends: number[][] = [];
    const refused: number[] = [];
    const idOf = ({ value }: OutgoingRecord) => Number(Buffer.from(value ?? []).toString());
    return {
      refused,
      sends,
      taken: () => sends.flat(),
      deps: {
        producer: {
          send: async (records: readonly OutgoingRecord[]) => {
            const failure = records.map(refuses).find((found) => found !== null);
            if (failure) throw Object.assign(new Error(failure), { failure });
            sends.push(records.map(idOf));
          },
          [Symbol.asyncDispose]: async () => {},
        },
        mayBeSent: (_row: ClaimedMessage) => true,
        onPublished: () => {},
        onRefused: async ({ id }: ClaimedMessage) => void refused.push(id),
        holds,
      },
    };
  };
  const bad =
    (...ids: number[]) =>
    ({ value }: OutgoingRecord): SendFailure | null =>
      ids.includes(Number(Buffer.from(value ?? []).toString())) ? "refused" : null;

  test("sends all rows at once", async () => {
    const world = setup(() => null);
    expect(await publish(rows(9), world.deps)).toEqual({ failure: null, complete: true });
    expect(world.sends).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9]]);
  });

  test("a record says which row it was, in which life; a dead letter keeps what the record it was said of itself", async () => {
    const sent: OutgoingRecord[] = [];
    const { deps } = setup((record) => (sent.push(record), null));
    const origin = [originHeader, "7.20200101.3.4"] as const;
    await publish([row(1), row(2, { topic: "task-events-dlq", headers: [origin] })], deps);
    const origins = sent.map(({ headers }) => readOrigin(headers));
    expect(origins).toEqual([
      { life: "1", day: "2026-03-01", id: "1", created: "1700000000000001" },
      { life: "7", day: "2020-01-01", id: "3", created: "4" },
    ]);
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
    const mayBeSent = ({ key }: ClaimedMessage) => key !== "k1" || asked++ !== 0;
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
  // By chance one of twelve may be short; all of them are not.
  expect(Math.max(...rounds)).toBeGreaterThan(400);
  expect(rounds[0]).toBeLessThanOrEqual(210);
  expect(pauses.isSuspect("reminders")).toBe(true);
  expect(pauses.isSuspect("task-events")).toBe(false);
  pauses.succeeded(["reminders"]);
  expect([pauses.paused(), pauses.isSuspect("reminders")]).toEqual([[], false]);
});

test("a wake between two rests is not missed, and a rest ends by itself", async () => {
  const { now: wake, rest } = makeWake();
  wake();
  const from = performance.now();
  await rest(5000);
  expect(performance.now() - from).toBeLessThan(1000);
  const resting = rest(5000);
  wake();
  await resting;
  const stop = new AbortController();
  const stopped = rest(5000, stop.signal);
  stop.abort();
  await stopped;
  await rest(5000, stop.signal);
  expect(performance.now() - from).toBeLessThan(2000);
  await rest(1);
  expect(performance.now() - from).toBeLessThan(1000);
});

/** Runs the relay of one shard against a database that answers a claim with these rows, until `stop`. */
async function relay(
  of: Readonly<{
    claim: () => readonly ClaimedMessage[];
    send: (records: readonly OutgoingRecord[]) => Promise<void>;
    stop: AbortController;
    onRound?: () => void;
    /** Told when marks are written. */
    onMark?: () => void;
    settle?: Layouts["settle"];
  }>,
) {
  const shard = shardOf("k");
  const answer = (text: string) => {
    if (text.includes("bytes_so_far")) return of.claim().map((one) => ({ ...one, shard }));
    if (!text.includes("held as materialized")) return [];
    of.onMark?.();
    return [{ shard, epoch: 1 }];
  };
  const sql = ((texts: readonly string[]) => Promise.resolve(answer(texts.join("?")))) as unknown as Db["sql"];
  const close = async () => {};
  await relayOutbox({
    db: { sql } as Db,
    producer: { send: of.send, [Symbol.asyncDispose]: close },
    instance: "r1",
    leases: {
      held: () => [{ shard, epoch: 1 }],
      isHeld: () => true,
      lose: () => {},
      [Symbol.asyncDispose]: close,
    },
    // Nothing more is there.
    layouts: { ...noLayouts, ...(of.settle ? { settle: of.settle } : {}) },
    wake: {
      ...makeWake(),
      rest: async () => {
        of.stop.abort();
        return false;
      },
    },
    signal: of.stop.signal,
    log: makeLog({}, "error", () => {}),
    meters: makeMeters(makeMetrics("test", { process: false }), () => 1),
    ...(of.onRound ? { onRound: of.onRound } : {}),
  });
}

test("what was claimed in a life of the database that is over is not sent any more", async () => {
  // Each row is a send of its own. While the first is in the air, the next page is read, of another server.
  const page = (life: string) => Array.from({ length: 80 }, (_, n) => row(n + 1, { key: "k", life, bytes: 150_000 }));
  const pages = [page("1"), page("2")];
  const gate = Promise.withResolvers<void>();
  const lives: (string | undefined)[] = [];
  await relay({
    claim: () => pages.shift() ?? [],
    send: async (records) => {
      lives.push(...records.map(({ headers }) => readOrigin(headers)?.life));
      if (lives.length === 1) await gate.promise;
    },
    stop: new AbortController(),
    onRound: () => {
      if (pages.length === 0) gate.resolve();
    },
  });
  expect(lives).toEqual(["1"]);
});

test("a topic in trouble is sent apart from the others, which go on", async () => {
  const stop = new AbortController();
  const taken: string[] = [];
  let claims = 0;
  await relay({
    claim: () => {
      if (++claims === 20) stop.abort();
      return [row(1, { key: "k", topic: "task-events" }), row(2, { key: "k", topic: "reminders" })];
    },
    send: async (records) => {
      if (records.some(({ topic }) => topic === "reminders"))
        throw Object.assign(new Error("away"), { failure: "unreachable" });
      taken.push(...records.map(({ topic }) => topic));
      stop.abort();
    },
    stop,
  });
  expect([taken, claims]).toEqual([["task-events"], 2]);
});

test("new partitions are taken over when what was sent before them is marked or given back", async () => {
  const pages = [[row(1, { key: "k" })]];
  const said: string[] = [];
  await relay({
    claim: () => pages.shift() ?? [],
    send: async () => void said.push("sent"),
    onMark: () => said.push("marked"),
    settle: async (areMarked) => void said.push(`settled ${await areMarked()}`),
    stop: new AbortController(),
  });
  expect(said).toEqual(["settled true", "sent", "marked", "settled true"]);
});

test("a layout is taken over, by a new producer, only where marks are done", async () => {
  const layout = { topic: "task-events", partitions: 12, generation: 3, by: null, since: null, seconds: 0 };
  const found = Promise.withResolvers<void>();
  let renewed = 0;
  const layouts = makeLayouts({
    db: { sql: (() => Promise.resolve([layout])) as unknown as Db["sql"] },
    admin: { offsets: () => Promise.resolve(new Map(Array.from({ length: 12 }, (_, n) => [n, 0n]))) },
    renewProducer: async () => void renewed++,
    wake: found.resolve,
    log: makeLog({}, "error", () => {}),
  });
  const stop = new AbortController();
  const watching = layouts.watch(stop.signal);
  await found.promise;
  await layouts.settle(() => Promise.resolve(false));
  expect([layouts.known().size, renewed]).toEqual([0, 0]);
  await layouts.settle(() => Promise.resolve(true));
  expect([[...layouts.known()], renewed]).toEqual([[["task-events", 3]], 1]);
  stop.abort();
  await watching;
});
