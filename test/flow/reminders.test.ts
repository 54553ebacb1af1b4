import { afterAll, beforeAll, expect, test } from "bun:test";
import { openStream, signIn, type Client, type Json } from "../support/client.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

let system: System;
let gateway: string;
beforeAll(async () => {
  system = await startSystem();
  await system.start("reminder-service");
  gateway = system.url("ui-gateway");
}, 90_000);
afterAll(() => system?.[Symbol.asyncDispose](), 30_000);

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

async function remindersOf(client: Client, taskId: string): Promise<readonly Json[]> {
  const { items } = await client.must<Json>("GET", "/v1/reminders?limit=200");
  return items.filter((reminder) => reminder["task_id"] === taskId);
}

const statuses = async (client: Client, taskId: string) =>
  (await remindersOf(client, taskId)).map((reminder) => reminder["status"]).toSorted();

test("with two reminder services a due task reminds once, not early, and a notification is delivered", async () => {
  const ada = await signIn(gateway, "ada");
  using stream = await openStream(gateway, ada);
  const due = inSeconds(3);
  const task = await ada.must("POST", "/v1/tasks", { title: "Call the dentist", due_date: due });
  const isTriggered = (reminders: unknown) =>
    Array.isArray(reminders) && reminders.some((reminder) => reminder.status === "triggered");
  await stream.waitFor(
    "the triggered reminder",
    ({ data }) => data.task_id === task.id && isTriggered(data.payload["reminders"]),
  );
  const [reminder, ...more] = await remindersOf(ada, task.id);
  expect(more).toEqual([]);
  expect(reminder).toMatchObject({ status: "triggered", remind_at: due });
  expect(Date.parse(String(reminder?.["triggered_at"]))).toBeGreaterThanOrEqual(Date.parse(due));
  const delivered = await until("the notification is delivered", async () => {
    const { items } = await ada.must<Json>("GET", "/v1/notifications");
    return items.find((item) => item["task_id"] === task.id && item["status"] === "delivered") ?? null;
  });
  expect(delivered).toMatchObject({ reminder_id: reminder?.id, channel: "log" });
});

test("moving, clearing, completing, reopening and deleting a task move its reminder along", async () => {
  const ben = await signIn(gateway, "ben");
  const task = await ben.must("POST", "/v1/tasks", { title: "Report", due_date: inSeconds(3600) });
  await until("a reminder is scheduled", async () => (await statuses(ben, task.id)).join() === "pending");
  const later = inSeconds(7200);
  await ben.must("PATCH", `/v1/tasks/${task.id}`, { due_date: later });
  await until("it moved", async () =>
    (await remindersOf(ben, task.id)).some((r) => r["status"] === "pending" && r["remind_at"] === later),
  );
  expect((await statuses(ben, task.id)).filter((status) => status === "pending")).toHaveLength(1);
  await ben.must("POST", `/v1/tasks/${task.id}/complete`);
  await until("it is dismissed", async () => !(await statuses(ben, task.id)).includes("pending"));
  await ben.must("POST", `/v1/tasks/${task.id}/reopen`);
  await until("it is back", async () => (await statuses(ben, task.id)).includes("pending"));
  await ben.must("PATCH", `/v1/tasks/${task.id}`, { due_date: null });
  await until("it is gone with the due date", async () => !(await statuses(ben, task.id)).includes("pending"));
  await ben.must("PATCH", `/v1/tasks/${task.id}`, { due_date: later });
  await until("it is back with the due date", async () => (await statuses(ben, task.id)).includes("pending"));
  await ben.must("DELETE", `/v1/tasks/${task.id}`);
  await until("it is dismissed with the task", async () => !(await statuses(ben, task.id)).includes("pending"));
}, 60_000);

test("a reminder of one's own can be set and dismissed; one in the past is refused by name", async () => {
  const cleo = await signIn(gateway, "cleo");
  const task = await cleo.must("POST", "/v1/tasks", { title: "Pack" });
  const past = await cleo.call("POST", `/v1/tasks/${task.id}/reminders`, { remind_at: inSeconds(-60) });
  expect({ status: past.status, names: JSON.stringify(past.body).includes("remind_at") }).toEqual({
    status: 422,
    names: true,
  });
  const reminder = await cleo.must("POST", `/v1/tasks/${task.id}/reminders`, { remind_at: inSeconds(600) });
  expect(reminder).toMatchObject({ task_id: task.id, status: "pending" });
  expect(await cleo.must("POST", `/v1/reminders/${reminder.id}/dismiss`)).toMatchObject({ status: "dismissed" });
  expect(await cleo.must("POST", `/v1/reminders/${reminder.id}/dismiss`)).toMatchObject({ status: "dismissed" });
});

test("with Redis flushed and both services killed while it was armed, a reminder still fires once and not early", async () => {
  const dan = await signIn(gateway, "dan");
  const due = inSeconds(6);
  const task = await dan.must("POST", "/v1/tasks", { title: "Survive", due_date: due });
  await until("it is scheduled", async () => (await statuses(dan, task.id)).join() === "pending");
  await Promise.all([system.kill("reminder-service", 1), system.kill("reminder-service", 2)]);
  await forgetRedis(system.env["REDIS_URL"] ?? "", system.env["REDIS_PREFIX"] ?? "");
  await Promise.all([system.restart("reminder-service", 1), system.restart("reminder-service", 2)]);
  await until("it has fired", async () => (await statuses(dan, task.id)).join() === "triggered", { timeoutMs: 20_000 });
  const [reminder] = await remindersOf(dan, task.id);
  expect(Date.parse(String(reminder?.["triggered_at"]))).toBeGreaterThanOrEqual(Date.parse(due));
  const sent = await until("its notification is there", async () => {
    const { items } = await dan.must<Json>("GET", "/v1/notifications");
    const mine = items.filter((item) => item["task_id"] === task.id);
    return mine.length > 0 ? mine : null;
  });
  expect(sent).toHaveLength(1);
}, 60_000);

/** Deletes every key of this system: for it, the same as FLUSHALL, without taking the keys of its neighbours. */
async function forgetRedis(url: string, prefix: string): Promise<void> {
  const redis = new Bun.RedisClient(url);
  const keys = (await redis.send("KEYS", [`*${prefix}*`])) as string[];
  expect(keys.length).toBeGreaterThan(0);
  await redis.send("DEL", keys);
  redis.close();
}
