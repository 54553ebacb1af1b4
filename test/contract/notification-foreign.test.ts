import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ReceivedMessage } from "../../shared/messages/message.ts";
import {
  dismissed,
  of,
  openNotificationWorld,
  scheduledAnew,
  triggered,
  type NotificationWorld,
} from "./notification-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

describe.skipIf(!url)("messages that name another user (needs DATABASE_URL)", () => {
  let world: NotificationWorld;
  beforeAll(async () => {
    world = await openNotificationWorld();
  }, 60_000);
  afterAll(async () => world?.[Symbol.asyncDispose](), 30_000);

  /** The same message as if it were this user's. */
  const inNameOf = (userId: string, message: ReceivedMessage): ReceivedMessage =>
    // The payload stays what its type says.
    ({ ...message, data: { ...message.data, user_id: userId } }) as ReceivedMessage;
  /** A reminder of a user that has fired and waits in quiet hours, with its row and its task's where these are kept. */
  const waiting = async (kept: boolean) => {
    const userId = await world.newUser({ muted_until: "2190-01-01T00:00:00Z", channels: [{ type: "in-app" }] });
    const event = triggered({ userId });
    const { id, task_id } = of(event.data);
    if (kept) {
      await world.db.sql`
        insert into tasks (id, user_id, title, created_at, updated_at)
        values (${task_id}, ${userId}, 'secret', clock_timestamp(), clock_timestamp())`;
      await world.db.sql`
        insert into reminders (id, task_id, user_id, remind_at, generation, status, version)
        values (${id}, ${task_id}, ${userId}, clock_timestamp(), 1, 'triggered', 2)`;
    }
    await world.hear(event);
    return { userId, event };
  };
  const statuses = async (userId: string) => (await world.rowsOf(userId)).map(({ status }) => status);

  test.each([
    ["with the rows of reminder and task", true],
    ["where nobody else keeps a row of it", false],
  ])("cancel nothing of the one whose reminder it is, %s", async (_how, kept) => {
    const { userId, event } = await waiting(kept);
    const forger = Bun.randomUUIDv7();
    await world.hear(inNameOf(forger, dismissed(event)), inNameOf(forger, scheduledAnew(event)));
    expect(await statuses(userId)).toEqual(["pending"]);
    await world.hear(dismissed(event));
    expect(await statuses(userId)).toEqual(["cancelled"]);
  });

  test("make nothing, neither by the reminder nor by the task alone, and are counted", async () => {
    const { event } = await waiting(true);
    const forger = await world.newUser({ channels: [{ type: "in-app" }] });
    const byTask = triggered({ userId: forger, taskId: of(event.data).task_id });
    await world.hear(inNameOf(forger, event), byTask, triggered({ userId: forger, title: "own" }));
    expect((await world.rowsOf(forger)).map(({ title }) => title)).toEqual(["own"]);
    expect(await world.metrics.text()).toContain('delivery_foreign_user_total{type="ReminderTriggered",role="test"} 2');
  });
});
