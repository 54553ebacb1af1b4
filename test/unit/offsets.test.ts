import { expect, test } from "bun:test";
import { assert, property, shuffledSubarray } from "fast-check";
import { makeOffsets } from "../../shared/consume/offsets.ts";

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
