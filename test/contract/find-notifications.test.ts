import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openNotificationWorld, triggered, type NotificationWorld } from "./notification-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

describe.skipIf(!url)("finding notifications (needs DATABASE_URL)", () => {
  let world: NotificationWorld;
  beforeAll(async () => {
    world = await openNotificationWorld();
  }, 60_000);
  afterAll(async () => world?.[Symbol.asyncDispose](), 30_000);

  type Item = Readonly<{ id: string; task?: unknown; task_id: string | null; reminders: readonly Item[] }>;
  type Page = Readonly<{
    items: readonly Item[];
    next_cursor: string | null;
    errors?: readonly Readonly<{ path: string; message: string }>[];
  }>;
  const get = async <T = Page>(userId: string, path: string) => {
    const answer = await world.appFor(userId).request(`/v1/notifications${path}`);
    return { status: answer.status, body: (await answer.json()) as T };
  };
  const idsOf = async (userId: string, filters: Record<string, string>) =>
    (await get(userId, `?${new URLSearchParams(filters).toString()}`)).body.items.map(({ id }) => id);
  const refused = async (userId: string, filters: string) => {
    const { status, body } = await get(userId, `?${filters}`);
    return [status, body.errors?.map(({ path, message }) => `${path} ${message}`).join()];
  };
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

  /** A user with so many notifications in the app, a second after one another from `at(0)`; the newest first. */
  const notified = async (count: number): Promise<Readonly<{ userId: string; ids: readonly string[] }>> => {
    const userId = await world.newUser({ channels: [{ type: "in-app" }] });
    for (let n = 0; n < count; n++) await world.hear(triggered({ userId }));
    await world.db.sql`
      update deliveries set created_at = ${at(0)}::timestamptz + place * interval '1 second'
      from (select id as of, row_number() over (order by id) - 1 as place from deliveries where user_id = ${userId}) places
      where id = of`;
    return { userId, ids: await idsOf(userId, {}) };
  };
  const addTask = async (id: string, userId: string, title = "Water the plants") =>
    await world.db.sql`
      insert into tasks (id, user_id, title, created_at, updated_at, due_on, tags) values (${id}, ${userId}, ${title}, now(), now(), '2026-02-01', '{home}')`;

  test("of a time begin with created_after and end before created_before, in any zone's spelling", async () => {
    const { userId, ids } = await notified(3);
    const [third, second, first] = ids;
    expect(await idsOf(userId, { created_after: at(0), created_before: at(2) })).toEqual([second ?? "", first ?? ""]);
    expect(await idsOf(userId, { created_after: at(1) })).toEqual([third ?? "", second ?? ""]);
    expect(await idsOf(userId, { created_before: at(0.001) })).toEqual([first ?? ""]);
    expect(await idsOf(userId, { created_after: "2026-01-01T02:00:02+02:00", unread: "true" })).toEqual([third ?? ""]);
    expect(await idsOf(Bun.randomUUIDv7(), { created_after: at(0) })).toEqual([]);
  });

  test.each([
    [`created_after=${at(1)}&created_before=${at(1)}`, "query.created_before is not after created_after"],
    [`created_after=${at(1)}&created_before=${at(0)}`, "query.created_before is not after created_after"],
    ["created_after=2026-01-01", "query.created_after is not an RFC 3339 time with an offset"],
    [`created_before=${at(1)}&created_before=${at(2)}`, "query.created_before is given more than once"],
    ["expand=reminder", "query.expand "],
    ["created_since=1", "query.created_since is not a field here"],
  ])("asked for with %s are refused, and the mistake is named", async (filters, mistake) => {
    expect(await refused(Bun.randomUUIDv7(), filters)).toEqual([422, expect.stringContaining(mistake)]);
  });

  test("go on with the same filters alone", async () => {
    const { userId, ids } = await notified(3);
    const filters = { created_after: at(0), created_before: at(9), channel: "in-app" };
    const first = (await get(userId, `?${new URLSearchParams({ ...filters, limit: "1" }).toString()}`)).body;
    const cursor = String(first.next_cursor);
    expect(await idsOf(userId, { ...filters, cursor, expand: "task" })).toEqual(ids.slice(1));
    for (const others of [
      {},
      { ...filters, created_after: at(1) },
      { ...filters, created_before: at(8) },
      { ...filters, channel: "email" },
      { ...filters, status: "delivered" },
      { ...filters, unread: "true" },
    ])
      expect(await refused(userId, new URLSearchParams({ ...others, cursor }).toString())).toEqual([
        422,
        expect.stringContaining("query.cursor"),
      ]);
  });

  test("have their task with expand=task, as it is now; null where there is none or it is another's", async () => {
    const userId = await world.newUser({ channels: [{ type: "in-app" }] });
    const [mine, foreign, none] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), Bun.randomUUIDv7()];
    await addTask(mine, userId, "Water the roses");
    await addTask(foreign, userId);
    for (const taskId of [none, foreign, mine]) await world.hear(triggered({ userId, taskId }));
    await world.db.sql`update tasks set user_id = ${Bun.randomUUIDv7()} where id = ${foreign}`;
    await world.db.sql`
      update tasks set status = 'completed', completed_at = ${at(0)}, deleted_at = ${at(1.5)} where id = ${mine}`;
    const task = {
      id: mine,
      title: "Water the roses",
      due_date: null,
      due_on: "2026-02-01",
      due_tz: null,
      priority: null,
      tags: ["home"],
      status: "completed",
      completed_at: at(0),
      deleted_at: at(1.5),
    };
    const { items } = (await get(userId, "?expand=task")).body;
    const shown = new Map(items.map((item) => [item.task_id, item]));
    expect([shown.get(mine)?.task, shown.get(foreign)?.task, shown.get(none)?.task]).toEqual([task, null, null]);
    expect(shown.get(mine)).toMatchObject({ title: "Water the plants" }); // as it was when it fired
    const one = shown.get(mine)?.id;
    expect((await get<Item>(userId, `/${one}?expand=task`)).body.task).toEqual(task);
    for (const path of ["", `/${one}`]) expect(JSON.stringify((await get(userId, path)).body)).not.toContain('"task":');
    expect((await get(userId, `/${one}?expand=all`)).body.errors).toMatchObject([{ path: "query.expand" }]);
    expect((await get(Bun.randomUUIDv7(), `/${one}?expand=task`)).status).toBe(404);
  });

  test("that are digests have the task of each reminder", async () => {
    const userId = await world.newUser({ channels: [{ type: "in-app" }] });
    const taskIds = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
    for (const taskId of taskIds) {
      await addTask(taskId, userId);
      await world.hear(triggered({ userId, taskId }));
    }
    const [{ id: digest } = { id: "" }] = await world.db.sql<{ id: string }[]>`
      insert into deliveries (id, event_id, channel, user_id, kind, triggered_at, status)
      values (gen_random_uuid(), gen_random_uuid(), 'in-app', ${userId}, 'digest', now(), 'delivered') returning id`;
    await world.db.sql`update deliveries set digest_id = ${digest} where user_id = ${userId} and kind = 'reminder'`;
    for (const item of [
      (await get(userId, "?expand=task")).body.items[0],
      (await get<Item>(userId, `/${digest}?expand=task`)).body,
    ]) {
      expect([item?.id, item?.task]).toEqual([digest, null]);
      expect(item?.reminders.map(({ task }) => task)).toMatchObject(taskIds.map((id) => ({ id, status: "open" })));
    }
    expect(JSON.stringify((await get(userId, "")).body)).not.toContain('"task":');
  });
});
