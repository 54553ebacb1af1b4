import { expect, test } from "bun:test";
import type { Commit, PartitionOffset } from "../../../../shared/messages/broker.ts";
import { makeCommitter } from "../../../../shared/consume/member/committer.ts";
import { makeOffsets } from "../../../../shared/consume/member/offsets.ts";

const at = { topic: "task-events", partition: 0 } as const;

/** One owned partition, and what was stored and committed of it, in order. `hold` keeps the next store waiting. */
function setup({ everyMs = 1 } = {}) {
  const steps: string[] = [];
  const offsets = makeOffsets();
  let mayCommit = true;
  let held = Promise.resolve();
  let failure: Error | null = null;
  const failures: unknown[] = [];
  const committer = makeCommitter({
    offsets,
    everyMs,
    store: async (due: readonly PartitionOffset[]) => {
      await held;
      if (failure !== null) throw failure;
      steps.push(`store ${due.map(({ offset }) => offset).join()}`);
    },
    send: async (due: readonly Commit[]) => void steps.push(`commit ${due.map(({ offset }) => offset).join()}`),
    mayCommit: () => mayCommit,
    failed: (error) => void failures.push(error),
  });
  offsets.acquire({ ...at, committed: 0n });
  return {
    steps,
    offsets,
    committer,
    failures,
    finish: (offset: bigint) => offsets.track(at, offset).finish(),
    forbid: () => (mayCommit = false),
    fail: (error: Error | null) => (failure = error),
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
  };
}

/** What `soon` has begun, with its timer, is over. */
const settle = () => Bun.sleep(20);

test("what is settled is stored, then committed", async () => {
  const { steps, committer, finish } = setup();
  finish(0n);
  finish(1n);
  committer.soon();
  await settle();
  expect(steps).toEqual(["store 2", "commit 2"]);
  await committer.commit();
  expect(steps).toHaveLength(2);
});

test("in a rebalance only what is stored is committed", async () => {
  const { steps, committer, finish, hold } = setup();
  finish(0n);
  committer.soon();
  await settle();
  finish(1n);
  const go = hold();
  committer.soon();
  await settle();
  finish(2n);
  await committer.commitStored();
  expect(steps).toEqual(["store 1", "commit 1"]);
  go();
  committer.stop();
  await settle();
});

test("what was stored when a rebalance had begun is not committed", async () => {
  const { steps, committer, finish, hold, forbid } = setup();
  const go = hold();
  finish(0n);
  committer.soon();
  await settle();
  forbid();
  go();
  await settle();
  expect(steps).toEqual(["store 1"]);
});

test("what was lost while it was stored is not committed", async () => {
  const { steps, committer, offsets, finish, hold } = setup();
  const go = hold();
  finish(0n);
  const last = committer.commit();
  offsets.lose(at);
  go();
  await last;
  expect(steps).toEqual(["store 1"]);
});

test("what came back at an earlier offset while it was stored is committed no further than it has got", async () => {
  const { steps, committer, offsets, finish, hold } = setup();
  const go = hold();
  finish(0n);
  finish(1n);
  committer.soon();
  await settle();
  offsets.lose(at);
  offsets.acquire({ ...at, committed: 0n });
  go();
  await settle();
  expect(steps.filter((step) => step.startsWith("commit"))).toEqual([]);
  finish(0n);
  committer.soon();
  await settle();
  expect(steps.at(-1)).toBe("commit 1");
});

test("what could not be stored is not committed, is told of, and is tried again", async () => {
  const { steps, committer, failures, finish, fail } = setup();
  fail(new Error("no"));
  finish(0n);
  committer.soon();
  await settle();
  expect(steps).toEqual([]);
  expect(failures.length).toBeGreaterThan(0);
  fail(null);
  await settle();
  expect(steps).toEqual(["store 1", "commit 1"]);
});

test("the age of what is not committed counts from when all was", async () => {
  const { committer, finish } = setup();
  expect(committer.ageMs()).toBe(0);
  finish(0n);
  await Bun.sleep(5);
  expect(committer.ageMs()).toBeGreaterThan(0);
  await committer.commit();
  expect(committer.ageMs()).toBe(0);
});

test("one store is under way at a time, and what is settled meanwhile follows it", async () => {
  const { steps, committer, finish, hold } = setup();
  const go = hold();
  finish(0n);
  committer.soon();
  await settle();
  finish(1n);
  committer.soon();
  await settle();
  expect(steps).toEqual([]);
  go();
  await settle();
  expect(steps).toEqual(["store 1", "commit 1", "store 2", "commit 2"]);
  expect(committer.ageMs()).toBe(0);
});

test("with nothing settled, or while nothing may be committed, nothing is begun", async () => {
  const { steps, committer, finish, forbid } = setup();
  committer.soon();
  await settle();
  forbid();
  finish(0n);
  committer.soon();
  await settle();
  expect(steps).toEqual([]);
});

test("500 records are committed without waiting for the time", async () => {
  const { steps, committer, finish } = setup({ everyMs: 3_600_000 });
  for (let n = 0; n < 499; n++) finish(BigInt(n));
  committer.soon();
  await settle();
  expect(steps).toEqual([]);
  finish(499n);
  committer.soon();
  await settle();
  expect(steps).toEqual(["store 500", "commit 500"]);
  committer.stop();
});
