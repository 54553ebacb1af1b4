import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openNotificationWorld, scripted, triggered, type NotificationWorld } from "./notification-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

describe.skipIf(!url)("the clock a reminder is told on (needs DATABASE_URL)", () => {
  let world: NotificationWorld;
  beforeAll(async () => {
    world = await openNotificationWorld();
  }, 60_000);
  afterAll(async () => world?.[Symbol.asyncDispose](), 30_000);

  const newTask = async (userId: string, due: Readonly<{ tz?: string; on?: string }>) => {
    const id = Bun.randomUUIDv7();
    await world.db.sql`
      insert into tasks (id, user_id, title, created_at, updated_at, due_tz, due_on, due_date)
      values (${id}, ${userId}, 'a task', clock_timestamp(), clock_timestamp(), ${due.tz ?? null}, ${due.on ?? null},
        ${due.on === undefined ? "2030-01-01T00:00:00Z" : null}::timestamptz)`;
    return id;
  };
  const setup = async (settings: Record<string, unknown>) => {
    const userId = await world.newUser({ tz: "Asia/Kolkata", ...settings });
    const tasks = [
      await newTask(userId, {}),
      await newTask(userId, { tz: "Europe/Berlin" }),
      await newTask(userId, { tz: "America/Lima", on: "2030-01-02" }),
      Bun.randomUUIDv7(),
    ];
    await world.hear(...tasks.map((taskId) => triggered({ userId, taskId })));
    return { userId, tasks };
  };
  const placed = [
    ["Asia/Kolkata", null],
    ["Europe/Berlin", null],
    ["America/Lima", "2030-01-02"],
    ["Asia/Kolkata", null],
  ] as const;

  test.each(["log", "email", "webhook"] as const)(
    "%s: the due's, else the person's of this moment; the day of an all-day task",
    async (type) => {
      const way = {
        log: {},
        email: { to: "ada@example.org" },
        webhook: { url: "https://example.org/x", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
      };
      const { userId, tasks } = await setup({ channels: [{ type, ...way[type] }] });
      const { channel, sent } = scripted(type);
      await using running = new AsyncDisposableStack();
      running.use(world.startSenders([channel]));
      await world.settled(userId);
      const told = new Map(
        sent
          .filter((one) => one.userId === userId)
          .flatMap(({ reminders }) => reminders.map((one) => [one.taskId, one])),
      );
      expect(tasks.map((id) => [told.get(id)?.tz, told.get(id)?.dueOn])).toEqual(placed.map((one) => [...one]));
    },
  );

  test("the operator's webhook tells it on the person's clock, too", async () => {
    const { userId, tasks } = await setup({ channels: [{ type: "log" }] });
    await world.db.sql`update deliveries set channel = 'operator-webhook' where user_id = ${userId}`;
    await world.db.sql`update delivery_lanes set channel = 'operator-webhook' where user_id = ${userId}`;
    const { channel, sent } = scripted("operator-webhook");
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([channel]));
    await world.settled(userId);
    const zones = tasks.map((id) => sent.find(({ reminders: [one] }) => one?.taskId === id)?.reminders[0]?.tz);
    expect(zones).toEqual(placed.map(([tz]) => tz));
  });

  test("a digest and the list of notifications tell each on its own", async () => {
    const { userId, tasks } = await setup({ channels: [{ type: "log" }], muted_until: "2199-01-01T00:00:00.000Z" });
    await world.prefer(userId, { tz: "Asia/Tokyo", channels: [{ type: "log" }] });
    await world.db.sql`update deliveries set due_at = clock_timestamp() where user_id = ${userId}`;
    await world.db.sql`update delivery_lanes set next_at = clock_timestamp() where user_id = ${userId}`;
    const { channel, sent } = scripted("log");
    await using running = new AsyncDisposableStack();
    running.use(world.startSenders([channel]));
    await world.settled(userId);
    const told = sent.flatMap(({ reminders }) => reminders);
    const { items } = await (await world.appFor(userId).request("/v1/notifications")).json();
    type Item = Readonly<{ task_id: string; tz: string; due_on: string | null; remind_at_local: string }>;
    const [digest] = items as readonly Readonly<{ kind: string; tz: string; reminders: readonly Item[] }>[];
    const listed = tasks.map((id) => digest?.reminders.find(({ task_id }) => task_id === id));
    const expected = placed.map(([tz, on]) => [tz === "Asia/Kolkata" ? "Asia/Tokyo" : tz, on]);
    expect([digest?.kind, digest?.tz]).toEqual(["digest", "Asia/Tokyo"]);
    expect(listed.map((one) => [one?.tz, one?.due_on])).toEqual(expected);
    expect(listed[1]?.remind_at_local).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]{12}\+0[12]:00$/);
    expect(tasks.map((id) => told.find(({ taskId }) => taskId === id)).map((one) => [one?.tz, one?.dueOn])).toEqual(
      expected,
    );
  });
});
