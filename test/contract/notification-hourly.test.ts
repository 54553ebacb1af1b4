import { afterAll, beforeAll, describe, expect, test } from "bun:test";
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
  /** By the clock of the database the hour of these lanes is over, and what waits for that is due. */
  const hourPasses = async (userId: string) => {
    await world.db.sql`
      update deliveries set due_at = due_at - interval '1 hour' where user_id = ${userId} and status = 'pending'`;
    await world.db.sql`
      update delivery_lanes set hour_began = hour_began - interval '1 hour', next_at = clock_timestamp()
      where user_id = ${userId} and next_at is not null`;
  };
  const put = async (userId: string) =>
    [
      ...(await world.db.sql<{ title: string; minutes: number; last_error: string }[]>`
        select title, round(extract(epoch from due_at - clock_timestamp()) / 60)::int as minutes, last_error
        from deliveries where user_id = ${userId} and status = 'pending' order by triggered_at`),
    ].map(({ title, minutes, last_error }) => [title, minutes, last_error]);

  test("what is more waits for the next hour, says why, and goes as one", async () => {
    const userId = await world.newUser({ channels: [email("ada@example.org")] });
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

  test("another address and another person are not held up", async () => {
    const ada = await world.newUser({ channels: [email("ada@example.org"), email("home@example.org")] });
    const ben = await world.newUser({ channels: [email("ada@example.org")] });
    const mail = twoAnHour();
    await using _ = world.startSenders([mail.channel]);
    await hear(ada, ["a", "b", "c"]);
    await hear(ben, ["x", "y"]);
    await until("all that may go have gone", () => mail.sent.length === 6, { timeoutMs: 10_000 });
    expect(mail.titles().toSorted()).toEqual(["a", "a", "b", "b", "x", "y"]);
    await until("the rest waits", async () => (await put(ada)).every(([, , why]) => why === reason), {
      timeoutMs: 10_000,
    });
    expect(await put(ada)).toHaveLength(2);
  });

  test("tries that fail count, and so does sending again by hand", async () => {
    const userId = await world.newUser({ channels: [email("ada@example.org")] });
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
