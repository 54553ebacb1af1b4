import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import type { Notification, SendOutcome } from "../../workers/notification-service/channels/channel.ts";
import { makeMeasureDeliveries } from "../../workers/notification-service/send/measure-deliveries.ts";
import { postPinned } from "../../workers/notification-service/channels/post-pinned.ts";
import { makeWebhookChannel } from "../../workers/notification-service/channels/post-webhooks.ts";
import { until } from "../support/until.ts";
import { receive } from "./receive-webhooks.ts";
import { openNotificationWorld, secret, triggered, type NotificationWorld } from "./notification-world.ts";

const url = process.env["DATABASE_URL"];
const openssl = Bun.which("openssl");
if (process.env["REQUIRE_ALL"] === "1" && !(url && openssl)) throw new Error("needs DATABASE_URL and openssl");

const now = () => new Date();
const anywhere = (timeoutMs = 15_000) => makeWebhookChannel({ name: "webhook", timeoutMs, now, resolve: null });

const notification: Notification = {
  id: Bun.randomUUIDv7(),
  userId: "0193a0b0-0000-7000-8000-0000000000aa",
  kind: "reminder",
  target: "",
  secret,
  correlationId: "req-1",
  causationId: "0193b2c8-7d5e-7c3a-9b1e-4f2f0c6b8d11",
  traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
  reminders: [
    {
      reminderId: Bun.randomUUIDv7(),
      taskId: Bun.randomUUIDv7(),
      title: "Wäsche 🧺",
      remindAt: new Date("2026-11-23T09:00:00Z"),
      triggeredAt: new Date("2026-11-23T09:02:00.120Z"),
      lateBy: 120,
      tz: "America/St_Johns",
      dueOn: null,
    },
  ],
};
const firedBody = {
  reminder_id: notification.reminders[0]?.reminderId,
  task_id: notification.reminders[0]?.taskId,
  title: "Wäsche 🧺",
  remind_at: "2026-11-23T09:00:00.000Z",
  remind_at_local: "2026-11-23T05:30:00.000-03:30",
  tz: "America/St_Johns",
  due_on: null,
  triggered_at: "2026-11-23T09:02:00.120Z",
  late_by: 120,
};

