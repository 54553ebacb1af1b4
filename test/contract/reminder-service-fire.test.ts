import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { deriveId } from "../../shared/messages/derive-id.ts";
import type { Fire } from "../../shared/timers/due-rows.ts";
import { makeFireReminders } from "../../workers/reminder-service/fire-reminders.ts";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import { command, completed, created, deleted, otherUserId, updated } from "../support/guard-messages.ts";
import { startReminderTimers } from "../support/reminder-timers.ts";
import { writeTasks } from "../support/task-table.ts";
import { openReminderWorld, type ReminderWorld } from "../support/reminder-world.ts";
import { until } from "../support/until.ts";

let world: ReminderWorld;
let fire: Fire;
let notified = 0;
beforeAll(async () => {
  world = await openReminderWorld();
  fire = makeFireReminders({ db: world.db, codec: world.codec, notify: () => void notified++ });
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose](), 30_000);
afterEach(async () => {
  await world.db.sql`truncate reminders, reminder_guards, outbox`;
});

const hour = 3_600_000;
const newTask = () => crypto.randomUUID();

/** A task with a reminder due `inMs` from now, asked for an hour ago. */
async function scheduled(inMs: number, task = newTask()) {
  const asked = Date.now() - hour;
  const due = Date.now() + inMs;
  await world.handle(
    created(1, asked, { due, task }),
    command(1, { due: [due, 1, asked], status: ["open", 1, asked], task }),
  );
  const id = ruleReminderId(task, "PT0S");
  return { task, id, due, wakeup: { id, generation: 1, dueAt: new Date(due) } };
}
const statusOf = async (id: string) => {
  const found = (await world.reminders()).find((row) => row.id === id);
  return found && `${found.status} g${found.generation} v${found.version}`;
};

test("handling the same messages again, in any batch, changes nothing and says nothing", async () => {
  const task = newTask();
  const due = Date.now() + hour;
  const messages = [created(1, 1, { due, task }), command(1, { due: [due, 1, 1], task }), completed(2, 5, { task })];
  const first = await world.handle(...messages);
  expect(first.map(({ type, sequence }) => `${type} ${sequence}`)).toEqual([
    "ReminderScheduled 1",
    "ReminderDismissed 2",
  ]);
  const before = await world.reminders();
  expect(await world.handle(...messages)).toEqual([]);
  for (const message of messages) expect(await world.handle(message)).toEqual([]);
  expect(await world.reminders()).toEqual(before);
});

test("two instances that hear of a task at once make one guard and one reminder", async () => {
  const task = newTask();
  const due = Date.now() + hour;
  await Promise.all([
    world.handle(created(1, 1, { due, task })),
    world.handle(command(1, { due: [due, 1, 1], task })),
    world.handle(created(1, 1, { due, task })),
  ]);
  expect(await world.reminders()).toHaveLength(1);
});

test("a message of another user merges nothing", async () => {
  const { task, id } = await scheduled(hour);
  expect(await world.handle(completed(2, 5, { task, user: otherUserId }))).toEqual([]);
  expect(world.foreign).toContain("TaskCompleted");
  expect(await statusOf(id)).toBe("pending g1 v1");
});

test("a message of another user, heard first, does not take the task from its owner", async () => {
  const task = newTask();
  await writeTasks(world.db.sql, [created(1, 1, { due: null, task })]);
  const due = Date.now() + hour;
  await world.handle(command(9, { due: [due, 9, 1], task, user: otherUserId }));
  expect(await world.handle(created(1, 1, { due, task }), command(1, { due: [due, 1, 1], task }))).toHaveLength(1);
});

test("firing writes the state and one event with the row's version, a computed id and the due time", async () => {
  const { id, due, wakeup } = await scheduled(-50);
  const before = notified;
  expect(await fire([wakeup])).toEqual([{ id, outcome: "fired" }]);
  expect(notified).toBe(before + 1);
  expect(await statusOf(id)).toBe("triggered g1 v2");
  const event = (await world.outbox()).find(({ type }) => type === "ReminderTriggered");
  expect(event).toMatchObject({
    subject: id,
    sequence: 2,
    messageId: deriveId(id, "1", "triggered"),
    time: new Date(due),
    data: { id, generation: 1, remind_at: new Date(due).toISOString(), title: "a task" },
  });
  const [row] = await world.reminders();
  expect(event?.data["triggered_at"]).toBe(row?.triggeredAt?.toISOString());
  expect(await fire([wakeup])).toEqual([]);
  expect((await world.outbox()).filter(({ type }) => type === "ReminderTriggered")).toHaveLength(1);
});

