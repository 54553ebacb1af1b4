import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Db } from "../../shared/postgres/db.ts";
import { openTestDb } from "../support/database.ts";
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
});
