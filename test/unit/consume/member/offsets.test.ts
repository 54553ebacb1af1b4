import { expect, test } from "bun:test";
import { assert, property, shuffledSubarray } from "../../../support/fast-check.ts";
import { makeOffsets } from "../../../../shared/consume/member/offsets.ts";

const at = { topic: "t", partition: 0 };

function setup(committed = 10n) {
  let finishes = 0;
  const offsets = makeOffsets(() => {
    finishes += 1;
  });
  offsets.acquire({ ...at, committed });
  return { offsets, finishes: () => finishes };
}

test("only what is finished without a hole before it may be committed", () => {
  const { offsets } = setup();
  const [first, second, third] = [10n, 11n, 12n].map((offset) => offsets.track(at, offset));
  third?.finish();
  second?.finish();
  expect(offsets.due()).toEqual([]);
  first?.finish();
  expect(offsets.due()).toEqual([{ ...at, offset: 13n }]);
  expect(offsets.behind()).toBe(3);
});

test("what is committed is due no more", () => {
  const { offsets, finishes } = setup();
  offsets.track(at, 10n).finish();
  const due = offsets.due();
  offsets.track(at, 11n).finish();
  offsets.committed(due);
  expect(offsets.due()).toEqual([{ ...at, offset: 12n }]);
  expect(offsets.behind()).toBe(1);
  expect(finishes()).toBe(2);
});

test("a lost partition is not committed, even when what ran of it finishes", () => {
  const { offsets } = setup();
  const running = offsets.track(at, 10n);
  offsets.lose(at);
  running.finish();
  expect(offsets.due()).toEqual([]);
  expect(running.isOwned()).toBe(false);
  expect(() => offsets.track(at, 11n)).toThrow("not owned");
});

test("what ran before a partition was lost does not move it once it is back", () => {
  const { offsets } = setup();
  const old = offsets.track(at, 10n);
  offsets.lose(at);
  offsets.acquire({ ...at, committed: 10n });
  old.finish();
  expect(offsets.due()).toEqual([]);
  offsets.track(at, 10n).finish();
  expect(offsets.due()).toEqual([{ ...at, offset: 11n }]);
});

test("in whatever order records finish, the commit is the first unfinished one", () => {
  assert(
    property(shuffledSubarray([...Array(12).keys()]), (finished) => {
      const { offsets } = setup(0n);
      const tracked = Array.from({ length: 12 }, (_, n) => offsets.track(at, BigInt(n)));
      for (const n of finished) tracked[n]?.finish();
      const first = Array.from({ length: 13 }, (_, n) => n).find((n) => !finished.includes(n)) ?? 0;
      expect(offsets.positions()).toEqual([{ ...at, offset: BigInt(first) }]);
    }),
  );
});

test("a commit says who led the log when the record before it was written, over holes, and as long as that is known", () => {
  const { offsets } = setup();
  const epochs = () => offsets.due().map(({ offset, leaderEpoch }) => [offset, leaderEpoch]);
  offsets.acquire({ ...at, committed: 10n, leaderEpoch: 3 });
  offsets.pass(at, 10n, 12n);
  expect(epochs()).toEqual([[12n, 3]]);
  const [first, second, third] = [12n, 13n, 14n].map((offset) =>
    offsets.track({ ...at, leaderEpoch: offset < 14n ? 4 : 6 }, offset),
  );
  third?.finish();
  second?.finish();
  expect(epochs()).toEqual([[12n, 3]]);
  const early = offsets.due();
  first?.finish();
  expect(epochs()).toEqual([[15n, 6]]);
  // What is stored may lag behind what is finished; its epoch is that of its own place.
  offsets.stored([{ ...at, offset: 14n }]);
  offsets.committed(early);
  expect(offsets.storedDue()).toEqual([{ ...at, offset: 14n, leaderEpoch: 4 }]);
  offsets.committed([{ ...at, offset: 14n }]);
  offsets.stored([{ ...at, offset: 15n }]);
  expect(offsets.storedDue()).toEqual([{ ...at, offset: 15n, leaderEpoch: 6 }]);
  offsets.committed([{ ...at, offset: 15n }]);
  offsets.track(at, 15n).finish();
  expect(offsets.due()).toEqual([{ ...at, offset: 16n }]);
});

test("a partition's head is the record it waits for, in the lane of that, until it is finished", () => {
  const { offsets, finishes } = setup();
  expect(offsets.heads()).toEqual([{ ...at, offset: 10n, lane: null }]);
  const [first, second] = [offsets.track(at, 10n, "one"), offsets.track(at, 11n, "two")];
  expect([first.isOwned(), offsets.isOwned(at)]).toEqual([true, true]);
  expect(offsets.heads()).toEqual([{ ...at, offset: 10n, lane: "one" }]);
  first.finish();
  expect(offsets.heads()).toEqual([{ ...at, offset: 11n, lane: "two" }]);
  second.finish();
  expect(offsets.heads()).toEqual([{ ...at, offset: 12n, lane: null }]);
  expect([...offsets.headAges()]).toEqual([{ at, ms: 0 }]);
  // A record that is finished late is not the head of what comes under its offset in another life of the partition.
  offsets.lose(at);
  offsets.acquire({ ...at, committed: 11n });
  expect(offsets.heads()).toEqual([{ ...at, offset: 11n, lane: null }]);
  expect(finishes()).toBe(2);
});

test("a hole is told of like a finish, and what is no hole is none", () => {
  const { offsets, finishes } = setup();
  offsets.pass(at, 10n, 10n);
  offsets.pass(at, 10n, 9n);
  offsets.pass({ ...at, partition: 7 }, 10n, 12n);
  expect([offsets.behind(), finishes()]).toEqual([0, 0]);
  offsets.pass(at, 10n, 12n);
  expect([offsets.behind(), finishes()]).toEqual([2, 1]);
});

test("what is committed or stored goes back for nothing that comes late", () => {
  const { offsets } = setup();
  for (const offset of [10n, 11n, 12n]) offsets.track({ ...at, leaderEpoch: 0 }, offset).finish();
  offsets.stored([{ ...at, offset: 13n }]);
  offsets.stored([{ ...at, offset: 11n }]);
  // The first leader of all has epoch 0.
  expect(offsets.storedDue()).toEqual([{ ...at, offset: 13n, leaderEpoch: 0 }]);
  offsets.committed([{ ...at, offset: 13n }]);
  offsets.committed([{ ...at, offset: 11n }]);
  offsets.committed([{ ...at, partition: 7, offset: 11n }]);
  expect([offsets.due(), offsets.storedDue(), offsets.behind()]).toEqual([[], [], 0]);
});