test("of several of a task that come to one instant one fires, wherever the others come from and in whichever batch", async () => {
  for (const together of [true, false]) {
    const { task, id, due, wakeup } = await scheduled(-50);
    const own = newTask();
    await world.db.sql`
      insert into reminders (id, task_id, user_id, remind_at, generation, status, version)
      select ${own}, task_id, user_id, remind_at, 1, 'pending', 1 from reminders where id = ${id}`;
    const other = await scheduled(-50);
    const wakeups = [wakeup, { ...wakeup, id: own }, other.wakeup];
    const batches = together ? [wakeups] : wakeups.map((one) => [one]);
    const fired = (await Promise.all(batches.map((batch) => fire(batch)))).flat();
    // A guard that another batch is writing is not waited for.
    for (const { id: waiting } of fired.filter(({ outcome }) => outcome === "later"))
      await fire(wakeups.filter((one) => one.id === waiting));
    expect([await statusOf(own), await statusOf(id), await statusOf(other.id)]).toEqual([
      "triggered g1 v2",
      "dismissed g1 v2",
      "triggered g1 v2",
    ]);
    const told = (await world.outbox()).filter(({ subject, type }) => subject === id && type === "ReminderDismissed");
    expect(told.map(({ messageId, data }) => [messageId, data["reason"]])).toEqual([
      [deriveId(id, "1", "same_time"), "same_time"],
    ]);
    // Nothing brings it back for that instant.
    const asked = Date.now() - hour;
    expect(await world.handle(command(2, { due: [due, 1, asked], status: ["open", 1, asked], task }))).toEqual([]);
  }
});

test("what is later than it may be is dismissed as expired, once, told, and not scheduled again; what is not fires", async () => {
  const [late, inTime] = [await scheduled(-2 * 60_000), await scheduled(-2 * 60_000)];
  await world.db.sql`update reminders set drop_after = case id when ${late.id} then 'PT1M' else 'PT3M' end`;
  expect(await fire([late.wakeup, inTime.wakeup])).toEqual([{ id: inTime.id, outcome: "fired" }]);
  expect([await statusOf(late.id), await statusOf(inTime.id)]).toEqual(["dismissed g1 v2", "triggered g1 v2"]);
  expect(await fire([late.wakeup, inTime.wakeup])).toEqual([]);
  const told = (await world.outbox()).filter(({ type }) => type !== "ReminderScheduled");
  expect(told.map(({ type, subject, sequence }) => [type, subject, sequence]).toSorted()).toEqual(
    [
      ["ReminderDismissed", late.id, 2],
      ["ReminderTriggered", inTime.id, 2],
    ].toSorted(),
  );
  const event = told.find(({ type }) => type === "ReminderDismissed");
  expect(event).toMatchObject({
    messageId: deriveId(late.id, "1", "expired"),
    time: new Date(late.due),
    data: { id: late.id, generation: 1, reason: "expired" },
  });
  const row = (await world.reminders()).find(({ id }) => id === late.id);
  expect(row).toMatchObject({ reason: "expired", triggeredAt: null, dismissedFor: new Date(late.due) });
  // Whatever is heard of its task next, its instant stays past.
  expect(await world.handle(updated(2, Date.now(), { task: late.task, title: "new" }))).toEqual([]);
});

test("a hundred firings of the same rows at once fire each once", async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => scheduled(-10)));
  const batch = all.map(({ wakeup }) => wakeup).sort((a, b) => (a.id < b.id ? -1 : 1));
  const outcomes = await Promise.all(Array.from({ length: 100 }, () => fire(batch)));
  const fired = outcomes.flat().filter(({ outcome }) => outcome === "fired");
  expect(fired.map(({ id }) => id).toSorted()).toEqual(batch.map(({ id }) => id));
  expect((await world.outbox()).filter(({ type }) => type === "ReminderTriggered")).toHaveLength(20);
});

