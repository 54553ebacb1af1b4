import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/log.ts";
import type { Received } from "../../shared/message.ts";
import { makeMetrics } from "../../shared/metrics.ts";
import { buildApp } from "../../workers/notification-service/app.ts";
import type { Channel, Notification, Sent } from "../../workers/notification-service/channel.ts";
import { sendDeliveries } from "../../workers/notification-service/send-deliveries.ts";
import { claimDeliveries, settleDelivery } from "../../workers/notification-service/store-deliveries.ts";
import { makeWake } from "../../workers/notification-service/wake.ts";
import { makeWebhookChannel } from "../../workers/notification-service/webhook-channel.ts";
import { makeWriteDeliveries } from "../../workers/notification-service/write-deliveries.ts";
import { freshDatabase, type FreshDatabase } from "../support/database.ts";
import { until } from "../support/until.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const ada = "0193a0b0-0000-7000-8000-0000000000aa";
const log = makeLog({}, "error");
const policy = { baseMs: 1, capMs: 5, maxAttempts: 3 };
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe.skipIf(!url)("notifications on Postgres (needs DATABASE_URL)", () => {
  let database: FreshDatabase;
  let db: Db;
  beforeAll(async () => {
    database = await freshDatabase();
    db = await openDb({ url: database.url, directUrl: null, statementMs: 10_000 }, { role: "test", poolSize: 12, log });
  }, 60_000);
  afterAll(async () => {
    await db?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
  }, 30_000);

  const hear = (messages: readonly Received[], channels: readonly string[]) =>
    db.transaction((tx) =>
      makeWriteDeliveries(channels, () => {})(messages, {
        tx,
        signal: new AbortController().signal,
        log,
        now: new Date(),
      }),
    );
  const rowsOf = async (channel: string) => [
    ...(await db.sql<
      { id: string; status: string; attempts: number; last_error: string | null; possibly_duplicated: boolean }[]
    >`
      select id, status, attempts, last_error, possibly_duplicated from deliveries where channel = ${channel} order by id`),
  ];
  const allDelivered = (channel: string) =>
    until(`everything on ${channel} is delivered`, async () =>
      (await rowsOf(channel)).every(({ status }) => status === "delivered"),
    );

  /** A channel that keeps what it was given and answers as told, delivered by default. */
  const scripted = (
    name: string,
    answer: (attempt: number) => Sent | Promise<Sent> = () => ({ outcome: "delivered" }),
  ) => {
    const sent: string[] = [];
    const channel: Channel = {
      name,
      send: async ({ id }, attempt) => {
        sent.push(id);
        return answer(attempt);
      },
    };
    return { channel, sent };
  };
  const startSender = (channel: Channel, leaseMs = 5_000) => {
    const stop = new AbortController();
    const metrics = makeMetrics("test", { process: false });
    const role = { signal: stop.signal, log, metrics, now: () => new Date() };
    const running = sendDeliveries({ db, channel, wake: makeWake(), leaseMs, policy }, role);
    return {
      metrics,
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await running;
      },
    };
  };

  test("an event heard ten times is one delivery per channel, sent once each", async () => {
    const events = Array.from({ length: 5 }, () => triggered());
    const heard = Array.from({ length: 10 }, () => events).flat();
    for (let from = 0; from < heard.length; from += 7) await hear(heard.slice(from, from + 7), ["once-a", "once-b"]);
    const [a, b] = [scripted("once-a"), scripted("once-b")];
    await using senders = new AsyncDisposableStack();
    for (const { channel } of [a, b]) senders.use(startSender(channel));
    await allDelivered("once-a");
    await allDelivered("once-b");
    expect([a.sent.length, b.sent.length]).toEqual([5, 5]);
    expect(new Set([...a.sent, ...b.sent]).size).toBe(10);
  });

  test("other reminder events send nothing", async () => {
    await hear([{ ...triggered(), type: "ReminderDismissed" } as Received], ["silent"]);
    expect(await rowsOf("silent")).toEqual([]);
  });

  test("three senders at once send each delivery once", async () => {
    await hear(
      Array.from({ length: 200 }, () => triggered()),
      ["crowd"],
    );
    const { channel, sent } = scripted("crowd");
    await using senders = new AsyncDisposableStack();
    for (let n = 0; n < 3; n++) senders.use(startSender(channel));
    await allDelivered("crowd");
    expect([sent.length, new Set(sent).size]).toEqual([200, 200]);
  });

  test("a failed attempt is tried again with the same id until it is delivered", async () => {
    await hear([triggered()], ["flaky"]);
    const { channel, sent } = scripted("flaky", (attempt) =>
      attempt < 3 ? { outcome: "retry", reason: "HTTP 503", afterMs: null } : { outcome: "delivered" },
    );
    await using senders = new AsyncDisposableStack();
    senders.use(startSender(channel));
    await allDelivered("flaky");
    expect([sent.length, new Set(sent).size]).toEqual([3, 1]);
    expect(await rowsOf("flaky")).toMatchObject([{ attempts: 3, possibly_duplicated: false, last_error: null }]);
  });

  test("the attempts are bounded: after the last it has failed, with the reason", async () => {
    await hear([triggered()], ["broken"]);
    const { channel, sent } = scripted("broken", () => ({ outcome: "retry", reason: "HTTP 500", afterMs: 0 }));
    await using senders = new AsyncDisposableStack();
    senders.use(startSender(channel));
    await until("it has failed", async () => (await rowsOf("broken")).every(({ status }) => status === "failed"));
    expect(sent).toHaveLength(policy.maxAttempts);
    expect(await rowsOf("broken")).toMatchObject([{ attempts: 3, last_error: "HTTP 500" }]);
  });

  test("a refusal is final", async () => {
    await hear([triggered()], ["gone"]);
    const { channel, sent } = scripted("gone", () => ({ outcome: "refused", reason: "HTTP 410" }));
    await using senders = new AsyncDisposableStack();
    senders.use(startSender(channel));
    await until("it has failed", async () => (await rowsOf("gone")).every(({ status }) => status === "failed"));
    expect(sent).toHaveLength(1);
  });

  test("a sender that vanishes between sending and marking: sent again with the same id and counted as possibly doubled", async () => {
    await hear([triggered()], ["crash"]);
    // What the vanished one has done: claimed, sent, and no mark.
    const [claimed] = await claimDeliveries(db.sql, { channel: "crash", limit: 10, leaseMs: 300 });
    if (!claimed) throw new Error("nothing to claim");
    expect(await claimDeliveries(db.sql, { channel: "crash", limit: 10, leaseMs: 300 })).toEqual([]);
    const { channel, sent } = scripted("crash");
    await using sender = startSender(channel);
    await allDelivered("crash");
    expect(sent).toEqual([claimed.id]);
    expect(await rowsOf("crash")).toMatchObject([{ attempts: 2, possibly_duplicated: true }]);
    expect(await sender.metrics.text()).toContain(
      'notification_possibly_duplicated_total{channel="crash",role="test"} 1',
    );
    // Back from its pause, the first one may not mark any more.
    expect(await settleDelivery(db.sql, claimed, { status: "failed", reason: "late" })).toBe(false);
    expect(await rowsOf("crash")).toMatchObject([{ status: "delivered" }]);
  });

  test("stopping waits for what is on its way and takes nothing new", async () => {
    await hear([triggered()], ["slow"]);
    const answer = Promise.withResolvers<Sent>();
    const { channel, sent } = scripted("slow", () => answer.promise);
    const sender = startSender(channel);
    await until("it is being sent", () => sent.length === 1);
    const stopped = sender[Symbol.asyncDispose]();
    await hear([triggered()], ["slow"]);
    answer.resolve({ outcome: "delivered" });
    await stopped;
    expect((await rowsOf("slow")).map(({ status }) => status).toSorted()).toEqual(["delivered", "pending"]);
  });

  test("a user sees their own notifications, newest first, page by page", async () => {
    const user = Bun.randomUUIDv7();
    for (let n = 0; n < 3; n++) await hear([triggered(user)], ["listed"]);
    await hear([triggered()], ["listed"]);
    const app = buildApp({
      db,
      authenticate: () =>
        Promise.resolve({
          userId: user,
          sessionId: "s",
          expiresAt: new Date(Date.now() + 60_000),
          via: "bearer" as const,
        }),
      newId: () => Bun.randomUUIDv7(),
      log,
      metrics: makeMetrics("test", { process: false }),
    });
    const page = await (await app.request("/v1/notifications?limit=2")).json();
    const rest = await (await app.request(`/v1/notifications?limit=2&cursor=${page.next_cursor}`)).json();
    const items = [...page.items, ...rest.items];
    expect(items).toHaveLength(3);
    expect(rest.next_cursor).toBeNull();
    expect(items.map(({ created_at }) => created_at)).toEqual(
      items
        .map(({ created_at }) => created_at)
        .toSorted()
        .toReversed(),
    );
    expect(items[0]).toEqual({
      id: expect.any(String),
      reminder_id: expect.any(String),
      task_id: expect.any(String),
      channel: "listed",
      status: "pending",
      delivered_at: null,
      created_at: expect.any(String),
    });
    expect((await app.request("/v1/notifications?cursor=nonsense")).status).toBe(422);
  });
});

