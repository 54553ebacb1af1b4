import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { claimDeliveries } from "../../workers/notification-service/send/claim-deliveries.ts";
import type { SendOutcome } from "../../workers/notification-service/channels/channel.ts";
import { pruneDeliveries, pruneLanes } from "../../workers/notification-service/send/prune-deliveries.ts";
import { lockLanes } from "../../workers/notification-service/plan/store-deliveries.ts";
import { settleDelivery } from "../../workers/notification-service/send/settle-delivery.ts";
import { laneOf } from "../../workers/notification-service/plan/way.ts";
import { until } from "../support/until.ts";
import {
  dismissed,
  openNotificationWorld,
  quickPolicy,
  scripted,
  secret,
  triggered,
  type NotificationWorld,
} from "./notification-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

describe.skipIf(!url)("notifications on Postgres (needs DATABASE_URL)", () => {
  let world: NotificationWorld;
  beforeAll(async () => {
    world = await openNotificationWorld();
  }, 60_000);
  afterAll(async () => world?.[Symbol.asyncDispose](), 30_000);

  const way = { channel: "log", target: "" } as const;
  const logged = { channels: [{ type: "log" }] };
  const inBoth = { channels: [{ type: "log" }, { type: "email", to: "ada@example.org" }] };

  test("an event heard ten times is one delivery per channel, sent once each", async () => {
    const userId = await world.newUser(inBoth);
    const events = Array.from({ length: 5 }, () => triggered({ userId }));
    const heard = Array.from({ length: 10 }, () => events).flat();
    for (let from = 0; from < heard.length; from += 7) await world.hear(...heard.slice(from, from + 7));
    const [log, email] = [scripted("log"), scripted("email")];
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([log.channel, email.channel]));
    await world.settled(userId);
    expect([log.sent.length, email.sent.length]).toEqual([5, 5]);
    expect(new Set([...log.sent, ...email.sent].map(({ id }) => id)).size).toBe(10);
    expect(email.sent.map(({ target }) => target)).toEqual(Array(5).fill("ada@example.org"));
  });

  test("another event about the same firing, as after a lost inbox, sends nothing more", async () => {
    const userId = await world.newUser(logged);
    const event = triggered({ userId });
    await world.hear(event);
    await world.hear({ ...event, id: Bun.randomUUIDv7() });
    expect(await world.rowsOf(userId)).toHaveLength(1);
  });

  test("one who never said anything has it in the app and in the log; other reminder events send nothing", async () => {
    const userId = Bun.randomUUIDv7();
    const event = triggered({ userId });
    await world.hear(dismissed(triggered({ userId })));
    expect(await world.rowsOf(userId)).toEqual([]);
    await world.hear(event);
    const rows = await world.rowsOf(userId);
    expect(rows.map(({ channel, status }) => `${channel} ${status}`).toSorted()).toEqual([
      "in-app delivered",
      "log pending",
    ]);
  });

  test("three senders at once send each delivery once", async () => {
    const users = await Promise.all(Array.from({ length: 50 }, () => world.newUser(logged)));
    await world.hear(...users.flatMap((userId) => [1, 2, 3, 4].map(() => triggered({ userId }))));
    const { channel, sent } = scripted("log");
    await using senders = new AsyncDisposableStack();
    for (let n = 0; n < 3; n++) senders.use(world.startSenders([channel]));
    for (const userId of users) await world.settled(userId);
    const mine = sent.filter(({ userId }) => users.includes(userId));
    expect([mine.length, new Set(mine.map(({ id }) => id)).size]).toEqual([200, 200]);
  });

  test("a failed attempt is tried again with the same id until it is delivered, and every attempt is in the ledger", async () => {
    const userId = await world.newUser(logged);
    await world.hear(triggered({ userId }));
    const { channel, sent } = scripted("log", (_told, attempt) =>
      attempt < 3 ? { outcome: "retry", reason: "HTTP 503", afterMs: null } : { outcome: "delivered" },
    );
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([channel]));
    const [row] = await world.settled(userId);
    expect([sent.length, new Set(sent.map(({ id }) => id)).size]).toEqual([3, 1]);
    expect(row).toMatchObject({ attempts: 3, possibly_duplicated: false, last_error: null });
    const ledger = await world.db.sql`
      select attempt, outcome, reason, ms is not null as timed from delivery_attempts
      where delivery_id = ${row?.id ?? ""} order by attempt`;
    expect([...ledger]).toEqual([
      { attempt: 1, outcome: "retry", reason: "HTTP 503", timed: true },
      { attempt: 2, outcome: "retry", reason: "HTTP 503", timed: true },
      { attempt: 3, outcome: "delivered", reason: null, timed: true },
    ]);
  });

  test("what was handed over and not answered for is marked and counted as possibly doubled", async () => {
    const userId = await world.newUser({ channels: [{ type: "email", to: "ada@example.org" }] });
    await world.hear(triggered({ userId }));
    const { channel } = scripted("email", (_told, attempt) =>
      attempt === 1
        ? { outcome: "retry", reason: "TimeoutError", afterMs: null, unsure: true }
        : { outcome: "delivered" },
    );
    await using running = new AsyncDisposableStack();
    const senders = running.use(world.startSenders([channel]));
    expect(await world.settled(userId)).toMatchObject([{ attempts: 2, possibly_duplicated: true }]);
    expect(await senders.metrics.text()).toContain(
      'notification_possibly_duplicated_total{channel="email",role="test"} 1',
    );
  });

  test("the attempts are bounded: after the last it has failed, with the reason", async () => {
    const userId = await world.newUser(logged);
    await world.hear(triggered({ userId }));
    const { channel, sent } = scripted("log", () => ({ outcome: "retry", reason: "HTTP 500", afterMs: 0 }));
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([channel]));
    expect(await world.settled(userId)).toMatchObject([{ status: "failed", attempts: 3, last_error: "HTTP 500" }]);
    expect(sent).toHaveLength(quickPolicy.maxAttempts);
  });

  test("a lane's deliveries go one after the other, and one that fails holds up those behind it, of its own lane alone", async () => {
    const [slow, other] = [await world.newUser(logged), await world.newUser(logged)];
    for (const title of ["first", "second", "third"]) await world.hear(triggered({ userId: slow, title }));
    const hold = Promise.withResolvers<SendOutcome>();
    const { channel, sent } = scripted("log", ({ reminders }, attempt) =>
      reminders[0]?.title !== "first"
        ? { outcome: "delivered" }
        : attempt === 1
          ? hold.promise
          : { outcome: "delivered" },
    );
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([channel]));
    await until("the first is being sent", () => sent.some(({ userId }) => userId === slow));
    await world.hear(triggered({ userId: other }));
    await world.settled(other);
    expect(sent.filter(({ userId }) => userId === slow)).toHaveLength(1);
    hold.resolve({ outcome: "retry", reason: "HTTP 500", afterMs: 100 });
    await world.settled(slow);
    const titles = sent.filter(({ userId }) => userId === slow).map(({ reminders }) => reminders[0]?.title);
    expect(titles).toEqual(["first", "first", "second", "third"]);
  });

  test("what comes behind one that waits for its retry waits too, however long that is", async () => {
    const userId = await world.newUser(logged);
    await world.hear(triggered({ userId, title: "first", lateSeconds: 100 }));
    const { channel, sent } = scripted("log", () => ({ outcome: "retry", reason: "HTTP 500", afterMs: 60_000 }));
    await using running = new AsyncDisposableStack();
    const senders = running.use(world.startSenders([channel]));
    const waitsFor = (seconds: number) =>
      until("the lane waits", async () => {
        const [lane] = await world.db.sql`
          select next_at > now() + ${seconds} * interval '1 s' as waits from delivery_lanes where user_id = ${userId}`;
        return lane?.["waits"] === true;
      });
    await waitsFor(30);
    await world.hear(triggered({ userId, title: "second" }));
    senders.wakes.all();
    await waitsFor(30); // It was looked at because of the second, and told to wait again.
    expect(sent.filter((told) => told.userId === userId)).toHaveLength(1);
  });

  test("a channel that refuses hands over to the next of its chain, each with a delivery of its own, until one delivers", async () => {
    const chain = { type: "email", to: "ada@example.org", else: { type: "log", else: { type: "in-app" } } };
    const userId = await world.newUser({ channels: [chain] });
    await world.hear(triggered({ userId }));
    const email = scripted("email", () => ({ outcome: "refused", reason: "SMTP 550" }));
    const log = scripted("log", () => ({ outcome: "retry", reason: "full", afterMs: null }));
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([email.channel, log.channel]));
    const rows = await until("the last of the chain is there", async () => {
      const rows = await world.rowsOf(userId);
      return rows.length === 3 && rows;
    });
    const byChannel = Object.fromEntries(rows.map((row) => [row.channel, row]));
    expect(byChannel).toMatchObject({
      email: { status: "failed", last_error: "SMTP 550", attempts: 1, fallback_of: null },
      log: { status: "failed", last_error: "full", attempts: 3, fallback_of: byChannel["email"]?.id },
      "in-app": { status: "delivered", fallback_of: byChannel["log"]?.id },
    });
  });

  test("what is sent names the chain its reminder fired in: a retry, the next of its chain, a digest", async () => {
    const chain = { type: "email", to: "ada@example.org", else: { type: "log" } };
    const trace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    const fired = (userId: string, correlationId: string) =>
      ({ ...triggered({ userId, lateSeconds: 1 }), correlationId, traceparent: trace }) as const;
    const [alone, bundled] = [
      await world.newUser({ channels: [chain] }),
      await world.newUser({ channels: [{ type: "log" }], muted_until: "2199-01-01T00:00:00.000Z" }),
    ];
    const event = fired(alone, "its-request");
    await world.hear(event);
    await world.hear(fired(bundled, "first-request"));
    await world.hear({ ...fired(bundled, "second-request"), traceparent: null });
    await world.db.sql`update deliveries set due_at = triggered_at + interval '1 ms' where user_id = ${bundled}`;
    await world.db.sql`update delivery_lanes set next_at = clock_timestamp() where user_id = ${bundled}`;
    const email = scripted("email", (_notification, attempt) =>
      attempt === 1 ? { outcome: "retry", reason: "busy", afterMs: null } : { outcome: "refused", reason: "SMTP 550" },
    );
    const log = scripted("log");
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([email.channel, log.channel]));
    await world.settled(alone);
    await world.settled(bundled);
    const told = (userId: string, sent: typeof log.sent) =>
      sent
        .filter((one) => one.userId === userId)
        .map(({ correlationId, causationId, traceparent }) => [correlationId, causationId, traceparent]);
    const chained = ["its-request", event.id, trace];
    expect(told(alone, [...email.sent, ...log.sent])).toEqual([chained, chained, chained]);
    expect(told(bundled, log.sent)).toEqual([["first-request", null, trace]]);
  });

  test("a way that told the reminder already is not used again as a fallback", async () => {
    const userId = await world.newUser({
      channels: [{ type: "in-app" }, { type: "email", to: "ada@example.org", else: { type: "in-app" } }],
    });
    await world.hear(triggered({ userId }));
    const email = scripted("email", () => ({ outcome: "refused", reason: "SMTP 550" }));
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([email.channel]));
    const rows = await world.settled(userId);
    expect(rows.map(({ channel, status }) => `${channel} ${status}`).toSorted()).toEqual([
      "email failed",
      "in-app delivered",
    ]);
  });

  test("a sender that vanishes between sending and marking: sent again with the same id and counted as possibly doubled", async () => {
    const userId = await world.newUser({ channels: [{ type: "in-app" }, { type: "email", to: "crash@example.org" }] });
    await world.hear(triggered({ userId }));
    // What the vanished one has done: claimed, sent, and no mark.
    const claim = () =>
      claimDeliveries(world.db, {
        channel: "email",
        limit: 10,
        leaseMs: 60_000,
        gatherMs: 0,
        perUser: 9,
        onTheirWay: new Map(),
        hourly: null,
      });
    const [claimed, ...more] = (await claim()).claimed;
    if (claimed === undefined || more.length > 0) throw new Error("claimed something else");
    expect((await claim()).claimed).toEqual([]);
    await world.db.sql`update deliveries set lease_until = clock_timestamp() where id = ${claimed.id}`;
    await world.db.sql`update delivery_lanes set next_at = clock_timestamp() where user_id = ${userId}`;
    const { channel, sent } = scripted("email");
    await using sender = world.startSenders([channel]);
    const isEmail = ({ channel }: { channel: string }) => channel === "email";
    const row = (await world.settled(userId)).find(isEmail);
    expect(sent.map(({ id }) => id)).toEqual([claimed.id]);
    expect(row).toMatchObject({ attempts: 2, possibly_duplicated: true, status: "delivered" });
    expect(await sender.metrics.text()).toContain(
      'notification_possibly_duplicated_total{channel="email",role="test"} 1',
    );
    // Back from its pause, the first one may not mark any more; what became of its attempt is recorded all the same.
    const outcomes = async () =>
      (
        await world.db.sql`select outcome from delivery_attempts where delivery_id = ${claimed.id} order by attempt`
      ).map(({ outcome }) => outcome);
    expect(await outcomes()).toEqual(["unknown", "delivered"]);
    const late = {
      settlement: { status: "failed", reason: "late" },
      verdict: null,
      unsure: false,
      pauseMs: 0,
      ms: 7,
    } as const;
    expect(await settleDelivery(world.db, claimed, late)).toEqual({ status: null, fallback: null });
    expect(await outcomes()).toEqual(["failed", "delivered"]);
    expect((await world.rowsOf(userId)).find(isEmail)).toMatchObject({ status: "delivered" });
  });

  test("stopping waits for what is on its way and takes nothing new", async () => {
    const userId = await world.newUser(logged);
    await world.hear(triggered({ userId }));
    const answer = Promise.withResolvers<SendOutcome>();
    const { channel, sent } = scripted("log", (told) =>
      told.userId === userId ? answer.promise : { outcome: "delivered" },
    );
    const sender = world.startSenders([channel]);
    await until("it is being sent", () => sent.some((told) => told.userId === userId));
    const stopped = sender[Symbol.asyncDispose]();
    await world.hear(triggered({ userId }));
    answer.resolve({ outcome: "delivered" });
    await stopped;
    expect((await world.rowsOf(userId)).map(({ status }) => status).toSorted()).toEqual(["delivered", "pending"]);
  });

  test("deliveries added while their lane is being settled are never left behind", async () => {
    const userId = await world.newUser(logged);
    const { channel, sent } = scripted("log");
    await using senders = world.startSenders([channel]);
    for (let round = 0; round < 60; round++) {
      await world.hear(triggered({ userId }));
      senders.wakes.all();
    }
    await world.settled(userId);
    expect(sent.filter((told) => told.userId === userId)).toHaveLength(60);
  });

  test("what was settled long ago is pruned with its attempts; what waits stays", async () => {
    const userId = await world.newUser({ channels: [{ type: "in-app" }, { type: "email", to: "old@example.org" }] });
    await world.hear(triggered({ userId }), triggered({ userId }));
    await world.db.sql`
      update deliveries set created_at = created_at - interval '31 days', next_attempt_at = next_attempt_at - interval '31 days',
        delivered_at = delivered_at - interval '31 days'
      where user_id = ${userId}`;
    await world.hear(triggered({ userId }));
    const { signal } = new AbortController();
    expect(await pruneDeliveries(world.db.sql, { keepDays: 30, signal })).toBe(2);
    expect((await world.rowsOf(userId)).map(({ channel }) => channel).toSorted()).toEqual([
      "email",
      "email",
      "email",
      "in-app",
    ]);
  });

  test("lanes by which nothing has gone for long are forgotten and made again; those that are used or ill stay", async () => {
    const userId = await world.newUser({});
    const lane = async (over: Readonly<Record<string, unknown>>) => {
      const [id, values] = [Bun.randomUUIDv7(), { next_at: null, failures: 0, tested_at: null, days: 40, ...over }];
      await world.db.sql`
        insert into delivery_lanes (id, user_id, channel, target, next_at, failures, tested_at, created_at)
        values (${id}, ${userId}, 'webhook', ${id}, ${values.next_at}, ${values.failures}, ${values.tested_at},
          now() - ${values.days} * interval '1 day')`;
      return id;
    };
    const [unused, waiting, ill, tested, young] = [
      await lane({}),
      await lane({ next_at: new Date(Date.now() + 3_600_000) }),
      await lane({ failures: 1 }),
      await lane({ tested_at: new Date() }),
      await lane({ days: 20 }),
    ];
    expect(await pruneLanes(world.db.sql, { keepDays: 30 })).toBe(1);
    const left = await world.db.sql<{ id: string }[]>`select id from delivery_lanes where user_id = ${userId}`;
    expect(left.map(({ id }) => id).toSorted()).toEqual([waiting, ill, tested, young].toSorted());
    expect(left.map(({ id }) => id)).not.toContain(unused);
  });

  test("a lane that is pruned between being made and being locked is made again: what goes by it does not wait for ever", async () => {
    const [userId, id] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
    await world.db.sql`
      insert into delivery_lanes (id, user_id, channel, created_at) values (${id}, ${userId}, 'log', now() - interval '40 days')`;
    const left = await world.db.transaction(async (tx) => {
      let statements = 0;
      const interrupted = async (text: TemplateStringsArray, ...values: Parameters<typeof tx.array>[0]) => {
        const answer = await tx(text, ...values);
        if (++statements === 1) await pruneLanes(world.db.sql, { keepDays: 30 });
        return answer;
      };
      // All that locking uses of a transaction.
      await lockLanes(interrupted as unknown as typeof tx, [{ id, userId, channel: "log", target: "" }]);
      return await tx`select from delivery_lanes where id = ${id}`;
    });
    expect(left).toHaveLength(1);
  });

  test("what waited for longer than it is kept stays for as long after it was told, and what a digest told goes after it", async () => {
    const userId = await world.newUser(logged);
    await world.hear(triggered({ userId }), triggered({ userId }));
    await world.db.sql`
      update deliveries set bundle = 'quiet', created_at = created_at - interval '40 days' where user_id = ${userId}`;
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([scripted("log").channel]));
    await world.settled(userId);
    const prune = () => pruneDeliveries(world.db.sql, { keepDays: 30, signal: new AbortController().signal });
    expect(await prune()).toBe(0);
    await world.db.sql`
      update deliveries set created_at = created_at - interval '31 days', next_attempt_at = next_attempt_at - interval '31 days',
        delivered_at = delivered_at - interval '31 days'
      where user_id = ${userId}`;
    expect([await prune(), (await world.rowsOf(userId)).map(({ kind }) => kind)]).toEqual([
      1,
      ["reminder", "reminder"],
    ]);
    expect([await prune(), await world.rowsOf(userId)]).toEqual([2, []]);
  });

  test("a batch locks the lanes of all it writes and cancels in order of id, so that no two wait for each other", async () => {
    const users = await Promise.all([world.newUser(logged), world.newUser(logged)]);
    const [low = "", high = ""] = users.toSorted((a, b) => (laneOf(a, way) < laneOf(b, way) ? -1 : 1));
    const old = triggered({ userId: low });
    await world.hear(old, triggered({ userId: high }));
    const isFree = Promise.withResolvers<boolean>();
    let hearing: Promise<unknown> = Promise.resolve();
    await world.db.transaction(async (tx) => {
      await tx`select from delivery_lanes where id = ${laneOf(low, way)} for no key update`;
      hearing = world.hear(triggered({ userId: high }), dismissed(old));
      await until("the batch waits", async () => {
        const waiting = await world.db.sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        return waiting.length > 0;
      });
      const free = await tx`
        select from delivery_lanes where id = ${laneOf(high, way)} for no key update skip locked`;
      isFree.resolve(free.length === 1);
    });
    await hearing;
    expect(await isFree.promise).toBe(true);
  });

  test("a user's webhook is signed with the secret of this moment, and one taken away gets nothing more", async () => {
    const hook = { type: "webhook", url: "https://hooks.example.org/x", secret };
    const userId = await world.newUser({ channels: [hook] });
    await world.hear(triggered({ userId, title: "one" }));
    const other = `whsec_${"B".repeat(32)}`;
    await world.prefer(userId, { channels: [{ ...hook, secret: other }] });
    const { channel, sent } = scripted("webhook");
    await using senders = world.startSenders([channel]);
    await world.settled(userId);
    expect(sent).toMatchObject([{ target: hook.url, secret: other }]);
    await world.prefer(userId, { channels: [hook] });
    await world.hear(triggered({ userId, title: "two" }));
    await world.prefer(userId, { channels: [] });
    senders.wakes.all();
    expect(await world.settled(userId)).toMatchObject([
      { title: "one", status: "delivered" },
      { title: "two", status: "cancelled", reason: "no longer among the user's webhooks" },
    ]);
    expect(sent).toHaveLength(1);
  });

  test("an address taken away gets nothing more; the next way of its chain that is still named does", async () => {
    const to = (name: string) => ({ type: "email", to: `${name}@example.org` });
    const chain = { ...to("old"), else: { ...to("older"), else: { type: "log" } } };
    const [alone, chained] = [
      await world.newUser({ channels: [to("old")] }),
      await world.newUser({ channels: [chain] }),
    ];
    await world.hear(triggered({ userId: alone }), triggered({ userId: chained }));
    await world.prefer(alone, { channels: [to("new")] });
    await world.prefer(chained, { channels: [to("new"), { type: "log" }] });
    const [mail, log] = [scripted("email"), scripted("log")];
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([mail.channel, log.channel]));
    const reason = "no longer among the user's addresses";
    expect(await world.settled(alone)).toMatchObject([{ status: "cancelled", reason }]);
    const rows = await world.settled(chained);
    expect(rows.map(({ channel, target, status }) => [channel, target, status])).toEqual([
      ["email", "old@example.org", "failed"],
      ["log", "", "delivered"],
    ]);
    expect(mail.sent.filter(({ userId }) => [alone, chained].includes(userId))).toEqual([]);
  });

  test("a digest whose webhook was taken away is cancelled, with all it was to tell", async () => {
    const channels = [{ type: "webhook", url: "https://hooks.example.org/x", secret }];
    const userId = await world.newUser({ channels, muted_until: "2199-01-01T00:00:00.000Z" });
    await world.hear(triggered({ userId, lateSeconds: 9 }), triggered({ userId }));
    await world.prefer(userId, { channels: [] });
    await world.db.sql`update deliveries set due_at = clock_timestamp() where user_id = ${userId}`;
    await world.db.sql`update delivery_lanes set next_at = clock_timestamp() where user_id = ${userId}`;
    const { channel, sent } = scripted("webhook");
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([channel]));
    const fate = { status: "cancelled", reason: "no longer among the user's webhooks" };
    expect(await world.settled(userId)).toMatchObject([fate, fate, fate]);
    expect(sent).toEqual([]);
  });
});