describe("the webhook channel", () => {
  test("a notification arrives signed, under its own id", async () => {
    await using receiver = receive();
    expect(await anywhere().send({ ...notification, target: receiver.url }, 1)).toEqual({ outcome: "delivered" });
    const [received] = receiver.requests;
    const headers = Object.fromEntries(received?.request.headers ?? []);
    expect(headers).toMatchObject({
      "webhook-id": notification.id,
      "x-correlation-id": notification.correlationId,
      "x-causation-id": notification.causationId,
      traceparent: notification.traceparent,
    });
    expect(new Webhook(secret).verify(received?.body ?? "", headers)).toEqual({
      type: "reminder.triggered",
      timestamp: "2026-11-23T09:02:00.120Z",
      data: { id: notification.id, user_id: notification.userId, ...firedBody },
    });
    expect(() => new Webhook("whsec_c29tZSBvdGhlciBzZWNyZXQ=").verify(received?.body ?? "", headers)).toThrow();
  });

  test("a digest arrives as one", async () => {
    await using receiver = receive();
    await anywhere().send(
      {
        ...notification,
        kind: "digest",
        reminders: [...notification.reminders, ...notification.reminders],
        target: receiver.url,
      },
      1,
    );
    expect(JSON.parse(receiver.requests[0]?.body ?? "")).toMatchObject({
      type: "reminder.digest",
      data: { id: notification.id, reminders: [firedBody, firedBody] },
    });
  });

  test.each<[string, number, Record<string, string>, SendOutcome]>([
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
    ["gone", 410, {}, { outcome: "refused", reason: "HTTP 410", gone: true }],
  ])("a receiver that is %s (%d)", async (_title, status, headers, expected) => {
    await using receiver = receive(() => new Response("", { status, headers }));
    expect(await anywhere().send({ ...notification, target: receiver.url }, 1)).toEqual(expected);
  });

  test("a redirect is not followed", async () => {
    await using elsewhere = receive();
    await using receiver = receive(() => Response.redirect(elsewhere.url, 307));
    expect(await anywhere().send({ ...notification, target: receiver.url }, 1)).toEqual({
      outcome: "retry",
      reason: "HTTP 307",
      afterMs: null,
    });
    expect([receiver.requests.length, elsewhere.requests.length]).toEqual([1, 0]);
  });

  test("a receiver that does not answer costs the timeout, no more; one that answers without end is not listened to", async () => {
    await using silent = receive(() => new Promise(() => {}));
    expect(await anywhere(500).send({ ...notification, target: silent.url }, 1)).toEqual({
      outcome: "retry",
      reason: "TimeoutError",
      afterMs: null,
    });
    await using endless = receive(
      () => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) })),
    );
    expect(await anywhere().send({ ...notification, target: endless.url }, 1)).toEqual({ outcome: "delivered" });
  });

  test("a receiver that is not there is tried again", async () => {
    const receiver = receive();
    await receiver[Symbol.asyncDispose]();
    expect(await anywhere().send({ ...notification, target: receiver.url }, 1)).toMatchObject({ outcome: "retry" });
  });

  describe("where people's endpoints may lead", () => {
    test.each([
      "http://127.0.0.1:",
      "http://[::ffff:127.0.0.1]:",
      "http://0x7f000001:",
      "http://inside.example:",
      "http://mixed.example:",
    ])("not inside: %s", async (host) => {
      await using receiver = receive();
      const asked: string[] = [];
      const resolve = (name: string) => {
        asked.push(name);
        const inside = { address: "127.0.0.1", family: 4 } as const;
        return Promise.resolve(
          name === "mixed.example" ? [{ address: "93.184.216.34", family: 4 } as const, inside] : [inside],
        );
      };
      const channel = makeWebhookChannel({ name: "webhook", timeoutMs: 15_000, now, resolve });
      expect(await channel.send({ ...notification, target: `${host}${receiver.port}/` }, 1)).toEqual({
        outcome: "refused",
        reason: "not a public address",
      });
      expect(receiver.requests).toEqual([]);
      expect(asked.length).toBe(host.includes("example") ? 1 : 0);
    });

    test.each(["ftp://example.org/", "file:///etc/passwd", "nonsense"])(
      "nor by another protocol: %s",
      async (target) => {
        expect(await anywhere().send({ ...notification, target }, 1)).toMatchObject({ outcome: "refused" });
      },
    );

    test("a name that does not resolve, or not in time, is tried again", async () => {
      const send = (resolve: () => Promise<never>) =>
        makeWebhookChannel({ name: "webhook", timeoutMs: 200, now, resolve }).send(
          { ...notification, target: "https://hooks.example/" },
          1,
        );
      const lost = Object.assign(new Error("queryA ENOTFOUND"), { code: "ENOTFOUND" });
      expect(await send(() => Promise.reject(lost))).toMatchObject({ outcome: "retry", reason: "ENOTFOUND" });
      expect(await send(() => new Promise<never>(() => {}))).toMatchObject({
        outcome: "retry",
        reason: "TimeoutError",
      });
    });

    test("the connection goes to the address that was looked at, whatever the name says, and never over one kept from before", async () => {
      await using receiver = receive(() => new Response(null, { status: 204 }));
      const post = (host: string, address: string) =>
        postPinned({
          url: new URL(`http://${host}:${receiver.port}/in`),
          headers: {},
          body: "{}",
          addresses: [{ address, family: 4 }],
          timeoutMs: 15_000,
        });
      // A name nobody resolves arrives; a name that resolves here does not, when what was looked at is elsewhere.
      expect(await post("hooks.example.test", "127.0.0.1")).toMatchObject({ status: 204 });
      expect(receiver.requests[0]?.request.headers.get("host")).toBe(`hooks.example.test:${receiver.port}`);
      for (const host of ["localhost", "hooks.example.test"]) {
        const outcome = await post(host, "127.0.0.2").catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(Error);
      }
      expect(receiver.requests).toHaveLength(1);
    });

    test.skipIf(!openssl)(
      "by TLS the certificate must be of the name, not of the address (needs openssl)",
      async () => {
        const folder = await mkdtemp(join(tmpdir(), "taskwire-tls-"));
        const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
        const name = "hooks.example.test";
        const words = `req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ${key} -out ${cert}`.split(" ");
        const of = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
        const made = Bun.spawnSync(["openssl", ...words, ...of]);
        expect(made.exitCode).toBe(0);
        const tls = { key: await Bun.file(key).text(), cert: await Bun.file(cert).text() };
        await rm(folder, { recursive: true });
        const server = Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch: () => new Response("ok") });
        const post = (host: string, ca?: string) =>
          postPinned({
            url: new URL(`https://${host}:${server.port}/`),
            headers: {},
            body: "{}",
            addresses: [{ address: "127.0.0.1", family: 4 }],
            timeoutMs: 15_000,
            ...(ca === undefined ? {} : { ca }),
          }).catch((error: { code?: string }) => error.code);
        expect(await post(name, tls.cert)).toMatchObject({ status: 200 });
        expect(await post("other.example.test", tls.cert)).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
        expect(await post(name)).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
        await server.stop(true);
      },
    );
  });
});

