import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Db } from "../../shared/postgres/db.ts";
import { openTestDb } from "../support/database.ts";
import { until } from "../support/until.ts";
import { readToldFloor } from "../../shared/postgres/told-floor.ts";
import { loadViews, saveViews } from "../../workers/task-update-broadcaster/store-views.ts";
import type { View } from "../../workers/task-update-broadcaster/fold-view.ts";

const ada = "0192f0a0-0000-7000-8000-00000000000a";
const milk = "0192f0a0-0000-7000-8000-000000000001";
const bread = "0192f0a0-0000-7000-8000-000000000002";
const view = (taskId: string, viewVersion: number, title: string | null): View => ({
  taskId,
  userId: ada,
  folded:
    title === null
      ? null
      : { id: taskId, user_id: ada, version: 1, fields: { title: { value: title, version: 1, time: 0 } } },
  reminders: { bell: { user_id: ada, version: 1, fields: {} } },
  viewVersion,
});

describe("views in Postgres", () => {
  let db: Db;
  beforeAll(async () => {
    db = await openTestDb(4);
  });
  afterAll(async () => {
    await db[Symbol.asyncDispose]();
  });

  test("versions are told above what may have been told before the database went back in time", async () => {
    const floor = () => db.transaction((tx) => readToldFloor(tx));
    expect(await floor()).toBe(0);
    await db.sql`update database_history set timeline = '0000FFFF'`;
    expect(await floor()).toBe(1_000_000_000);
    await db.sql`update database_history set timeline = database_timeline()`;
  });

  test("a batch of new and known views is written at once and read back as it was", async () => {
    const first = [view(milk, 1, `"quoted", {braced}, \\ and ünïcode`), view(bread, 0, null)];
    await db.transaction((tx) => saveViews(tx, first, new Map()));
    const read = await db.transaction((tx) => loadViews(tx, [milk, bread, ada]));
    expect([...read.values()]).toEqual(first);
    const second = [view(milk, 2, "b")];
    await db.transaction((tx) => saveViews(tx, second, read));
    expect((await db.transaction((tx) => loadViews(tx, [milk]))).get(milk)).toEqual(view(milk, 2, "b"));
  });

  test("of two that make the same row at once, the second is refused with a code that says: run it again", async () => {
    const other = "0192f0a0-0000-7000-8000-000000000003";
    const inserted = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const first = db.transaction(async (tx) => {
      await saveViews(tx, [view(other, 1, "first")], await loadViews(tx, [other]));
      inserted.resolve();
      await mayCommit.promise;
    });
    await inserted.promise;
    const loaded = Promise.withResolvers<void>();
    const second = db.transaction(async (tx) => {
      const found = await loadViews(tx, [other]);
      loaded.resolve();
      await saveViews(tx, [view(other, 1, "second")], found);
    });
    const refused = second.then(
      () => null,
      (error: unknown) => error,
    );
    await loaded.promise;
    mayCommit.resolve();
    await first;
    expect(await refused).toMatchObject({ code: "40001" });
    expect((await db.transaction((tx) => loadViews(tx, [other]))).get(other)).toEqual(view(other, 1, "first"));
  });

  test("two instances with events of one task see each other's view: the second waits, and no update is lost", async () => {
    const task = "0192f0a0-0000-7000-8000-000000000004";
    await db.transaction((tx) => saveViews(tx, [view(task, 1, "before")], new Map()));
    const loaded = Promise.withResolvers<void>();
    const mayGo = Promise.withResolvers<void>();
    const raise = async (wait: Promise<void>) =>
      db.transaction(async (tx) => {
        const found = await loadViews(tx, [task]);
        loaded.resolve();
        await wait;
        const version = (found.get(task)?.viewVersion ?? 0) + 1;
        await saveViews(tx, [view(task, version, `version ${version}`)], found);
      });
    const first = raise(mayGo.promise);
    await loaded.promise;
    let isThrough = false;
    const second = raise(Promise.resolve()).finally(() => (isThrough = true));
    await until("the second waits or is through", async () => isThrough || (await waitingForLocks(db)) > 0);
    mayGo.resolve();
    await Promise.all([first, second]);
    expect((await db.transaction((tx) => loadViews(tx, [task]))).get(task)?.viewVersion).toBe(3);
  });

  test("views are locked from the lowest id on, whatever the order asked for and the order they were written in", async () => {
    // Written from the last to the first, so that the order of the table is not that of the ids.
    const ids = Array.from({ length: 20 }, (_, n) => `0192f0a0-0000-7000-8000-0000000001${String(n).padStart(2, "0")}`);
    for (const id of ids.toReversed())
      await db.transaction((tx) => saveViews(tx, [view(id, 1, "one of many")], new Map()));
    const mayGo = Promise.withResolvers<void>();
    const isHeld = Promise.withResolvers<void>();
    const holder = db.transaction(async (tx) => {
      await loadViews(tx, ids.slice(0, 1));
      isHeld.resolve();
      await mayGo.promise;
    });
    await isHeld.promise;
    const waiter = db.transaction((tx) => loadViews(tx, ids.toReversed()));
    await until("it waits for a lock", async () => (await waitingForLocks(db)) > 0);
    const free = await db.transaction(
      (tx) => tx`select task_id from task_views where task_id = any(${ids.slice(1)}::uuid[]) for update skip locked`,
    );
    mayGo.resolve();
    await Promise.all([holder, waiter]);
    expect(free.map(({ task_id }) => String(task_id)).toSorted()).toEqual(ids.slice(1));
  });
});

/** How many statements of the test's database wait for a lock. */
async function waitingForLocks({ sql }: Db): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return row?.count ?? 0;
}