describe("the webhook channel", () => {
  const notification: Notification = {
    id: Bun.randomUUIDv7(),
    userId: ada,
    reminderId: Bun.randomUUIDv7(),
    taskId: Bun.randomUUIDv7(),
    title: "Wäsche 🧺",
    remindAt: new Date("2026-11-23T09:00:00Z"),
    triggeredAt: new Date("2026-11-23T09:00:00.120Z"),
  };
  const receive = (answer: (request: Request, body: string) => Response | Promise<Response>) => {
    const requests: { request: Request; body: string }[] = [];
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        const body = await request.text();
        requests.push({ request, body });
        return answer(request, body);
      },
    });
    const channel = makeWebhookChannel({ url: server.url, secret, timeoutMs: 500, now: () => new Date() });
    return { requests, channel, [Symbol.asyncDispose]: () => server.stop(true) };
  };

  test("a notification arrives signed, under its own id", async () => {
    await using receiver = receive(() => new Response("ok"));
    expect(await receiver.channel.send(notification, 1)).toEqual({ outcome: "delivered" });
    const [received] = receiver.requests;
    const headers = Object.fromEntries(received?.request.headers ?? []);
    expect(headers["webhook-id"]).toBe(notification.id);
    expect(new Webhook(secret).verify(received?.body ?? "", headers)).toEqual({
      type: "reminder.triggered",
      timestamp: "2026-11-23T09:00:00.120Z",
      data: {
        id: notification.id,
        user_id: ada,
        reminder_id: notification.reminderId,
        task_id: notification.taskId,
        title: "Wäsche 🧺",
        remind_at: "2026-11-23T09:00:00.000Z",
        triggered_at: "2026-11-23T09:00:00.120Z",
      },
    });
    expect(() => new Webhook("whsec_c29tZSBvdGhlciBzZWNyZXQ=").verify(received?.body ?? "", headers)).toThrow();
  });

  test.each<[string, number, Record<string, string>, Sent]>([
    ["accepted", 202, {}, { outcome: "delivered" }],
    ["broken", 500, {}, { outcome: "retry", reason: "HTTP 500", afterMs: null }],
    ["busy", 429, { "retry-after": "7" }, { outcome: "retry", reason: "HTTP 429", afterMs: 7000 }],
    ["busy for ever", 503, { "retry-after": "999999" }, { outcome: "retry", reason: "HTTP 503", afterMs: 3_600_000 }],
    [
      "busy till the past",
      503,
      { "retry-after": "Mon, 01 Jan 2024 00:00:00 GMT" },
      { outcome: "retry", reason: "HTTP 503", afterMs: 0 },
    ],
    ["gone", 410, {}, { outcome: "refused", reason: "HTTP 410" }],
  ])("a receiver that is %s (%d)", async (_title, status, headers, expected) => {
    await using receiver = receive(() => new Response("", { status, headers }));
    expect(await receiver.channel.send(notification, 1)).toEqual(expected);
  });

  test("a redirect is not followed", async () => {
    await using receiver = receive(() => Response.redirect("/elsewhere", 302));
    expect(await receiver.channel.send(notification, 1)).toEqual({
      outcome: "retry",
      reason: "HTTP 302",
      afterMs: null,
    });
    expect(receiver.requests).toHaveLength(1);
  });

  test("a receiver that does not answer costs the timeout, no more", async () => {
    await using receiver = receive(() => new Promise(() => {}));
    const from = performance.now();
    expect(await receiver.channel.send(notification, 1)).toMatchObject({ outcome: "retry", reason: "TimeoutError" });
    expect(performance.now() - from).toBeLessThan(3_000);
  });

  test("a receiver that is not there is tried again", async () => {
    const receiver = receive(() => new Response());
    await receiver[Symbol.asyncDispose]();
    expect(await receiver.channel.send(notification, 1)).toMatchObject({ outcome: "retry", afterMs: null });
  });
});

function triggered(user_id = ada): Received {
  const [id, task_id] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  const now = new Date();
  return {
    type: "ReminderTriggered",
    key: task_id,
    subject: id,
    sequence: 2,
    data: {
      id,
      task_id,
      user_id,
      triggered_at: now,
      generation: 1,
      remind_at: now,
      title: "Water the plants",
      rule: null,
      priority: null,
    },
    id: Bun.randomUUIDv7(),
    time: now,
    source: "reminder-service",
    correlationId: "test",
    causationId: null,
    traceparent: null,
    topic: "reminders",
    partition: 0,
    offset: 0n,
    timestamp: 0,
    value: new Uint8Array(),
    headers: [],
  };
}