describe.skipIf(!url)("people's endpoints (needs DATABASE_URL)", () => {
  let world: NotificationWorld;
  beforeAll(async () => {
    world = await openNotificationWorld();
  }, 60_000);
  afterAll(async () => world?.[Symbol.asyncDispose](), 30_000);

  // What one test leaves waiting would take the hands of the next.
  beforeEach(async () => {
    await world.db.sql`delete from deliveries`;
    await world.db.sql`delete from delivery_lanes`;
  });

  type EndpointJson = Readonly<{
    id: string;
    state: string;
    failures: number;
    disabled_reason: string | null;
    waiting: number;
  }>;
  const endpoint = async (userId: string): Promise<EndpointJson> => {
    const { items } = await (await world.appFor(userId).request("/v1/notifications/endpoints")).json();
    expect(items).toHaveLength(1);
    return items[0];
  };
  const titlesOf = (receiver: ReturnType<typeof receive>) =>
    receiver.requests.map(({ body }) => JSON.parse(body).data.title as string);
  const patient = { policyOf: () => ({ baseMs: 1, capMs: 20, maxAttempts: 1_000, forMs: 60_000 }) };
  const newUserOf = (target: string) => world.newUser({ channels: [{ type: "webhook", url: target, secret }] });

  test("an endpoint that is slow, and one that fails, hold up themselves alone", async () => {
    const hold = Promise.withResolvers<void>();
    await using slow = receive(() => hold.promise.then(() => new Response("ok")));
    await using failing = receive(() => new Response("", { status: 500 }));
    await using good = receive();
    const stuck = [await newUserOf(slow.url), await newUserOf(failing.url)];
    await world.hear(...stuck.flatMap((userId) => Array.from({ length: 100 }, () => triggered({ userId }))));
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([anywhere()], patient));
    await until("both are stuck", () => slow.requests.length > 0 && failing.requests.length > 2);
    const users = await Promise.all(Array.from({ length: 20 }, () => newUserOf(good.url)));
    await world.hear(...users.map((userId) => triggered({ userId })));
    for (const userId of users) await world.settled(userId);
    expect([good.requests.length, slow.requests.length]).toEqual([20, 1]);
    const headers = failing.requests.map(({ request }) => request.headers.get("webhook-id"));
    expect(new Set(headers).size).toBe(1); // The head, again and again, and none of those behind it.
    hold.resolve();
  });

  test("one person's five slow endpoints leave hands for the others", async () => {
    const hold = Promise.withResolvers<void>();
    const slow = Array.from({ length: 5 }, () => receive(() => hold.promise.then(() => new Response("ok"))));
    await using cleanUp = new AsyncDisposableStack();
    for (const receiver of slow) cleanUp.use(receiver);
    const good = cleanUp.use(receive());
    const greedy = await world.newUser({
      channels: slow.map((receiver) => ({ type: "webhook", url: receiver.url, secret })),
    });
    await world.hear(triggered({ userId: greedy }));
    cleanUp.use(world.startSenders([{ ...anywhere(), atOnce: 4 }]));
    const busy = () => slow.filter(({ requests }) => requests.length > 0).length;
    await until("they are slow", () => busy() === 3);
    const userId = await newUserOf(good.url);
    for (let n = 0; n < 3; n++) await world.hear(triggered({ userId }));
    await world.settled(userId);
    expect([good.requests.length, busy()]).toEqual([3, 3]);
    hold.resolve();
    await world.settled(greedy);
    expect(busy()).toBe(5);
  });

  test("the breaker opens after failures in a row, probes with one attempt at a time, and everything arrives in order once it closes", async () => {
    let broken = true;
    await using receiver = receive(() => new Response("", { status: broken ? 503 : 200 }));
    const userId = await newUserOf(receiver.url);
    for (let n = 1; n <= 5; n++) await world.hear(triggered({ userId, title: `${n}` }));
    await using running = new AsyncDisposableStack();
    running.use(
      world.startSenders([anywhere()], {
        ...patient,
        breaker: { threshold: 3, baseMs: 60_000, capMs: 60_000, disableAfterMs: 3_600_000 },
      }),
    );
    const open = await until("it is open", async () => {
      const now = await endpoint(userId);
      return now.state === "open" && now;
    });
    expect(open).toMatchObject({ failures: 3, waiting: 5 });
    expect(titlesOf(receiver)).toEqual(["1", "1", "1"]);
    // More to send does not open the gate.
    await world.hear(triggered({ userId, title: "6" }));
    await until(
      "the sender has looked at what came",
      async () =>
        (await world.db.sql`select from delivery_lanes where user_id = ${userId} and next_at > now() + interval '10 s'`)
          .length === 1,
    );
    expect(receiver.requests).toHaveLength(3);
    const probe = () => world.db.sql`
      with opened as (update delivery_lanes set open_until = now(), next_at = now() where user_id = ${userId})
      update deliveries set next_attempt_at = now() where user_id = ${userId} and status = 'pending'`;
    await probe();
    await until("the probe has failed", async () => (await endpoint(userId)).failures === 4);
    expect(receiver.requests).toHaveLength(4);
    broken = false;
    await probe();
    await world.settled(userId);
    expect(titlesOf(receiver)).toEqual(["1", "1", "1", "1", "1", "2", "3", "4", "5", "6"]);
    expect(await endpoint(userId)).toMatchObject({ state: "working", failures: 0, waiting: 0 });
  });

  test("what fails for good counts, too: once it is open, what comes does not close it", async () => {
    await using receiver = receive(() => new Response("", { status: 500 }));
    const userId = await newUserOf(receiver.url);
    for (let n = 1; n <= 3; n++) await world.hear(triggered({ userId, title: `${n}` }));
    await using running = new AsyncDisposableStack();
    const senders = running.use(
      world.startSenders([anywhere()], {
        policyOf: () => ({ baseMs: 1, capMs: 1, maxAttempts: 1, forMs: 60_000 }),
        breaker: { threshold: 3, baseMs: 60_000, capMs: 60_000, disableAfterMs: 3_600_000 },
      }),
    );
    await world.settled(userId);
    expect(await endpoint(userId)).toMatchObject({ state: "open", failures: 3 });
    await world.hear(triggered({ userId, title: "4" }));
    senders.wakes.all();
    await until(
      "the sender has looked at what came",
      async () =>
        (await world.db.sql`select from delivery_lanes where user_id = ${userId} and next_at > now() + interval '10 s'`)
          .length === 1,
    );
    expect(titlesOf(receiver)).toEqual(["1", "2", "3"]);
  });

  test("410 disables it: what waits fails, what comes is passed over to the next of the chain, until it is enabled again", async () => {
    let status = 410;
    await using receiver = receive(() => new Response("", { status }));
    const hook = { type: "webhook", url: receiver.url, secret };
    const userId = await world.newUser({ channels: [{ ...hook, else: { type: "in-app" } }] });
    for (let n = 1; n <= 3; n++) await world.hear(triggered({ userId, title: `${n}` }));
    await using running = new AsyncDisposableStack();
    const senders = running.use(world.startSenders([anywhere()]));
    const fates = async () =>
      (await world.settled(userId)).map((row) => `${row.title} ${row.channel}: ${row.status}`).toSorted();
    expect(await fates()).toEqual([1, 2, 3].flatMap((n) => [`${n} in-app: delivered`, `${n} webhook: failed`]));
    expect(receiver.requests).toHaveLength(1);
    const disabled = await endpoint(userId);
    expect(disabled).toMatchObject({ state: "disabled", disabled_reason: "HTTP 410" });
    await makeMeasureDeliveries(world.db.sql, senders.metrics, ["webhook", "email"])();
    const told = await senders.metrics.text();
    expect(told).toMatch(/^notification_endpoints\{state="disabled",role="test"\} 1$/m);
    expect(told).toMatch(/^notification_overdue_seconds\{channel="email",role="test"\} 0$/m);
    await world.hear(triggered({ userId, title: "4" }));
    expect((await fates()).slice(-2)).toEqual(["4 in-app: delivered", "4 webhook: failed"]);
    status = 200;
    const path = `/v1/notifications/endpoints/${disabled.id}/enable`;
    const stranger = await world.appFor(await newUserOf(receiver.url)).request(path, { method: "POST" });
    expect([stranger.status, (await stranger.json()).code]).toEqual([404, "ENDPOINT_NOT_FOUND"]);
    const enabled = await world.appFor(userId).request(path, { method: "POST" });
    expect([enabled.status, await enabled.json()]).toMatchObject([
      200,
      { state: "working", failures: 0, disabled_reason: null },
    ]);
    await world.hear(triggered({ userId, title: "5" }));
    senders.wakes.all();
    expect((await fates()).slice(-1)).toEqual(["5 webhook: delivered"]);
  });

  test("after days of failing it is disabled, and says since when", async () => {
    await using receiver = receive(() => new Response("", { status: 500 }));
    const userId = await newUserOf(receiver.url);
    await world.hear(triggered({ userId }));
    await world.db.sql`
      update delivery_lanes set failures = 40, failing_since = now() - interval '6 days' where user_id = ${userId}`;
    await using running = new AsyncDisposableStack();
    running.use(
      world.startSenders([anywhere()], {
        ...patient,
        breaker: { threshold: 3, baseMs: 50, capMs: 50, disableAfterMs: 5 * 24 * 3_600_000 },
      }),
    );
    expect(await world.settled(userId)).toMatchObject([{ status: "failed", last_error: "HTTP 500" }]);
    expect(await endpoint(userId)).toMatchObject({
      state: "disabled",
      failures: 41,
      disabled_reason: "failing for 144 h, at last HTTP 500",
    });
  });

  test("a webhook inside fails at once and for good, by the guard alone", async () => {
    await using receiver = receive();
    const userId = await newUserOf(receiver.url);
    await world.hear(triggered({ userId }));
    const guarded = makeWebhookChannel({ name: "webhook", timeoutMs: 15_000, now, resolve: () => Promise.resolve([]) });
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([guarded]));
    expect(await world.settled(userId)).toMatchObject([
      { status: "failed", attempts: 1, last_error: "not a public address" },
    ]);
    expect(receiver.requests).toEqual([]);
  });
});
