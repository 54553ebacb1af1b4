import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { noteMails, putOffHourly } from "../../workers/notification-service/send/put-off-hourly.ts";
import { until } from "../support/until.ts";
import { openNotificationWorld, scripted, triggered, type NotificationWorld } from "./notification-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const email = (to: string) => ({ type: "email", to });
const reason = "only 2 an hour go to one address";

describe.skipIf(!url)("mails an hour (needs DATABASE_URL)", () => {
  let world: NotificationWorld;
  beforeAll(async () => {
    world = await openNotificationWorld();
  }, 60_000);
  afterAll(async () => world?.[Symbol.asyncDispose](), 30_000);

  const twoAnHour = () => scripted("email", () => ({ outcome: "delivered" }), { hourly: 2 });
  const hear = async (userId: string, titles: readonly string[]) => {
    for (const title of titles) await world.hear(triggered({ userId, title }));
  };
  /** By the clock of the database the last hour is over, and what waits for that is due. */
  const hourPasses = async (userId: string) => {
    await world.db.sql`update mail_attempts set at = at - interval '1 hour'`;
    await world.db.sql`
      update deliveries set due_at = due_at - interval '1 hour' where user_id = ${userId} and status = 'pending'`;
    await world.db.sql`
      update delivery_lanes set next_at = clock_timestamp() where user_id = ${userId} and next_at is not null`;
  };
  const insertPending = async (lanes: readonly { id: string; lane: string; userId: string }[]) => {
    for (const { id, lane, userId } of lanes)
      await world.db.sql`
        insert into deliveries (id, event_id, channel, lane, user_id, reminder_id, task_id, triggered_at)
        values (${id}, ${id}, 'email', ${lane}, ${userId}, ${id}, ${id}, clock_timestamp())`;
  };
  const put = async (userId: string) =>
    [
      ...(await world.db.sql<{ title: string; minutes: number; last_error: string }[]>`
        select title, round(extract(epoch from due_at - clock_timestamp()) / 60)::int as minutes, last_error
        from deliveries where user_id = ${userId} and status = 'pending' order by triggered_at`),
    ].map(({ title, minutes, last_error }) => [title, minutes, last_error]);

  test("what is more waits for the next hour, says why, and goes as one", async () => {
    const userId = await world.newUser({ channels: [email("first@example.org")] });
    const mail = twoAnHour();
    await using running = new AsyncDisposableStack();
    const senders = running.use(world.startSenders([mail.channel]));
    await hear(userId, ["a", "b"]);
    await until("two are sent", () => mail.sent.length === 2, { timeoutMs: 10_000 });
    await hear(userId, ["c", "d", "e"]);
    await until("the rest is put off", async () => (await put(userId)).every(([, , why]) => why === reason), {
      timeoutMs: 10_000,
    });
    expect(await put(userId)).toEqual(["c", "d", "e"].map((title) => [title, 60, reason]));
    const listed = await (await world.appFor(userId).request("/v1/notifications")).json();
    expect(listed.items.map((one: { title: string; reason: string | null }) => [one.title, one.reason])).toEqual([
      ["e", reason],
      ["d", reason],
      ["c", reason],
      ["b", null],
      ["a", null],
    ]);
    expect(mail.titles()).toEqual(["a", "b"]);
    await hourPasses(userId);
    senders.wakes.all();
    await world.settled(userId);
    expect(mail.titles()).toEqual(["a", "b", "c, d, e"]);
  });

  test("another address is not held up; another person, another spelling and another instance do not add to the number", async () => {
    const ada = await world.newUser({ channels: [email("ada@example.org"), email("home@example.org")] });
    const ben = await world.newUser({ channels: [email("Ada@Example.org"), email("ada+x@example.org")] });
    const mail = twoAnHour();
    await hear(ada, ["a", "b", "c"]);
    await hear(ben, ["x", "y"]);
    await using running = new AsyncDisposableStack();
    for (let instance = 0; instance < 3; instance++) running.use(world.startSenders([mail.channel]));
    const waiting = async () => [...(await put(ada)), ...(await put(ben))];
    await until(
      "the rest waits",
      async () => (await waiting()).length === 6 && (await waiting()).every(([, , why]) => why === reason),
      { timeoutMs: 10_000 },
    );
    const sentTo = (mailbox: RegExp) => mail.sent.filter(({ target }) => mailbox.test(target)).length;
    expect([sentTo(/^ada/i), sentTo(/^home/)]).toEqual([2, 2]);
  });

  test("the number holds for any hour, not from one full hour to the next", async () => {
    const userId = await world.newUser({ channels: [email("sliding@example.org")] });
    const mail = twoAnHour();
    await using running = new AsyncDisposableStack();
    const senders = running.use(world.startSenders([mail.channel]));
    await hear(userId, ["a"]);
    await until("one is sent", () => mail.sent.length === 1, { timeoutMs: 10_000 });
    await world.db.sql`update mail_attempts set at = at - interval '59 min' where mailbox = 'sliding@example.org'`;
    await hear(userId, ["b", "c", "d"]);
    await until("the rest waits", async () => (await put(userId)).filter(([, , why]) => why === reason).length === 2, {
      timeoutMs: 10_000,
    });
    expect(await put(userId)).toEqual(["c", "d"].map((title) => [title, 1, reason]));
    await world.db.sql`update mail_attempts set at = at - interval '1 min' where mailbox = 'sliding@example.org'`;
    await world.db.sql`
      update deliveries set due_at = clock_timestamp() where user_id = ${userId} and status = 'pending'`;
    await world.db.sql`update delivery_lanes set next_at = clock_timestamp() where user_id = ${userId}`;
    senders.wakes.all();
    await world.settled(userId);
    expect(mail.titles()).toEqual(["a", "b", "c, d"]);
  });

  test("two claims at once to one mailbox wait for each other, so that both do not take the last place", async () => {
    const due = (target: string) => {
      const id = Bun.randomUUIDv7();
      return [{ lane: id, id, userId: id, target }];
    };
    const [counting, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = world.db.transaction(async (tx) => {
      expect(await putOffHourly(tx, due("last@example.org"), 1)).toEqual(new Set());
      counting.resolve();
      await done.promise;
      await noteMails(tx, ["last@example.org"]);
    });
    await counting.promise;
    let answered = false;
    const lanes = due("LAST@example.org");
    await insertPending(lanes);
    const second = world.db.transaction((tx) => putOffHourly(tx, lanes, 1)).finally(() => (answered = true));
    await Bun.sleep(200); // it would have answered by now
    expect(answered).toBe(false);
    done.resolve();
    await first;
    expect(await second).toEqual(new Set(lanes.map(({ id }) => id)));
  });

  test("what a sender that vanished had begun counts and is put off like the rest", async () => {
    const userId = await world.newUser({ channels: [email("vanished@example.org")] });
    await hear(userId, ["a", "b"]);
    await world.db.sql`
      insert into mail_attempts (mailbox) values ('vanished@example.org'), ('vanished@example.org')`;
    await world.db.sql`
      update deliveries set status = 'sending', claim = gen_random_uuid(), attempts = 1, lease_until = clock_timestamp()
      where user_id = ${userId} and title = 'a'`;
    const mail = twoAnHour();
    await using _ = world.startSenders([mail.channel]);
    await until("both wait", async () => (await put(userId)).filter(([, , why]) => why === reason).length === 2, {
      timeoutMs: 10_000,
    });
    expect(mail.sent).toEqual([]);
    const [row] = (await world.rowsOf(userId)).filter(({ title }) => title === "a");
    expect(row).toMatchObject({ status: "pending", attempts: 1, possibly_duplicated: true });
  });

  test("tries that fail count, and so does sending again by hand", async () => {
    const userId = await world.newUser({ channels: [email("again@example.org")] });
    let works = false;
    const mail = scripted(
      "email",
      () => (works ? { outcome: "delivered" } : { outcome: "refused", reason: "SMTP 550" }),
      { hourly: 2 },
    );
    await using running = new AsyncDisposableStack();
    const senders = running.use(world.startSenders([mail.channel]));
    await hear(userId, ["a"]);
    const [row] = await world.settled(userId);
    works = true;
    const again = async () => {
      const app = world.appFor(userId);
      const { status } = await app.request(`/v1/notifications/${row?.id}/resend`, { method: "POST" });
      senders.wakes.all();
      return status;
    };
    expect(await again()).toBe(202);
    await world.settled(userId);
    expect(await again()).toBe(202);
    await until("the third waits", async () => (await put(userId)).some(([, , why]) => why === reason), {
      timeoutMs: 10_000,
    });
    expect(mail.sent).toHaveLength(2);
    await hourPasses(userId);
    senders.wakes.all();
    await world.settled(userId);
    expect(mail.sent).toHaveLength(3);
  });
});
