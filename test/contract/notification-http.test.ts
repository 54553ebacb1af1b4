import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openNotificationWorld, scripted, secret, triggered, type NotificationWorld } from "./notification-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

describe.skipIf(!url)("the routes of notifications (needs DATABASE_URL)", () => {
  let world: NotificationWorld;
  beforeAll(async () => {
    world = await openNotificationWorld();
  }, 60_000);
  afterAll(async () => world?.[Symbol.asyncDispose](), 30_000);

  const call = async (userId: string, method: string, path: string, headers: Record<string, string> = {}) => {
    const answer = await world.appFor(userId).request(`/v1/notifications${path}`, { method, headers });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };
  const idsOf = (body: { items: readonly { id: string }[] }) => body.items.map(({ id }) => id);
  const email = { type: "email", to: "ada@example.org" };

  test("those that were read, and those that were not, are two lists", async () => {
    const userId = Bun.randomUUIDv7();
    for (let n = 0; n < 2; n++) await world.hear(triggered({ userId }));
    const all = (await call(userId, "GET", "?channel=in-app")).body;
    const [first = ""] = idsOf(all);
    expect((await call(userId, "POST", `/${first}/read`)).status).toBe(200);
    const read = idsOf((await call(userId, "GET", "?unread=false")).body);
    const unread = idsOf((await call(userId, "GET", "?unread=true")).body);
    expect([read, read.length + unread.length, unread.includes(first)]).toEqual([[first], idsOf(all).length, false]);
  });

  test("a user sees their own notifications, newest first, page by page", async () => {
    const userId = Bun.randomUUIDv7();
    for (let n = 0; n < 3; n++) await world.hear(triggered({ userId }));
    await world.hear(triggered({ userId: Bun.randomUUIDv7() }));
    const { body: page } = await call(userId, "GET", "?limit=4");
    const { body: rest } = await call(userId, "GET", `?limit=4&cursor=${page.next_cursor}`);
    const items = [...page.items, ...rest.items];
    expect([items.length, new Set(items.map(({ id }) => id)).size, rest.next_cursor]).toEqual([6, 6, null]);
    const times = items.map(({ created_at }) => created_at);
    expect(times).toEqual(times.toSorted().toReversed());
    expect(items.find(({ channel }) => channel === "in-app")).toEqual({
      id: expect.any(String),
      kind: "reminder",
      channel: "in-app",
      target: null,
      status: "delivered",
      reason: null,
      reminder_id: expect.any(String),
      task_id: expect.any(String),
      title: "Water the plants",
      remind_at: expect.any(String),
      remind_at_local: expect.any(String),
      tz: "UTC",
      due_on: null,
      triggered_at: expect.any(String),
      late_by: null,
      due_at: expect.any(String),
      attempts: 0,
      possibly_duplicated: false,
      digest_id: null,
      fallback_of: null,
      reminders: [],
      reminder_count: 1,
      delivered_at: expect.any(String),
      read_at: null,
      created_at: expect.any(String),
    });
    expect((await call(userId, "GET", "?cursor=nonsense")).status).toBe(422);
  });

  test("filters: by status, by channel, unread ones", async () => {
    const userId = await world.newUser({
      channels: [{ type: "in-app" }, email],
      late: { policy: "drop", after: "PT1H" },
    });
    await world.hear(triggered({ userId }), triggered({ userId, lateSeconds: 7_200 }));
    const shown = async (query: string) =>
      (await call(userId, "GET", query)).body.items
        .map(({ channel, status }: { channel: string; status: string }) => `${channel} ${status}`)
        .toSorted();
    expect(await shown("")).toEqual(["email dropped", "email pending", "in-app delivered", "in-app dropped"]);
    expect(await shown("?status=pending")).toEqual(["email pending"]);
    expect(await shown("?status=dropped&channel=email")).toEqual(["email dropped"]);
    expect(await shown("?channel=in-app")).toEqual(["in-app delivered", "in-app dropped"]);
    expect(await shown("?unread=true")).toEqual(["in-app delivered"]);
    expect(await shown("?unread=true&channel=email")).toEqual([]);
    expect((await call(userId, "GET", "?status=lost")).status).toBe(422);
  });

  test("reading: one, twice, all; not what is another's, nor what was not told in the app", async () => {
    const userId = await world.newUser({ channels: [{ type: "in-app" }, email] });
    for (let n = 0; n < 3; n++) await world.hear(triggered({ userId }));
    const [first = ""] = idsOf((await call(userId, "GET", "?unread=true")).body);
    const unread = async () => (await call(userId, "GET", "/unread")).body.unread;
    expect(await unread()).toBe(3);
    const once = await call(userId, "POST", `/${first}/read`);
    const twice = await call(userId, "POST", `/${first}/read`);
    expect([once.status, once.body.read_at, twice.body.read_at]).toEqual([200, expect.any(String), once.body.read_at]);
    expect(await unread()).toBe(2);
    const stranger = await world.newUser({});
    expect((await call(stranger, "POST", `/${first}/read`)).body.code).toBe("NOTIFICATION_NOT_FOUND");
    const [mail = ""] = idsOf((await call(userId, "GET", "?channel=email")).body);
    expect((await call(userId, "POST", `/${mail}/read`)).body.code).toBe("NOTIFICATION_NOT_READABLE");
    expect((await call(stranger, "POST", "/read-all")).body).toEqual({ read: 0 });
    expect((await call(userId, "POST", "/read-all")).body).toEqual({ read: 2 });
    expect(await unread()).toBe(0);
    expect((await call(userId, "GET", "/nonsense")).status).toBe(422);
  });

  test("one with its attempts, newest first; another's is not there", async () => {
    const userId = await world.newUser({ channels: [email] });
    await world.hear(triggered({ userId }));
    const mail = scripted("email", (_told, attempt) =>
      attempt === 1 ? { outcome: "retry", reason: "SMTP 451", afterMs: null } : { outcome: "delivered" },
    );
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([mail.channel]));
    await world.settled(userId);
    const [id = ""] = idsOf((await call(userId, "GET", "")).body);
    const { body } = await call(userId, "GET", `/${id}`);
    expect(body).toMatchObject({ id, status: "delivered", attempts: 2, target: "ada@example.org", reason: null });
    const at = expect.stringMatching(/^20.*Z$/);
    const ms = expect.any(Number);
    expect(body.attempt_log).toEqual([
      { attempt: 2, at, channel: "email", outcome: "delivered", reason: null, ms },
      { attempt: 1, at, channel: "email", outcome: "retry", reason: "SMTP 451", ms },
    ]);
    const stranger = await call(Bun.randomUUIDv7(), "GET", `/${id}`);
    expect([stranger.status, stranger.body.code]).toEqual([404, "NOTIFICATION_NOT_FOUND"]);
  });

  test("sending again: under the same id, once per key, and not while it waits", async () => {
    const userId = await world.newUser({ channels: [email] });
    await world.hear(triggered({ userId }));
    const sent = () => mail.sent.filter((told) => told.userId === userId);
    const mail = scripted("email", (told) =>
      told.userId === userId && sent().length === 1
        ? { outcome: "refused", reason: "SMTP 550" }
        : { outcome: "delivered" },
    );
    await using running = new AsyncDisposableStack();
    const senders = running.use(world.startSenders([mail.channel]));
    expect(await world.settled(userId)).toMatchObject([{ status: "failed" }]);
    const [id = ""] = idsOf((await call(userId, "GET", "")).body);
    const resend = async (key: string) => {
      const { status, headers, body } = await call(userId, "POST", `/${id}/resend`, { "idempotency-key": key });
      senders.wakes.all();
      return [status, headers.get("idempotent-replayed"), body.id];
    };
    expect(await resend("a")).toEqual([202, null, id]);
    expect(await world.settled(userId)).toMatchObject([{ status: "delivered", attempts: 1 }]);
    expect(await resend("a")).toEqual([202, "true", id]);
    expect(await world.settled(userId)).toMatchObject([{ status: "delivered" }]);
    expect(sent().map((told) => told.id)).toEqual([id, id]);
    // Delivered already, but somebody wants it again.
    expect(await resend("b")).toEqual([202, null, id]);
    await world.settled(userId);
    expect(sent()).toHaveLength(3);
    expect((await call(userId, "GET", `/${id}`)).body.attempt_log).toHaveLength(3);
    expect((await call(Bun.randomUUIDv7(), "POST", `/${id}/resend`)).status).toBe(404);
  });

  test("what was dropped can be had all the same, whatever became of its task; what waits goes on waiting", async () => {
    const userId = await world.newUser({ channels: [email], late: { policy: "drop", after: "PT1H" } });
    const event = triggered({ userId, lateSeconds: 7_200 });
    await world.hear(event);
    await world.db.sql`
      insert into tasks (id, user_id, title, status, created_at, updated_at, completed_at)
      values (${event.key}, ${userId}, 'x', 'completed', now(), now(), now())`;
    const [id = ""] = idsOf((await call(userId, "GET", "?status=dropped")).body);
    expect((await call(userId, "POST", `/${id}/resend`)).body).toMatchObject({ status: "pending", reason: null });
    const again = await call(userId, "POST", `/${id}/resend`);
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([202, "true"]);
    const mail = scripted("email");
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([mail.channel]));
    expect(await world.settled(userId)).toMatchObject([{ status: "delivered" }]);
  });

  test("endpoints are those of the preferences, in their order; one never used works", async () => {
    const hook = (name: string) => ({ type: "webhook", url: `https://${name}.example.org/`, secret });
    const userId = await world.newUser({ channels: [{ ...email, else: hook("b") }, hook("a"), hook("b")] });
    const { body } = await call(userId, "GET", "/endpoints");
    expect(body.items.map(({ url, state }: { url: string; state: string }) => `${url} ${state}`)).toEqual([
      "https://b.example.org/ working",
      "https://a.example.org/ working",
    ]);
    expect(JSON.stringify(body)).not.toContain("whsec_");
    expect((await call(Bun.randomUUIDv7(), "GET", "/endpoints")).body).toEqual({ items: [] });
  });
});
