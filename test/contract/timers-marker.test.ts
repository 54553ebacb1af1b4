import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { Db } from "../../shared/postgres/db.ts";
import { rememberMarker, watchMarker } from "../../shared/timers/watch-marker.ts";
import type { SeenMarker, Wakeups } from "../../shared/timers/wakeups.ts";
import { openTestDb } from "../support/database.ts";

let db: Db;
beforeAll(async () => {
  db = await openTestDb(8);
}, 60_000);
afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
}, 30_000);

let seen: SeenMarker;
let onRead: () => Promise<void>;
let afterRead: () => Promise<void>;
let onReplace: () => Promise<void>;
const marker: Wakeups["marker"] = {
  read: async () => {
    await onRead();
    const now = seen;
    await afterRead();
    return now;
  },
  replace: async (from, to) => {
    await onReplace();
    if (seen.value !== from) return false;
    seen = { ...seen, value: to };
    return true;
  },
};
const watch = () => watchMarker(db, "x", marker);
const age = (seconds: number) =>
  db.sql`update timer_markers set rotated_at = clock_timestamp() - ${seconds} * interval '1 s'`;
const makeStale = () => age(3_600);
/** Past the second in which a rotation may be under way, before the next one. */
const settle = () => age(2);
const row = async () => (await db.sql`select epoch::int as epoch, marker, next_marker as next from timer_markers`)[0];

beforeEach(async () => {
  await db.sql`truncate timer_markers`;
  seen = { value: null, server: "a" };
  onRead = afterRead = onReplace = async () => {};
  expect(await watch()).toBe(2); // a Redis nobody has filled yet is one that lost everything
  expect(await row()).toEqual({ epoch: 2, marker: seen.value, next: null });
  await settle();
});

test("an untouched Redis keeps its epoch, and its marker until it is rotated", async () => {
  const { value } = seen;
  expect([await watch(), await watch(), seen.value]).toEqual([2, 2, value]);
  await makeStale();
  expect(await watch()).toBe(2);
  expect(seen.value).not.toBe(value);
  expect(await row()).toEqual({ epoch: 2, marker: seen.value, next: null });
});

test("emptied, restored from before the rotation, or restarted: a new epoch each time, once", async () => {
  const old = seen.value;
  await makeStale();
  await watch();
  const losses: SeenMarker[] = [
    { value: null, server: "a" },
    { value: old, server: "a" },
  ];
  for (const [index, loss] of losses.entries()) {
    await settle();
    seen = loss;
    expect([await watch(), await watch()]).toEqual([3 + index, 3 + index]);
  }
  await settle();
  seen = { ...seen, server: "b" };
  expect([await watch(), await watch()]).toEqual([5, 5]);
});

test("a server that does not tell its run id is taken by its marker alone", async () => {
  seen = { ...seen, server: null };
  expect([await watch(), await watch()]).toEqual([2, 2]);
});

test("of many instances that see a loss, one raises the epoch and all learn it", async () => {
  seen = { value: null, server: "a" };
  const [count, all] = [{ read: 0 }, Promise.withResolvers<void>()];
  afterRead = async () => {
    if (++count.read === 8) all.resolve();
    await all.promise;
  };
  expect(Math.max(...(await Promise.all(Array.from({ length: 8 }, watch))))).toBe(3);
  afterRead = async () => {};
  expect([await watch(), (await row())?.["epoch"]]).toEqual([3, 3]);
});

test("a loss right after a rotation is seen a second later: the one who rotates may be about to write", async () => {
  await age(0.2);
  seen = { value: null, server: "a" };
  expect(await watch()).toBe(2);
  await settle();
  expect(await watch()).toBe(3);
});

test("a loss in the middle of a rotation is seen like any other", async () => {
  await makeStale();
  onReplace = async () => {
    onReplace = async () => {};
    seen = { ...seen, value: null };
  };
  expect(await watch()).toBe(2);
  await settle();
  expect([await watch(), await watch()]).toEqual([3, 3]);
});

test("one who rotates so slowly that another has done it meanwhile writes nothing over", async () => {
  await makeStale();
  onReplace = async () => {
    onReplace = async () => {};
    await makeStale();
    await watch();
    expect(await row()).toEqual({ epoch: 2, marker: seen.value, next: null });
  };
  expect(await watch()).toBe(2);
  await settle();
  expect([await watch(), await row()]).toEqual([2, { epoch: 2, marker: seen.value, next: null }]);
});

test("a rotation by another instance between the reads is no loss, on whichever side of the marker's", async () => {
  for (const when of ["before", "after"]) {
    await makeStale();
    const rotate = async () => {
      onRead = afterRead = async () => {};
      await watch();
      // The marker that was read is not known any more, and nobody may be about to write it.
      await settle();
    };
    if (when === "before") onRead = rotate;
    else afterRead = rotate;
    expect(await watch()).toBe(2);
    expect((await row())?.["epoch"]).toBe(2);
  }
});

test("a rotation cut off before or after it reached Redis is no loss", async () => {
  for (const reached of [false, true]) {
    await makeStale();
    onReplace = async () => {
      if (reached) seen = { ...seen, value: String((await row())?.["next"]) };
      throw new Error("killed");
    };
    await expect(watch()).rejects.toThrow("killed");
    onReplace = async () => {};
    await settle();
    expect(await watch()).toBe(2);
    await makeStale();
    expect(await watch()).toBe(2);
    expect(await row()).toEqual({ epoch: 2, marker: seen.value, next: null });
  }
});

test("a marker that is as it was costs no statement until it is to be rotated; another one, or another server, is looked at", async () => {
  let statements = 0;
  const counting = new Proxy(db.sql, {
    apply: (target, self, args) => (statements++, Reflect.apply(target, self, args)),
  });
  let now = 0;
  const look = rememberMarker({ sql: counting }, "x", marker, () => now);
  const statementsOf = async () => {
    statements = 0;
    await look();
    return statements;
  };
  const epoch = await look();
  await settle();
  await look();
  expect(await statementsOf()).toBe(0);
  now = 10_001;
  expect(await statementsOf()).toBeGreaterThan(0);
  await settle();
  await look();
  expect(await statementsOf()).toBe(0);
  seen = { ...seen, server: "another" };
  expect(await look()).toBe(epoch + 1);
  await settle();
  await look();
  seen = { ...seen, value: null };
  expect(await look()).toBe(epoch + 2);
});
