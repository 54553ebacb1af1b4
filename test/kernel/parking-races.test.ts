import { expect, setDefaultTimeout, spyOn, test } from "bun:test";
import type { Db } from "../../shared/postgres/db.ts";
import { inboxEntryOf } from "../../shared/consume/dead-letters/dead-letter.ts";
import { changeFate } from "../../shared/consume/inbox.ts";
import { workParkedKey } from "../../shared/consume/parking/work-parked-key.ts";
import { topic } from "../support/consumer-world.ts";
import { fetched, held, isInUse, kernelParts, someoneWaits } from "../support/kernel-parts.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(40_000);

test("a message that is twice in one batch has its effect once, where it stands first", async () => {
  await using kernel = await kernelParts();
  const [first, second] = [fetched(1), fetched(2)];
  const { handled, parked } = await kernel.batch(first, second, first, { ...second, offset: 9n });
  expect([...handled].map(({ offset }) => offset)).toEqual([1n, 2n]);
  expect(parked.size).toBe(0);
  expect(await kernel.numbers()).toEqual([1, 2]);
});

test("a batch that waited for a former owner's parking queues behind it", async () => {
  await using one = await kernelParts();
  const [first, second] = [fetched(1), fetched(2)];
  const go = Promise.withResolvers<void>();
  const parking = one.park(first, held(one.world.db, go.promise));
  await until("the inbox row", () => isInUse(one.world.db.sql, "parked_messages"));
  const handled = one.batch(first, second);
  await until("the batch to wait", () => someoneWaits(one.world.db.sql));
  go.resolve();
  await parking;
  expect([(await handled).handled.size, (await handled).parked.size]).toEqual([0, 1]);
  expect(await one.numbers()).toEqual([]);
  expect((await one.world.parked()).length).toBe(2);
});

test("a message queued while the worker was about to take the lock is neither passed over nor orphaned", async () => {
  await using one = await kernelParts();
  await one.park(fetched(1), one.world.db, 0);
  let queued = false;
  /** Just before the lock is asked for, a batch queues one more. */
  const interrupted: Pick<Db, "transaction"> = {
    transaction: (work, options) =>
      one.world.db.transaction((tx) => {
        const slow = new Proxy(tx, {
          apply: (target, self, args: readonly unknown[]) => {
            const send = () => Reflect.apply(target as (...given: readonly unknown[]) => unknown, self, args);
            if (queued || !String((args[0] as readonly string[]).join("?")).includes("skip locked")) return send();
            queued = true;
            return one.batch(fetched(2)).then(send);
          },
        });
        return work(slow);
      }, options),
  };
  const visit = await workParkedKey({ ...one.handling, db: interrupted }, { topic, key: "k" });
  expect(queued).toBe(true);
  expect([visit.done.length, visit.released]).toEqual([2, true]);
  expect(await one.numbers()).toEqual([1, 2]);
  expect(await one.world.db.sql`select from parked_messages`).toHaveLength(0);
});

test("a batch that meets a key being worked waits for it, and goes on in order when it is released", async () => {
  await using one = await kernelParts();
  await one.park(fetched(1), one.world.db, 0);
  const go = Promise.withResolvers<void>();
  const visit = workParkedKey({ ...one.handling, db: held(one.world.db, go.promise) }, { topic, key: "k" });
  await until(
    "the lock",
    async () => (await one.world.db.sql`select from parked_keys for update skip locked`).length === 0,
  );
  const batch = one.batch(fetched(2));
  await until("the batch to wait", () => someoneWaits(one.world.db.sql));
  go.resolve();
  expect((await visit).released).toBe(true);
  expect((await batch).handled.size).toBe(1);
  expect(await one.numbers()).toEqual([1, 2]);
});

test("of two workers of one key one works it and the other leaves it alone", async () => {
  await using one = await kernelParts();
  await one.park(fetched(1), one.world.db, 0);
  const visits = await Promise.all([1, 2, 3].map(() => workParkedKey(one.handling, { topic, key: "k" })));
  expect(visits.map(({ done }) => done.length).toSorted()).toEqual([0, 0, 1]);
  expect(await one.numbers()).toEqual([1]);
});

test("a parked message whose fate another has sealed leaves the queue without an effect, and its fate stays", async () => {
  await using one = await kernelParts();
  const [first, second] = [fetched(1), fetched(2)];
  await one.park(first, one.world.db, 0);
  await one.batch(second);
  // As of a redrive of an older copy of it, say: whatever it was, it is done.
  await one.world.db.sql`update inbox set fate = 'done' where message_id = ${inboxEntryOf(first).id}`;
  const visit = await workParkedKey(one.handling, { topic, key: "k" });
  expect([visit.failed, visit.released]).toEqual([null, true]);
  expect(await one.numbers()).toEqual([2]);
  expect(await one.world.parked()).toHaveLength(0);
  const seal = (from: "parked" | "dead") =>
    one.world.db.transaction((tx) =>
      changeFate(tx, one.handling.epoch, { from, to: "dead" }, [first, second].map(inboxEntryOf)),
    );
  expect([(await seal("parked")).size, (await seal("dead")).size]).toEqual([0, 0]);
});

test("a key with more than one page behind it is released when the last message is done, and none is orphaned", async () => {
  await using one = await kernelParts();
  const all = Array.from({ length: 60 }, (_, n) => fetched(n + 1));
  const [first, ...rest] = all;
  if (first === undefined) throw new Error("no messages");
  await one.park(first, one.world.db, 0);
  await one.batch(...rest);
  // No visit ends for having taken too long: so one takes a whole page.
  const clock = spyOn(performance, "now").mockReturnValue(0);
  try {
    const pages = [];
    for (let released = false; !released && pages.length < 5;) {
      const visit = await workParkedKey(one.handling, { topic, key: "k" });
      pages.push(visit.done.length);
      ({ released } = visit);
    }
    expect(pages).toEqual([50, 10]);
  } finally {
    clock.mockRestore();
  }
  expect(await one.numbers()).toEqual(all.map((_, n) => n + 1));
  expect(await one.world.parked()).toHaveLength(0);
});
