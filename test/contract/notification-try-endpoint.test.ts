import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { makeWebhookChannel } from "../../workers/notification-service/channels/post-webhooks.ts";
import { openNotificationWorld, secret, triggered, type NotificationWorld } from "./notification-world.ts";
import { receive } from "./receive-webhooks.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const now = () => new Date();
const anywhere = () => makeWebhookChannel({ name: "webhook", timeoutMs: 15_000, now, resolve: null });

describe.skipIf(!url)("a test of an endpoint (needs DATABASE_URL)", () => {
  let world: NotificationWorld;
  beforeAll(async () => {
    world = await openNotificationWorld();
  }, 60_000);
  afterAll(async () => world?.[Symbol.asyncDispose](), 30_000);

  const withHook = async (target: string) => {
    const userId = await world.newUser({ channels: [{ type: "log", else: { type: "webhook", url: target, secret } }] });
    const { items } = await (await world.appFor(userId).request("/v1/notifications/endpoints")).json();
    return { userId, id: String(items[0].id) };
  };
  const tried = async (of: Readonly<{ userId: string; id: string }>, sendTest = anywhere().sendTest) => {
    const app = world.appFor(of.userId, sendTest);
    const answer = await app.request(`/v1/notifications/endpoints/${of.id}/test`, { method: "POST" });
    return { status: answer.status, retryAfter: answer.headers.get("retry-after"), body: await answer.json() };
  };
  const aMomentLater = (userId: string) =>
    world.db.sql`update delivery_lanes set tested_at = tested_at - interval '6 s' where user_id = ${userId}`;

  test("arrives signed, tells no reminder, and its outcome is the answer", async () => {
    await using receiver = receive();
    const endpoint = await withHook(receiver.url);
    const { status, body } = await tried(endpoint);
    expect([status, body]).toEqual([
      200,
      { id: expect.any(String), delivered: true, reason: null, ms: expect.any(Number) },
    ]);
    const [received] = receiver.requests;
    const headers = Object.fromEntries(received?.request.headers ?? []);
    expect(headers["webhook-id"]).toBe(body.id);
    expect(new Webhook(secret).verify(received?.body ?? "", headers)).toEqual({
      type: "endpoint.test",
      timestamp: expect.any(String),
      data: { id: body.id, user_id: endpoint.userId },
    });
    expect(await world.rowsOf(endpoint.userId)).toEqual([]);
  });

  test("that fails says why, and leaves the endpoint as it was", async () => {
    await using receiver = receive(() => new Response("", { status: 500 }));
    const failing = await withHook(receiver.url);
    expect((await tried(failing)).body).toMatchObject({ delivered: false, reason: "HTTP 500" });
    const { items } = await (await world.appFor(failing.userId).request("/v1/notifications/endpoints")).json();
    expect(items).toMatchObject([{ state: "working", failures: 0 }]);
    await aMomentLater(failing.userId);
    const resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 as const }]);
    const inside = makeWebhookChannel({ name: "webhook", timeoutMs: 15_000, now, resolve });
    expect((await tried(failing, inside.sendTest)).body).toMatchObject({
      delivered: false,
      reason: "not a public address",
    });
    expect(receiver.requests).toHaveLength(1);
  });

  test("is sent once in 5 s, however many ask at once", async () => {
    await using receiver = receive();
    const endpoint = await withHook(receiver.url);
    const answers = await Promise.all([tried(endpoint), tried(endpoint), tried(endpoint)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 429, 429]);
    expect(answers.find(({ status }) => status === 429)).toMatchObject({
      retryAfter: "5",
      body: { code: "TOO_MANY_TESTS", retryable: true },
    });
    await aMomentLater(endpoint.userId);
    expect((await tried(endpoint)).status).toBe(200);
    expect(receiver.requests).toHaveLength(2);
  });

  test("of another user's endpoint, or one taken away, is not found", async () => {
    await using receiver = receive();
    const endpoint = await withHook(receiver.url);
    const other = await world.newUser({});
    expect((await tried({ ...endpoint, userId: other })).status).toBe(404);
    await world.prefer(endpoint.userId, {});
    expect((await tried(endpoint)).body).toMatchObject({ code: "ENDPOINT_NOT_FOUND" });
    expect(receiver.requests).toEqual([]);
  });

  test("a password in a URL that an older build took is shown nowhere", async () => {
    const userId = await world.newUser({
      channels: [{ type: "webhook", url: "https://ada:pw@example.org/hook", secret }],
    });
    await world.hear(triggered({ userId }));
    for (const path of ["/v1/notifications", "/v1/notifications/endpoints"]) {
      const text = await (await world.appFor(userId).request(path)).text();
      expect(text).toContain("https://example.org/hook");
      expect(text).not.toContain("pw@");
    }
  });
});
