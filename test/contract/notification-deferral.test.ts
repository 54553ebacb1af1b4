import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { replanDeferred } from "../../workers/notification-service/plan/replan-deferred.ts";
import { until } from "../support/until.ts";
import {
  dismissed,
  of,
  openNotificationWorld,
  scheduledAnew,
  scripted,
  triggered,
  type NotificationWorld,
} from "./notification-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const email = { type: "email", to: "ada@example.org" };
/** Muted until somebody says that it is over, by `wakeUp`. */
const muted = { muted_until: "2199-01-01T00:00:00.000Z" };

describe.skipIf(!url)("what is put off, late or needless (needs DATABASE_URL)", () => {
  let world: NotificationWorld;
  beforeAll(async () => {
    world = await openNotificationWorld();
  }, 60_000);
  afterAll(async () => world?.[Symbol.asyncDispose](), 30_000);

  /** The window's end is here: what waits for it is due by the clock of the database. */
  const wakeUp = async (userId: string) => {
    await world.db.sql`
      update preferences set settings = settings || '{"muted_until": null}'::jsonb where user_id = ${userId}`;
    await world.db.sql`
      update deliveries set due_at = clock_timestamp() where user_id = ${userId} and bundle = 'quiet' and status = 'pending'`;
    await world.db
      .sql`update delivery_lanes set next_at = clock_timestamp() where user_id = ${userId} and next_at is not null`;
  };
  const summary = async (userId: string) =>
    (await world.rowsOf(userId)).map(({ kind, title, status, reason }) =>
      [kind === "digest" ? "digest" : title, status, ...(reason === null ? [] : [reason])].join(": "),
    );

  describe("quiet hours", () => {
    test("nothing goes out before the end; then one digest per channel tells all of it, oldest first", async () => {
      const userId = await world.newUser({ ...muted, channels: [{ type: "in-app" }, email] });
      const [mail, inApp] = [scripted("email"), scripted("in-app")];
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel, inApp.channel]));
      await world.hear(triggered({ userId, title: "newest" }));
      await world.hear(triggered({ userId, title: "oldest", lateSeconds: 7_200 }));
      await world.hear(triggered({ userId, title: "middle", lateSeconds: 3_600 }));
      await until(
        "the senders have looked",
        async () =>
          (
            await world.db
              .sql`select from delivery_lanes where user_id = ${userId} and next_at > now() + interval '1 day'`
          ).length === 2,
      );
      expect([mail.sent, inApp.sent]).toEqual([[], []]);
      await wakeUp(userId);
      await world.settled(userId);
      expect([mail.titles(), inApp.titles()]).toEqual([["oldest, middle, newest"], ["oldest, middle, newest"]]);
      expect(mail.sent).toMatchObject([
        { kind: "digest", target: "ada@example.org", reminders: [{ lateBy: 7_200 }, {}, {}] },
      ]);
      const { items } = await (await world.appFor(userId).request("/v1/notifications?channel=in-app")).json();
      expect(items).toMatchObject([
        { kind: "digest", status: "delivered", reminder_id: null, reminder_count: 3, read_at: null },
      ]);
      expect(items[0].reminders.map(({ title }: { title: string }) => title)).toEqual(["oldest", "middle", "newest"]);
      expect(await (await world.appFor(userId).request("/v1/notifications/unread")).json()).toEqual({ unread: 1 });
    });

    test("a single one goes as itself", async () => {
      const userId = await world.newUser({ ...muted, channels: [email] });
      const mail = scripted("email");
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel]));
      await world.hear(triggered({ userId, title: "alone" }));
      await wakeUp(userId);
      expect(await world.settled(userId)).toMatchObject([{ kind: "reminder", status: "delivered" }]);
      expect(mail.sent).toMatchObject([{ kind: "reminder", reminders: [{ title: "alone" }] }]);
    });

    test("an urgent one does not wait behind those put off", async () => {
      const userId = await world.newUser({ ...muted, channels: [email] });
      const mail = scripted("email");
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel]));
      await world.hear(triggered({ userId, title: "can wait" }));
      await world.hear(triggered({ userId, title: "urgent", priority: "High" }));
      await until("the urgent one is told", async () => (await summary(userId)).includes("urgent: delivered"));
      expect(mail.titles()).toEqual(["urgent"]);
      expect((await summary(userId)).toSorted()).toEqual(["can wait: pending", "urgent: delivered"]);
    });

    test("by the real end of a mute, without anybody's help", async () => {
      const userId = await world.newUser({ channels: [email] });
      const mutedUntil = new Date(Date.now() + 4_000); // longer than the hearing takes
      await world.prefer(userId, { channels: [email], muted_until: mutedUntil.toISOString() });
      const mail = scripted("email");
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel]));
      await world.hear(triggered({ userId, title: "a" }), triggered({ userId, title: "b" }));
      await world.settled(userId);
      const rows = await world.db.sql<{ at: Date }[]>`
        select delivered_at as at from deliveries where user_id = ${userId} and kind = 'digest'`;
      expect(rows).toHaveLength(1);
      expect(rows[0]?.at.getTime()).toBeGreaterThanOrEqual(mutedUntil.getTime());
      expect(mail.sent).toHaveLength(1);
    });
  });

  describe("quiet hours that begin while something is on its way", () => {
    const silence = (userId: string, channels: unknown) => world.prefer(userId, { ...muted, channels });
    const looked = (userId: string) =>
      until("nothing is to be looked at before the end", async () => {
        const rows = await world.db.sql`
          select from delivery_lanes where user_id = ${userId} and next_at < clock_timestamp() + interval '1 day'`;
        return rows.length === 0;
      });

    test("what is tried again and what waits behind it are put off; the one goes as itself, the others as a digest", async () => {
      const userId = await world.newUser({ channels: [email] });
      for (const title of ["tried", "a", "b"]) await world.hear(triggered({ userId, title }));
      const mail = scripted("email", async (_told, attempt) => {
        if (mail.sent.length > 1) return { outcome: "delivered" };
        await silence(userId, [email]);
        return { outcome: "retry", reason: `SMTP 451, attempt ${attempt}`, afterMs: 0 };
      });
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel]));
      await until("the first has failed", async () => (await world.rowsOf(userId)).some((row) => row.attempts === 1));
      await looked(userId);
      expect(mail.titles()).toEqual(["tried"]);
      expect(await summary(userId)).toEqual(["tried: pending", "a: pending", "b: pending"]);
      await wakeUp(userId);
      await world.settled(userId);
      expect(mail.titles().toSorted()).toEqual(["a, b", "tried", "tried"]);
    });

    test("what is urgent goes on, where that passes, and so does what somebody asked for again", async () => {
      const userId = await world.newUser({ channels: [email] });
      await world.hear(triggered({ userId, title: "again" }));
      const mail = scripted("email");
      await using running = new AsyncDisposableStack();
      const senders = running.use(world.startSenders([mail.channel]));
      const [row] = await world.settled(userId);
      await world.hear(
        triggered({ userId, title: "can wait", lateSeconds: 9 }),
        triggered({ userId, title: "urgent", priority: "High" }),
      );
      await silence(userId, [email]);
      await world.appFor(userId).request(`/v1/notifications/${row?.id}/resend`, { method: "POST" });
      senders.wakes.all();
      await looked(userId);
      expect(mail.titles().filter((title) => title === "again")).toHaveLength(2);
      expect(mail.titles()).toContain("urgent");
    });

    test("what takes the place of what failed waits, in the app too; a digest with an urgent one in it does not", async () => {
      const chain = [{ ...email, else: { type: "in-app" } }];
      const [calm, pressed] = [
        await world.newUser({ ...muted, channels: chain, urgent_passes: false }),
        await world.newUser({ ...muted, channels: chain, urgent_passes: false }),
      ];
      for (const userId of [calm, pressed]) await world.hear(triggered({ userId, title: "a", lateSeconds: 9 }));
      await world.hear(triggered({ userId: calm, title: "b" }));
      await world.hear(triggered({ userId: pressed, title: "b", priority: "High" }));
      const mail = scripted("email", async ({ userId }) => {
        await silence(userId, chain);
        return { outcome: "refused", reason: "SMTP 550" };
      });
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel, scripted("in-app").channel]));
      for (const userId of [calm, pressed]) await wakeUp(userId);
      await world.settled(pressed);
      await until("the calm one's mail has failed", async () => (await world.rowsOf(calm)).length === 4);
      await looked(calm);
      expect((await summary(calm)).toSorted()).toEqual([
        "a: bundled",
        "b: bundled",
        "digest: failed",
        "digest: pending",
      ]);
      await wakeUp(calm);
      await world.settled(calm);
      expect((await summary(calm)).toSorted()).toEqual([
        "a: delivered",
        "b: delivered",
        "digest: delivered",
        "digest: failed",
      ]);
    });
  });

  describe("preferences that change while something waits", () => {
    test("unmuting tells it now, as one digest; muting for longer tells it later", async () => {
      const [eager, sleepy] = [
        await world.newUser({ ...muted, channels: [email] }),
        await world.newUser({ ...muted, channels: [email] }),
      ];
      for (const userId of [eager, sleepy])
        await world.hear(triggered({ userId, title: "a", lateSeconds: 9 }), triggered({ userId, title: "b" }));
      const mail = scripted("email");
      await using running = new AsyncDisposableStack();
      const senders = running.use(world.startSenders([mail.channel]));
      expect(await replanDeferred(world.db)).toBe(0);
      await world.prefer(eager, { channels: [email] });
      await world.prefer(sleepy, { muted_until: "2199-02-01T00:00:00.000Z", channels: [email] });
      expect(await replanDeferred(world.db)).toBe(4);
      expect(await replanDeferred(world.db)).toBe(0);
      senders.wakes.all();
      await world.settled(eager);
      expect(mail.titles()).toEqual(["a, b"]);
      const rows = await world.db
        .sql`select due_at::text as due from deliveries where user_id = ${sleepy} and status = 'pending'`;
      expect(rows.map(({ due }) => String(due).slice(0, 10))).toEqual(["2199-02-01", "2199-02-01"]);
    });
    test("however long ago the change was, and for what was written by older preferences after it", async () => {
      const userId = await world.newUser({ ...muted, channels: [email] });
      await world.hear(triggered({ userId, title: "a", lateSeconds: 9 }), triggered({ userId, title: "b" }));
      await world.prefer(userId, { channels: [email] });
      await world.db.sql`
        update preferences set updated_at = now() - interval '1 day' where user_id = ${userId}`;
      expect(await replanDeferred(world.db)).toBe(2);
      expect(await replanDeferred(world.db)).toBe(0);
      const mail = scripted("email");
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel]));
      await world.settled(userId);
      expect(mail.titles()).toEqual(["a, b"]);
    });
    test("another change leaves the end as it was, and what came after the change is not touched", async () => {
      const userId = await world.newUser({ ...muted, channels: [email] });
      await world.hear(triggered({ userId }));
      await world.prefer(userId, { ...muted, channels: [email, { type: "in-app" }] });
      await world.hear(triggered({ userId }));
      expect(await replanDeferred(world.db)).toBe(0);
      expect((await world.rowsOf(userId)).map(({ status }) => status)).toEqual(["pending", "pending", "pending"]);
    });
  });

  describe("what needs no telling any more", () => {
    test("dismissed, moved on, completed or deleted before the end: the digest tells the rest, and the list says why", async () => {
      const userId = await world.newUser({ ...muted, channels: [email] });
      const titles = ["keep a", "dismissed", "moved", "completed", "deleted", "keep b"];
      const events = titles.map((title, index) => triggered({ userId, title, lateSeconds: 1000 - index }));
      const named = Object.fromEntries(titles.map((title, index) => [title, events[index] ?? triggered({ userId })]));
      await world.hear(...events);
      await world.hear(
        dismissed(named["dismissed"] ?? triggered({ userId })),
        scheduledAnew(named["moved"] ?? triggered({ userId })),
      );
      for (const [title, set] of [
        ["completed", { status: "completed" }],
        ["deleted", { status: "open", deleted: true }],
      ] as const)
        await insertTask(named[title] ?? triggered({ userId }), set);
      const mail = scripted("email");
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel]));
      await wakeUp(userId);
      await world.settled(userId);
      expect(mail.titles()).toEqual(["keep a, keep b"]);
      expect((await summary(userId)).toSorted()).toEqual([
        "completed: cancelled: task completed",
        "deleted: cancelled: task deleted",
        "digest: delivered",
        "dismissed: cancelled: dismissed: user",
        "keep a: delivered",
        "keep b: delivered",
        "moved: cancelled: scheduled anew",
      ]);
    });

    test("when nothing is left, nothing is sent", async () => {
      const userId = await world.newUser({ ...muted, channels: [email] });
      const [one, other] = [triggered({ userId }), triggered({ userId })];
      await world.hear(one, other);
      await world.hear(dismissed(one), dismissed(other, "completed"));
      const mail = scripted("email");
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel]));
      await wakeUp(userId);
      expect((await world.settled(userId)).map(({ reason }) => reason).toSorted()).toEqual([
        "dismissed: completed",
        "dismissed: user",
      ]);
      expect(mail.sent).toEqual([]);
    });

    test("a digest that has to be sent again tells only what still matters, and nothing at all once all is dismissed", async () => {
      const userId = await world.newUser({ ...muted, channels: [email] });
      const events = ["a", "b", "c"].map((title, index) => triggered({ userId, title, lateSeconds: 100 - index }));
      await world.hear(...events);
      const busy = Promise.withResolvers<void>();
      const mail = scripted("email", async (_told, attempt) => {
        if (attempt === 1) await busy.promise;
        return { outcome: "retry", reason: "SMTP 451", afterMs: attempt === 1 ? 0 : 30_000 };
      });
      await using running = new AsyncDisposableStack();
      const senders = running.use(world.startSenders([mail.channel]));
      await wakeUp(userId);
      await until("the first attempt is under way", () => mail.sent.length === 1);
      await world.hear(dismissed(events[0] ?? triggered({ userId }))); // while it is being sent
      busy.resolve();
      await until("the second attempt has failed", async () =>
        (await world.rowsOf(userId)).some(
          ({ kind, status, attempts }) => kind === "digest" && status === "pending" && attempts === 2,
        ),
      );
      await world.hear(...events.slice(1).map((event) => dismissed(event)));
      await world.db.sql`
        with due as (update delivery_lanes set next_at = clock_timestamp() where user_id = ${userId})
        update deliveries set next_attempt_at = clock_timestamp() where user_id = ${userId} and status = 'pending'`;
      senders.wakes.all();
      await world.settled(userId);
      expect(mail.titles()).toEqual(["a, b, c", "b, c"]);
      expect(await summary(userId)).toContain("digest: cancelled: nothing left to tell");
    });

    test("what is being sent when it is dismissed is not tried again", async () => {
      const userId = await world.newUser({ channels: [email] });
      const event = triggered({ userId, title: "too late" });
      await world.hear(event);
      const answer = Promise.withResolvers<void>();
      const mail = scripted("email", async () => {
        await answer.promise;
        return { outcome: "retry", reason: "SMTP 451", afterMs: 60_000 };
      });
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel]));
      await until("it is being sent", () => mail.sent.length === 1);
      await world.hear(dismissed(event));
      answer.resolve();
      await world.settled(userId);
      expect(await summary(userId)).toEqual(["too late: cancelled: dismissed: user"]);
      expect(mail.sent).toHaveLength(1);
    });

    test("what is dismissed during its last attempt takes no other way; a digest takes along what was not", async () => {
      const chain = [{ ...email, else: { type: "log" } }];
      const [single, several] = [
        await world.newUser({ channels: chain }),
        await world.newUser({ ...muted, channels: chain }),
      ];
      const one = triggered({ userId: single, title: "one" });
      const [a, b] = [
        triggered({ userId: several, title: "a", lateSeconds: 9 }),
        triggered({ userId: several, title: "b" }),
      ];
      await world.hear(one, a, b);
      const answer = Promise.withResolvers<void>();
      const mail = scripted("email", async () => {
        await answer.promise;
        return { outcome: "refused", reason: "SMTP 550" };
      });
      const log = scripted("log");
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel, log.channel]));
      await wakeUp(several);
      await until("both are being sent", () => mail.sent.length === 2);
      await world.hear(dismissed(one), dismissed(a));
      answer.resolve();
      for (const userId of [single, several]) await world.settled(userId);
      expect(log.titles()).toEqual(["b"]);
      expect(await summary(single)).toEqual(["one: cancelled: dismissed: user"]);
      expect((await summary(several)).toSorted()).toEqual([
        "a: cancelled: dismissed: user",
        "b: delivered",
        "digest: delivered",
        "digest: failed",
      ]);
    });

    test("only the generation that was moved on is, in one batch and for good", async () => {
      const userId = await world.newUser({ ...muted, channels: [email] });
      const old = triggered({ userId, title: "old", lateSeconds: 9 });
      const { id: reminderId, task_id: taskId } = of(old.data);
      const now = triggered({ userId, title: "new", reminderId, taskId, generation: 2 });
      await world.hear(old, scheduledAnew(old), now);
      expect(await summary(userId)).toEqual(["old: cancelled: scheduled anew", "new: pending"]);
      await world.hear(dismissed(old, "moved")); // late
      expect(await summary(userId)).toEqual(["old: cancelled: scheduled anew", "new: pending"]);
    });

    test("a firing heard after the one that took its place, as when it was redriven, is not told", async () => {
      const userId = await world.newUser({ channels: [email] });
      const old = triggered({ userId, title: "old" });
      const { id, task_id } = of(old.data);
      await world.db.sql`
        insert into reminders (id, task_id, user_id, remind_at, generation, status, version)
        values (${id}, ${task_id}, ${userId}, now() + interval '1 hour', 2, 'pending', 3)`;
      await world.hear(old);
      const mail = scripted("email");
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel]));
      expect(await world.settled(userId)).toMatchObject([{ status: "cancelled", reason: "scheduled anew" }]);
      expect(mail.sent).toEqual([]);
    });

    test("dismissing it, or snoozing it, counts what is in the app as read", async () => {
      const userId = await world.newUser({});
      const [one, other, third] = [triggered({ userId }), triggered({ userId }), triggered({ userId })];
      await world.hear(one, other, third);
      const unread = async () => (await (await world.appFor(userId).request("/v1/notifications/unread")).json()).unread;
      expect(await unread()).toBe(3);
      await world.hear(dismissed(one), scheduledAnew(other));
      expect(await unread()).toBe(1);
    });
  });

  describe("late ones", () => {
    test("deliver: each by itself, marked, oldest first, and no faster than the pace", async () => {
      const userId = await world.newUser({ channels: [email] });
      for (const lateSeconds of [600, 900, 300])
        await world.hear(triggered({ userId, title: `${lateSeconds}`, lateSeconds }));
      const times: number[] = [];
      const mail = scripted("email", () => {
        times.push(performance.now());
        return { outcome: "delivered" };
      });
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel], { paceMs: 200 }));
      await world.settled(userId);
      expect(mail.titles()).toEqual(["900", "600", "300"]);
      expect(mail.sent.map(({ reminders }) => reminders[0]?.lateBy)).toEqual([900, 600, 300]);
      const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(195); // The pause is the database's, the times are ours.
    });

    test("collapse: those of one catch-up become one, oldest first; one in time goes by itself", async () => {
      const userId = await world.newUser({ channels: [email], late: { policy: "collapse" } });
      const mail = scripted("email");
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([mail.channel]));
      await world.hear(triggered({ userId, title: "late", lateSeconds: 100 }), triggered({ userId, title: "in time" }));
      await world.hear(triggered({ userId, title: "later", lateSeconds: 200 }));
      await world.settled(userId);
      expect(mail.titles()).toEqual(["in time", "later, late"]);
    });

    test("what this service hears of late is late, though it fired in time", async () => {
      const userId = await world.newUser({ late: { policy: "drop", after: "PT1H" } });
      const at = new Date(Date.now() - 7_200_000);
      const event = triggered({ userId });
      if (event.type !== "ReminderTriggered") throw new Error("unreachable");
      await world.hear({ ...event, data: { ...event.data, remind_at: at, triggered_at: at } });
      expect(await world.rowsOf(userId)).toMatchObject([{ status: "dropped" }]);
    });

    test("drop: what is too late is not sent, and stands in the list with the reason", async () => {
      const userId = await world.newUser({ late: { policy: "drop", after: "PT1H" } });
      await world.hear(
        triggered({ userId, title: "late", lateSeconds: 3_600 }),
        triggered({ userId, title: "too late", lateSeconds: 3_601 }),
      );
      const { items } = await (await world.appFor(userId).request("/v1/notifications?status=dropped")).json();
      expect(items).toMatchObject([
        { title: "too late", late_by: 3_601, reason: "late by 3601 s, wanted within PT1H" },
      ]);
      expect(items).toHaveLength(1);
      expect(await (await world.appFor(userId).request("/v1/notifications/unread")).json()).toEqual({ unread: 1 });
    });
  });

  test("a digest whose channel fails for good is handed to the next of the chain, with what it tells", async () => {
    const userId = await world.newUser({ ...muted, channels: [{ ...email, else: { type: "log" } }] });
    await world.hear(triggered({ userId, title: "a", lateSeconds: 100 }), triggered({ userId, title: "b" }));
    const mail = scripted("email", () => ({ outcome: "refused", reason: "SMTP 550" }));
    const log = scripted("log");
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([mail.channel, log.channel]));
    await wakeUp(userId);
    await world.settled(userId);
    expect(log.titles()).toEqual(["a, b"]);
    expect((await summary(userId)).toSorted()).toEqual([
      "a: delivered",
      "b: delivered",
      "digest: delivered",
      "digest: failed",
    ]);
  });

  test("more than fit into one digest make a second", async () => {
    const userId = await world.newUser({ ...muted, channels: [email] });
    await world.hear(...Array.from({ length: 600 }, (_, index) => triggered({ userId, lateSeconds: 1_000 - index })));
    const mail = scripted("email");
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([mail.channel]));
    await wakeUp(userId);
    await world.settled(userId);
    expect(mail.sent.map(({ reminders }) => reminders.length)).toEqual([500, 100]);
  });

  async function insertTask(event: ReturnType<typeof triggered>, task: { status: string; deleted?: boolean }) {
    const { task_id, user_id } = of(event.data);
    await world.db.sql`
      insert into tasks (id, user_id, title, status, created_at, updated_at, completed_at, deleted_at)
      values (${task_id}, ${user_id}, 'x', ${task.status}, now(), now(),
        ${task.status === "completed" ? new Date() : null}, ${task.deleted ? new Date() : null})`;
  }
});
