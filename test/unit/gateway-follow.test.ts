import { expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Broker, Fetched } from "../../shared/broker.ts";
import { makeLog } from "../../shared/log.ts";
import { partitionOf } from "../../shared/kafka/partition.ts";
import { makeFollow, type Following } from "../../workers/ui-gateway/follow.ts";
import { makeHub } from "../../workers/ui-gateway/hub.ts";
import { makeReadLog } from "../../workers/ui-gateway/read-log.ts";
import type { Frame } from "../../workers/ui-gateway/update-frame.ts";

const ada = "0192f0a0-0000-7000-8000-00000000000a";
const home = partitionOf(ada, 6);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A log of one partition that grows, a hub that follows it, and the log's own slow reader, all at the pace of `dice`. */
function world(dice: () => number, ringRecords: number, isAdas: (offset: number) => boolean) {
  const stop = new AbortController();
  let length = 0;
  const frameAt = (offset: number): Frame => ({
    partition: home,
    offset: BigInt(offset),
    userId: isAdas(offset) ? ada : "another",
    taskId: `task ${offset}`,
    sequence: 1,
    bytes: new Uint8Array(20_000),
    json: { start: 0, end: 0 },
  });
  const tail: Broker["tail"] = async function* ({ from, signal }) {
    let next = Number(from.get(home));
    while (!signal.aborted) {
      await turn();
      const end = Math.min(length, next + 1 + Math.floor(dice() * 5));
      // The fake reader below looks at the offset alone.
      if (end > next) yield Array.from({ length: end - next }, (_, i) => ({ offset: BigInt(next + i) }) as Fetched);
      next = Math.max(next, end);
    }
  };
  const hub = makeHub({ ring: { maxRecords: ringRecords, maxBytes: 1e9 }, countDropped: () => {} });
  const log = makeLog({}, "error");
  const readFrame = ({ offset }: Fetched) => Promise.resolve(frameAt(Number(offset)));
  const readLog = makeReadLog({ tail, readFrame, epoch: hub.epoch, log, signal: stop.signal });
  const offsets = (_: string, at: "start" | "end") =>
    Promise.resolve(new Map([[home, BigInt(at === "end" ? length : 0)]]));
  const follow = makeFollow({ hub, readLog, admin: { offsets }, maxReplay: 10_000n });
  const restart = (at: number) => {
    hub.restart("e", new Map(Array.from({ length: 6 }, (_, partition) => [partition, BigInt(at)])), "gap");
    hub.setLive();
  };
  return {
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
        const clients: { after: number; seen: number[]; following: Following }[] = [];
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
        for (let i = 0; i < 5_000 && clients.some(({ following }) => following.cursor() === null); i++) await turn();
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
  for (let i = 0; i < 200 && cursors.length === 0; i++) await turn();
  expect([seen.at(-1), cursors, following.cursor()]).toEqual([60, [null], null]);
  feed(20);
  expect(seen).toEqual(Array.from({ length: 59 }, (_, i) => i + 11));
  expect(following.cursor()).toBe(`e.${home}.69`);
  stop();
});