test("what is not due yet, or of an earlier generation, does not fire", async () => {
  const early = await scheduled(10_000);
  expect(await fire([early.wakeup])).toEqual([{ id: early.id, outcome: "later" }]);
  const moved = await scheduled(-hour / 2);
  // Asked a minute ago, so an instant half a minute ago is not past for it.
  await world.handle(updated(2, Date.now() - 60_000, { due: Date.now() - 30_000, task: moved.task }));
  expect(await statusOf(moved.id)).toBe("pending g2 v3");
  expect(await fire([moved.wakeup])).toEqual([]);
  const both = [{ ...moved.wakeup, generation: 2 }, moved.wakeup];
  expect(await fire(both)).toEqual([{ id: moved.id, outcome: "fired" }]);
});

test("a task that is closed never fires, even if its reminder were left pending", async () => {
  const { task, id, wakeup } = await scheduled(-10);
  await world.db.sql`update reminder_guards set closed = true where task_id = ${task}`;
  expect(await fire([wakeup])).toEqual([{ id, outcome: "later" }]);
  expect(await statusOf(id)).toBe("pending g1 v1");
});

test("a guard being written is not waited for, and keeps no other reminder", async () => {
  const [held, free] = [await scheduled(-10), await scheduled(-10)];
  await world.db.transaction(async (tx) => {
    await tx`select 1 from reminder_guards where task_id = ${held.task} for update`;
    const outcomes = await fire([held.wakeup, free.wakeup]);
    expect(outcomes).toContainEqual({ id: held.id, outcome: "later" });
    expect(outcomes).toContainEqual({ id: free.id, outcome: "fired" });
  });
  expect(await fire([held.wakeup])).toEqual([{ id: held.id, outcome: "fired" }]);
});

test("closing and firing at the same moment: each reminder ends fired or dismissed, told once, in order", async () => {
  const all = await Promise.all(Array.from({ length: 60 }, () => scheduled(30)));
  await Promise.all(
    all.flatMap(({ task, wakeup }, index) => [
      Bun.sleep(20 + Math.random() * 20).then(() =>
        world.handle((index % 2 ? completed : deleted)(2, Date.now(), { task })),
      ),
      Bun.sleep(30 + Math.random() * 5).then(() => fire([wakeup])),
    ]),
  );
  const written = await world.outbox();
  for (const { id } of all) {
    const ends = written.filter(({ subject, type }) => subject === id && type !== "ReminderScheduled");
    const status = await statusOf(id);
    expect(ends.map(({ type, sequence }) => `${type} ${sequence}`)).toEqual([
      status === "triggered g1 v2" ? "ReminderTriggered 2" : "ReminderDismissed 2",
    ]);
  }
}, 20_000);

test("500 due dates moved while two instances fire: no generation twice, none early, the last exactly once", async () => {
  await using _ = await startReminderTimers(world, { fire, count: 2 });
  const all = await Promise.all(Array.from({ length: 25 }, () => scheduled(700)));
  const versions = new Map<string, number>();
  await Promise.all(
    Array.from({ length: 500 }, async (_, index) => {
      const { task } = all[index % 25] ?? { task: "" };
      await Bun.sleep(500 + index * 4);
      const version = (versions.get(task) ?? 1) + 1;
      versions.set(task, version);
      const asked = Date.now();
      await world.handle(updated(version, asked, { due: asked + 20 + Math.round(Math.random() * 300), task }));
    }),
  );
  const pending = async () => (await world.reminders()).filter(({ status }) => status === "pending").length;
  await until("nothing is pending", async () => (await pending()) === 0);
  const fired = (await world.outbox()).filter(({ type }) => type === "ReminderTriggered");
  const keys = fired.map(({ subject, data }) => `${subject} ${String(data["generation"])}`);
  expect(new Set(keys).size).toBe(keys.length);
  for (const { createdAt, time } of fired) expect(createdAt.getTime()).toBeGreaterThanOrEqual(time.getTime());
  for (const { id, generation, status } of await world.reminders()) {
    expect(status).toBe("triggered");
    expect(keys.filter((key) => key === `${id} ${generation}`)).toHaveLength(1);
  }
}, 40_000);
