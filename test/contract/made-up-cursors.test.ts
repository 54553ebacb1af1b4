import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { decodeCursor, encodeCursor, placeParts } from "../../shared/http/cursor.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { z } from "zod";
import { listNotifications } from "../../workers/notification-service/http/list-notifications.ts";
import { listSeries } from "../../workers/recurring-task-worker/list-series.ts";
import { listReminders } from "../../workers/reminder-service/list-reminders.ts";
import { listTasks } from "../../workers/task-service/read-tasks.ts";
import { openTestDb } from "../support/database.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

describe.skipIf(!url)("cursors that were made up (needs DATABASE_URL)", () => {
  let db: Db;
  beforeAll(async () => {
    db = await openTestDb(2);
  }, 60_000);
  afterAll(async () => db?.[Symbol.asyncDispose](), 30_000);

  const userId = Bun.randomUUIDv7();
  const page = { userId, limit: 5 };
  const atMs = z.tuple([placeParts.ms, placeParts.id]);
  type List = Readonly<{
    name: string;
    read: (cursor: string) => Promise<unknown>;
    place: (time: Date) => string | number;
  }>;
  const lists: readonly List[] = [
    {
      name: "notifications",
      read: (cursor) =>
        listNotifications(db.sql, {
          ...page,
          cursor,
          status: null,
          channel: null,
          unread: null,
          createdAfter: null,
          createdBefore: null,
          withTask: false,
        }),
      place: (time) => time.toISOString(),
    },
    {
      name: "series",
      read: (cursor) => listSeries(db.sql, { ...page, cursor }),
      place: (time) => time.toISOString(),
    },
    {
      name: "reminders//",
      read: (cursor) => listReminders(db.sql, { ...page, cursor, status: null, taskId: null }),
      place: (time) => time.toISOString(),
    },
    {
      name: "tasks all false",
      read: async (cursor) => {
        const [ms, id] = decodeCursor("tasks all false", cursor, atMs);
        const after = { createdAt: new Date(ms), id };
        return listTasks(db)({ userId, status: "all", templates: false, after, limit: 5 });
      },
      place: (time) => time.getTime(),
    },
  ];
  const id = Bun.randomUUIDv7();

  test.each(lists)("$name: whatever is taken, the database can compare", async ({ name, read, place }) => {
    for (const time of ["1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
      await read(encodeCursor(name, [place(new Date(time)), id]));
  });

  test.each(lists)("$name: what it cannot compare is a mistake of the one who asks", async ({ name, read }) => {
    const times = [
      "0000-01-01T00:00:00.000Z",
      "0000-01-01T00:00:00Z",
      "2026-01-01T23:59:60.000Z",
      9_007_199_254_740_991,
      -1e15,
      null,
    ];
    const cursors = [
      ...times.map((time) => encodeCursor(name, [time as string, id])),
      encodeCursor(name, ["2026-01-01T00:00:00.000Z", "\0"]),
      encodeCursor(name, [1, "{}"]),
      encodeCursor(name, []),
    ];
    for (const cursor of cursors)
      await expect((async () => read(cursor))()).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  });
});
