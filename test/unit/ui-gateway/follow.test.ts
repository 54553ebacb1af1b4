import { describe, expect, spyOn, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { Broker, FetchedRecord } from "../../../shared/messages/broker.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { partitionOf } from "../../../shared/kafka/partition.ts";
import { Problem } from "../../../shared/problem.ts";
import { makeFollow, type StreamFollower, type Sink } from "../../../workers/ui-gateway/stream/follow.ts";
import { makeHub } from "../../../workers/ui-gateway/stream/hub.ts";
import { pollUpdates } from "../../../workers/ui-gateway/stream/poll-updates.ts";
import { makeReadLog } from "../../../workers/ui-gateway/stream/read-log.ts";
import { makeReplayBudget } from "../../../workers/ui-gateway/stream/replay-budget.ts";
import type { Frame } from "../../../workers/ui-gateway/stream/update-frame.ts";
import { until } from "../../support/until.ts";

const ada = "0192f0a0-0000-7000-8000-00000000000a";
const home = partitionOf(ada, 6);
const freshness = { state: () => "live" as const, watch: () => () => {} };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * A log of one partition that grows, a hub that follows it, and the log's own slow reader, all at the pace of `dice`.
 */
function world(
  dice: () => number,
  ringRecords: number,
  isAdas: (offset: number) => boolean,
  charge: (userId: string, records: number) => void = () => {},
) {
  const stop = new AbortController();
  let length = 0;
  const keyAt = (offset: number) => (isAdas(offset) ? ada : "another");
  const frameAt = (offset: number): Frame => ({
    partition: home,
    offset: BigInt(offset),
    userId: keyAt(offset),
    taskId: `task ${offset}`,
    sequence: 1,
    changeType: "updated",
    isCompleted: false,
    bytes: new TextEncoder().encode(`id: e.${home}.${offset}\n`.padEnd(20_000)),
    json: { start: 0, end: 0 },
  });
  /** What the log was asked for and by whom, as offsets; `tails` are those still read from. */
  const read: number[] = [];
  const decoded: number[] = [];
  let tails = 0;
  const tail: Broker["tail"] = async function* ({ from, signal }) {
    let next = Number(from.get(home));
    tails++;
    using _ = { [Symbol.dispose]: () => void tails-- };
    while (!signal.aborted) {
      await turn();
      const end = Math.min(length, next + 1 + Math.floor(dice() * 5));
      const records = Array.from(
        { length: Math.max(0, end - next) },
        (_, i) => ({ offset: BigInt(next + i), key: keyAt(next + i) }) as FetchedRecord,
      );
      if (end > next) yield { records, next: new Map([[home, BigInt(end)]]), partitions: 1 };
      if (end > next) read.push(end);
      next = Math.max(next, end);
    }
  };
  const hub = makeHub({ ring: { maxRecords: ringRecords, maxBytes: 1e9 }, countDropped: () => {} });
  const log = makeLog({}, "error");
  const readFrame = ({ offset }: FetchedRecord) => {
    decoded.push(Number(offset));
    return Promise.resolve(frameAt(Number(offset)));
  };
  const readLog = makeReadLog({ tail, readFrame, epoch: hub.epoch, charge, log, signal: stop.signal });
  const offsets = (_: string, at: "start" | "end") =>
    Promise.resolve(new Map([[home, BigInt(at === "end" ? length : 0)]]));
  const follow = makeFollow({ hub, readLog, admin: { offsets }, maxReplay: 10_000n, admitReplay: () => {} });
  const restart = (at: number, isLive = true) => {
    hub.restart("e", new Map(Array.from({ length: 6 }, (_, partition) => [partition, BigInt(at)])), "gap");
    if (isLive) hub.setLive();
  };
  return {
    hub,
    frameAt,
    follow,
    restart,
    append: (count: number) => void (length += count),
    length: () => length,
    /** Reads up to `count` records into the hub. */
    feed: (count: number) => {
      for (let i = 0; i < count; i++) {
        const next = Number(hub.ringOf(home)?.next() ?? 0n);
        if (next >= length) return;
        const frame = frameAt(next);
        hub.take(home, frame.offset, frame.userId === ada ? frame : null);
      }
    },
    decoded,
    /** Up to where the log has been read. */
    read: () => read.at(-1) ?? 0,
    tails: () => tails,
    isBehind: () => Number(hub.ringOf(home)?.next() ?? 0n) < length,
    stop: () => stop.abort(),
  };
}

test("whoever comes with whatever position gets every change above it once, in order, however slow they are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 4 }),
      async (seed, ringRecords, sparseness) => {
        let state = seed;
        const dice = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff) / 0x7fff_ffff;
        const isAdas = (offset: number) => offset % sparseness === 0;
        const { follow, restart, append, length, feed, isBehind, stop } = world(dice, ringRecords, isAdas);
        append(60);
        restart(60 - Math.min(60, ringRecords));
        feed(1_000);
        const clients: { after: number; seen: number[]; following: StreamFollower }[] = [];
        for (let step = 0; step < 60; step++) {
          append(Math.floor(dice() * 4));
          if (dice() < 0.7) feed(Math.floor(dice() * 8));
          if (dice() < 0.2) {
            const after = Math.floor(dice() * (length() + 1)) - 1;
            const seen: number[] = [];
            const following = await follow(ada, `e.${home}.${after}`, {
              change: ({ offset, userId }) => {
                expect(userId).toBe(ada);
                seen.push(Number(offset));
              },
              reset: (reason) => expect(String(reason)).toBe("never"),
              caughtUp: () => {},
              stalled: () => expect("stalled").toBe("never"),
              room: () => (dice() < 0.5 ? null : turn()),
              ended: () => false,
            });
            clients.push({ after, seen, following });
          }
          // A position given out in between never passes over a change that was not given.
          for (const { after, seen, following } of clients) {
            const at = following.cursor();
            if (at === null) continue;
            const position = Number(at.slice(at.lastIndexOf(".") + 1));
            const due = Array.from({ length: position + 1 }, (_, i) => i).filter((i) => i > after && isAdas(i));
            expect(seen.slice(0, due.length)).toEqual(due);
          }
          if (dice() < 0.6) await turn();
        }
        while (isBehind()) feed(10);
        const expected = (after: number) =>
          Array.from({ length: length() }, (_, i) => i).filter((i) => i > after && isAdas(i));
        // Who has everything may still be on the way from the log to what comes now.
        const end = `e.${home}.${length() - 1}`;
        for (let i = 0; i < 5_000 && clients.some(({ following }) => following.cursor() !== end); i++) await turn();
        for (const { after, seen } of clients) expect(seen).toEqual(expected(after));
        stop();
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

test("a client that the log took ahead of this instance gets nothing twice and no position that takes it back", async () => {
  // The log is read five records at a time: from 11 to beyond 60, where memory ends and this instance has not read on.
  const { follow, restart, append, feed, stop } = world(
    () => 0.99,
    1,
    () => true,
  );
  append(60);
  restart(59);
  feed(1);
  append(10);
  const seen: number[] = [];
  const cursors: (string | null)[] = [];
  const following = await follow(ada, `e.${home}.10`, {
    change: ({ offset }) => void seen.push(Number(offset)),
    reset: () => {},
    caughtUp: (cursor) => void cursors.push(cursor),
    stalled: () => {},
    room: () => null,
    ended: () => false,
  });
  await until("the log is read", () => cursors.length > 0);
  expect([seen.at(-1), cursors, following.cursor()]).toEqual([60, [null], null]);
  feed(20);
  expect(seen).toEqual(Array.from({ length: 59 }, (_, i) => i + 11));
  expect(following.cursor()).toBe(`e.${home}.69`);
  stop();
});

test("a poll that more reaches at once than an answer may hold leaves off at the last it tells of", async () => {
  const { follow, restart, append, feed, stop } = world(
    () => 0.99,
    1_000,
    () => true,
  );
  append(10);
  restart(0);
  feed(10);
  const { signal } = new AbortController();
  const waiting = pollUpdates(follow, { userId: ada, since: `e.${home}.9`, waitSeconds: 30, signal, freshness });
  for (let i = 0; i < 5; i++) await turn();
  append(80);
  // All in one go, as a batch of the log comes: beyond a megabyte nothing more is taken.
  feed(80);
  const first = await waiting;
  expect(first.items).toHaveLength(53);
  expect(first.cursor).toBe(`e.${home}.62`);
  const second = await pollUpdates(follow, { userId: ada, since: first.cursor, waitSeconds: 0, signal, freshness });
  expect(second.items).toHaveLength(27);
  expect(second.cursor).toBe(`e.${home}.89`);
  stop();
});

test("from a restart on nothing of the memory before it is given, however long its reset takes to come", async () => {
  const { follow, restart, append, feed, stop } = world(
    () => 0.99,
    100,
    () => true,
  );
  append(50);
  restart(0);
  feed(50);
  const room = Promise.withResolvers<void>();
  const seen: bigint[] = [];
  const told: string[] = [];
  await follow(ada, `e.${home}.10`, {
    change: ({ offset }) => void seen.push(offset),
    reset: (reason) => void told.push(reason),
    caughtUp: () => void told.push("caught up"),
    stalled: () => void told.push("stalled"),
    room: () => room.promise,
    ended: () => false,
  });
  await turn();
  const before = [...seen];
  expect(before.length).toBeGreaterThan(0);
  expect(before.length).toBeLessThan(39);
  restart(0, false);
  room.resolve();
  for (let i = 0; i < 10; i++) await turn();
  expect([seen, told]).toEqual([before, []]);
  stop();
});

test("who comes back is given what lies in another partition than theirs, whichever way they go on", async () => {
  const { hub, frameAt, follow, restart, append, feed, stop } = world(
    () => 0.99,
    2,
    () => true,
  );
  append(6);
  restart(0);
  feed(4);
  const away = (home + 1) % 6;
  hub.take(away, 0n, { ...frameAt(500), partition: away, offset: 0n, taskId: "astray" });
  const given = async (after: number) => {
    const seen: string[] = [];
    let isDone = false;
    const following = await follow(ada, `e.${home}.${after}`, {
      change: ({ taskId }) => void seen.push(taskId),
      reset: () => {},
      caughtUp: () => (isDone = true),
      stalled: () => {},
      room: () => null,
      ended: () => false,
    });
    await until("the log is read", () => isDone);
    following.stop();
    return seen;
  };
  // From the log, from memory, with nothing missed, and ahead of this instance.
  expect(await given(0)).toEqual(["astray", ...[1, 2, 3, 4, 5].map((n) => `task ${n}`)]);
  expect(await given(2)).toEqual(["astray", "task 3"]);
  expect(await given(3)).toEqual(["astray"]);
  expect(await given(4)).toEqual(["astray"]);
  stop();
});

test("who moves to another partition while the log is asked about their position is told to read again", async () => {
  const { hub, follow, restart, append, stop } = world(
    () => 0.99,
    2,
    () => true,
  );
  append(60);
  restart(50);
  const more = Array.from({ length: 20 }, (_, n) => n + 7).find((count) => partitionOf(ada, count) !== home) ?? 0;
  const told: string[] = [];
  const following = follow(ada, `e.${home}.10`, {
    change: ({ taskId }) => void told.push(taskId),
    reset: (reason, cursor) => void told.push(`${reason} ${cursor}`),
    caughtUp: () => void told.push("caught up"),
    stalled: () => void told.push("stalled"),
    room: () => null,
    ended: () => false,
  });
  hub.grow(more);
  await following;
  for (let i = 0; i < 10; i++) await turn();
  const now = partitionOf(ada, more);
  expect(told).toEqual([`moved e.${now}.${(hub.ringOf(now)?.next() ?? 0n) - 1n}`]);
  stop();
});

describe("work for a client that is behind memory", () => {
  const records = 2_000;
  /** Of ada's every tenth; five at a time are read. */
  const far = (charge?: (userId: string, records: number) => void) => {
    const made = world(
      () => 0.99,
      10,
      (offset) => offset % 10 === 0,
      charge,
    );
    made.append(records);
    made.restart(records - 10);
    made.feed(10);
    return made;
  };
  const cursor = (offset: number) => `e.${home}.${offset}`;
  const settle = async () => {
    for (let i = 0; i < 20; i++) await turn();
  };
  const silent: Sink = {
    change: () => {},
    reset: () => {},
    caughtUp: () => {},
    stalled: () => {},
    room: () => null,
    ended: () => false,
  };

  test("ends at once when it is stopped, whether a record comes or not", async () => {
    const { follow, read, tails, stop } = far();
    const following = await follow(ada, cursor(0), silent);
    await settle();
    expect([tails(), read() > 0]).toEqual([1, true]);
    following.stop();
    const at = read();
    await until("its tail ends", () => tails() === 0);
    expect(read()).toBeLessThanOrEqual(at + 5);
    expect(following.cursor()).toBeNull();
    stop();
    const quiet = far();
    quiet.restart(records + 100); // beyond the end of the log, which says nothing more
    const waiting = await quiet.follow(ada, cursor(records - 1), silent);
    await settle();
    expect(quiet.tails()).toBe(1);
    waiting.stop();
    await until("its tail ends", () => quiet.tails() === 0);
    quiet.stop();
  });

  test("ends at once when the client has gone or has enough", async () => {
    const { follow, read, tails, stop } = far();
    let taken = 0;
    await follow(ada, cursor(0), { ...silent, change: () => void taken++, ended: () => taken === 3 });
    await until("its tail ends", () => tails() === 0);
    expect(taken).toBe(3);
    expect(read()).toBeLessThan(60);
    stop();
  });

  test("ends for each by itself: who stays gets everything, who waits for the next pass and leaves starts none", async () => {
    const { follow, tails, stop } = far();
    const seen: number[] = [];
    const first = await follow(ada, cursor(0), silent);
    await settle();
    const second = await follow(ada, cursor(500), {
      ...silent,
      change: ({ offset }) => void seen.push(Number(offset)),
    });
    const late = await follow(ada, cursor(0), silent);
    first.stop();
    await until("the log is read", () => second.cursor() === cursor(records - 1));
    late.stop();
    expect(seen).toEqual(Array.from({ length: 149 }, (_, i) => 510 + i * 10));
    await until("its tail ends", () => tails() === 0);
    stop();
  });

  test("waits some seconds for a client that takes nothing, or a log that says nothing, and tells it to come again", async () => {
    const real = setTimeout;
    const hurried = (work: () => void, ms = 0) => real(work, ms / 50);
    const clock = spyOn(globalThis, "setTimeout").mockImplementation(hurried as typeof setTimeout);
    try {
      const { follow, stop } = far();
      let isLeft = false;
      await follow(ada, cursor(0), {
        ...silent,
        room: () => new Promise(() => {}),
        stalled: () => void (isLeft = true),
      });
      // One that goes on where it was, as on a machine so busy that its own patience ends.
      let last = 0;
      let isDone = false;
      const other: Sink = {
        ...silent,
        change: ({ offset }) => void (last = Number(offset)),
        caughtUp: () => void (isDone = true),
        stalled: () => void follow(ada, cursor(last), other),
      };
      await follow(ada, cursor(0), other);
      await until("the other", () => isDone);
      expect(isLeft).toBe(true);
      stop();
      const quiet = far();
      quiet.restart(records + 100); // beyond the end of the log, which says nothing more
      const { promise, resolve } = Promise.withResolvers<void>();
      await quiet.follow(ada, cursor(records - 1), { ...silent, stalled: resolve });
      await promise;
      quiet.stop();
    } finally {
      clock.mockRestore();
    }
  });

  test("reads no record of another user", async () => {
    const { follow, decoded, stop } = far();
    const following = await follow(ada, cursor(0), silent);
    await until("the log is read", () => following.cursor() === cursor(records - 1));
    expect(decoded).not.toBeEmpty();
    expect(decoded.filter((offset) => offset % 10 !== 0)).toEqual([]);
    stop();
  });

  test("is charged once to a user, however many of their clients wait for it", async () => {
    const charged = new Map<string, number>();
    const { follow, stop } = far((userId, count) => charged.set(userId, (charged.get(userId) ?? 0) + count));
    const clients = await Promise.all([0, 0, 300, 600].map((from) => follow(ada, cursor(from), silent)));
    await until("the log is read", () => clients.every((one) => one.cursor() === cursor(records - 1)));
    const total = [...charged.values()].reduce((sum, count) => sum + count, 0);
    expect([...charged.keys()]).toEqual([ada]);
    expect(total).toBeGreaterThanOrEqual(records - 15);
    expect(total).toBeLessThan(records + 10);
    stop();
  });

  test("a poll that is behind gets on with every answer, however little time it has", async () => {
    const { follow, tails, stop } = far();
    const { signal } = new AbortController();
    const sizes: number[] = [];
    for (let since = cursor(0); since !== cursor(records - 1);) {
      const polled = await pollUpdates(follow, { userId: ada, since, waitSeconds: 0, signal, freshness });
      expect(polled.reset).toBeNull();
      expect(polled.cursor).not.toBe(since);
      since = polled.cursor;
      sizes.push(polled.items.length);
      await until("its tail ends", () => tails() === 0);
    }
    // Cut after a megabyte.
    expect(sizes).toEqual([53, 53, 53, 40]);
    stop();
  });

  test("a poll whose client has left ends at once, and nothing is read for it", async () => {
    const { follow, tails, read, stop } = far();
    const client = new AbortController();
    const asked = { userId: ada, since: cursor(0), waitSeconds: 30, signal: client.signal, freshness };
    const polling = pollUpdates(follow, asked);
    await settle();
    expect(tails()).toBe(1);
    client.abort();
    await polling;
    await until("its tail ends", () => tails() === 0);
    expect(read()).toBeLessThan(500);
    // Left before it was asked for: nothing begins.
    const at = read();
    await pollUpdates(follow, asked);
    await settle();
    expect([tails(), read() - at]).toEqual([0, 0]);
    stop();
  });
});

test("a user has so much of the log read in a minute, is told when there is more, and nobody else pays for it", () => {
  let ms = 0;
  const budget = makeReplayBudget({ records: 600, now: () => new Date(ms) });
  const bob = "0192f0a0-0000-7000-8000-00000000000b";
  const admitted = (userId: string) => {
    try {
      budget.admit(userId);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(Problem);
      return (error as Problem).extra.retryAfterSeconds;
    }
  };
  budget.charge(ada, 500);
  expect(admitted(ada)).toBe(true);
  budget.charge(ada, 500);
  expect(admitted(ada)).toBe(41);
  expect(admitted(bob)).toBe(true);
  // However much it was: they are let in again within two minutes.
  budget.charge(ada, 1e9);
  expect(admitted(ada)).toBe(61);
  ms += 61_000;
  expect(admitted(ada)).toBe(true);
  ms += 59_000;
  budget.charge(ada, 600);
  expect(admitted(ada)).toBe(1);
});
