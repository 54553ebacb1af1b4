import { afterAll, beforeAll, expect, test } from "bun:test";
import { signIn, type Client, type Json } from "../support/client.ts";
import { readTopic } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

let system: System;
let gateway: string;
beforeAll(async () => {
  system = await startSystem();
  await system.start("recurring-task-worker");
  gateway = system.url("ui-gateway");
}, 150_000);
afterAll(() => system?.[Symbol.asyncDispose](), 30_000);

async function occurrences(client: Client, templateId: string): Promise<readonly Json[]> {
  const { items } = await client.must<Json>("GET", "/v1/tasks?status=all&limit=200");
  return items
    .filter((task) => task["template_id"] === templateId)
    .toSorted((a, b) => String(a["recurrence_id"]).localeCompare(String(b["recurrence_id"])));
}

test("a daily template makes its first occurrence, and completing one makes exactly the next", async () => {
  const ada = await signIn(gateway, "ada");
  const template = await ada.must("POST", "/v1/tasks", {
    title: "Stand-up notes",
    tags: ["work"],
    priority: "Medium",
    recurrence_pattern: { rrule: "FREQ=DAILY", tz: "Europe/Berlin", start: "2099-03-28T09:00" },
  });
  expect(template).toMatchObject({ is_recurring_template: true });
  const [first] = await until("the first occurrence", async () => {
    const found = await occurrences(ada, template.id);
    return found.length === 1 ? found : null;
  });
  expect(first).toMatchObject({
    title: "Stand-up notes",
    tags: ["work"],
    priority: "Medium",
    due_date: "2099-03-28T08:00:00.000Z",
    is_recurring_template: false,
  });
  await ada.must("POST", `/v1/tasks/${first?.id}/complete`);
  const [, second] = await until("the second occurrence", async () => {
    const found = await occurrences(ada, template.id);
    return found.length === 2 ? found : null;
  });
  // The clocks go forward that night: the same wall-clock time is an hour earlier in UTC.
  expect(second).toMatchObject({ due_date: "2099-03-29T07:00:00.000Z", status: "open" });
  await settled(system);
  expect(await occurrences(ada, template.id)).toHaveLength(2);
}, 60_000);

test("templates are not to-do items: no reminder, not in the default list", async () => {
  const ben = await signIn(gateway, "ben");
  const template = await ben.must("POST", "/v1/tasks", {
    title: "Water plants",
    recurrence_pattern: "weekly",
    due_date: "2099-01-01T10:00:00Z",
  });
  await until("its occurrence is there", async () => (await occurrences(ben, template.id)).length === 1);
  await settled(system);
  const open = await ben.must<Json>("GET", "/v1/tasks");
  expect(open.items.map((task) => task["is_recurring_template"])).toEqual([false]);
  const reminders = await ben.must<Json>("GET", "/v1/reminders");
  expect(reminders.items.map((reminder) => reminder["task_id"])).not.toContain(template.id);
}, 60_000);

test("anchored on completion, the next occurrence counts from when the last was done", async () => {
  const cleo = await signIn(gateway, "cleo");
  const template = await cleo.must("POST", "/v1/tasks", {
    title: "Change the filter",
    recurrence_pattern: { rrule: "FREQ=DAILY;INTERVAL=10", tz: "UTC", start: "2026-01-01T08:00", anchor: "completion" },
  });
  const [first] = await until("the first occurrence", async () => {
    const found = await occurrences(cleo, template.id);
    return found.length === 1 ? found : null;
  });
  await cleo.must("POST", `/v1/tasks/${first?.id}/complete`);
  const [, second] = await until("the second occurrence", async () => {
    const found = await occurrences(cleo, template.id);
    return found.length === 2 ? found : null;
  });
  const days = (Date.parse(String(second?.["due_date"])) - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(9);
  expect(days).toBeLessThan(11);
}, 60_000);

test("deleting a template stops new occurrences and leaves the open one", async () => {
  const dan = await signIn(gateway, "dan");
  const template = await dan.must("POST", "/v1/tasks", {
    title: "Backup",
    recurrence_pattern: { rrule: "FREQ=WEEKLY", tz: "UTC", start: "2099-01-05T08:00" },
  });
  const [open] = await until("the first occurrence", async () => {
    const found = await occurrences(dan, template.id);
    return found.length === 1 ? found : null;
  });
  await dan.must("DELETE", `/v1/tasks/${template.id}`);
  await settled(system);
  await dan.must("POST", `/v1/tasks/${open?.id}/complete`);
  await settled(system);
  expect((await occurrences(dan, template.id)).map((task) => task.id)).toEqual([String(open?.id)]);
}, 60_000);

test("with COUNT the series ends by itself", async () => {
  const eve = await signIn(gateway, "eve");
  const template = await eve.must("POST", "/v1/tasks", {
    title: "Antibiotics",
    recurrence_pattern: { rrule: "FREQ=DAILY;COUNT=2", tz: "UTC", start: "2099-01-05T08:00" },
  });
  for (const count of [1, 2]) {
    const open = await until(`occurrence ${count}`, async () => {
      const found = await occurrences(eve, template.id);
      return found.length === count ? found.at(-1) : null;
    });
    await eve.must("POST", `/v1/tasks/${open.id}/complete`);
    await settled(system);
  }
  expect(await occurrences(eve, template.id)).toHaveLength(2);
  const ended = await readTopic(system.env, "series-events");
  expect(ended.map(({ envelope }) => [envelope.type, envelope.subject])).toEqual([["SeriesEnded", template.id]]);
}, 60_000);

test("one is skipped, one done ahead, a completion undone, and the rest edited: no date is ever there twice", async () => {
  const fay = await signIn(gateway, "fay");
  const template = await fay.must("POST", "/v1/tasks", {
    title: "Water plants",
    recurrence_pattern: { rrule: "FREQ=DAILY;COUNT=6", tz: "UTC", start: "2099-01-05T08:00" },
  });
  const day = (date: number) => `2099-01-${String(date).padStart(2, "0")}T08:00:00`;
  const live = async (count: number) =>
    await until(`${count} live occurrences`, async () => {
      const { items } = await fay.must<Json>("GET", "/v1/tasks?status=all&limit=200");
      const made = items.filter((task) => task["template_id"] !== null);
      return made.length === count
        ? made.toSorted((a, b) => String(a["recurrence_id"]).localeCompare(String(b["recurrence_id"])))
        : null;
    });
  const [first] = await live(1);
  const series = `/v1/series/${template.id}`;
  await fay.must("POST", `${series}/occurrences/${day(6)}/skip`);
  await fay.must("POST", `${series}/occurrences/${day(8)}/complete`);
  await live(2);

  await fay.must("POST", `/v1/tasks/${first?.id}/complete`);
  const [, seventh] = await live(3);
  expect(seventh).toMatchObject({ recurrence_id: day(7), status: "open" });
  await fay.must("POST", `/v1/tasks/${first?.id}/reopen`);
  await live(2);
  await fay.must("POST", `/v1/tasks/${first?.id}/complete`);
  const [, again] = await live(3);
  expect(again).toMatchObject({ recurrence_id: `${day(7)}#2`, status: "open" });

  const edited = await fay.must("PATCH", `/v1/tasks/${again?.id}?scope=future`, { title: "Water the fern" });
  expect(edited).toMatchObject({ title: "Water the fern", recurrence_id: day(7) });
  await settled(system);
  await fay.must("POST", `/v1/tasks/${edited.id}/complete`);
  const all = await live(4);
  expect(all.map((task) => [String(task["recurrence_id"]).slice(8, 10), task["title"], task["status"]])).toEqual([
    ["05", "Water plants", "completed"],
    ["07", "Water the fern", "completed"],
    ["08", "Water plants", "completed"],
    ["09", "Water the fern", "open"],
  ]);
  const successor = await fay.must<Json>("GET", `/v1/series/${String(edited["template_id"])}`);
  expect(successor["next"]).toMatchObject([{ recurrence_id: day(9) }, { recurrence_id: day(10) }]);
  const history = await fay.must<Json>("GET", `${series}/history`);
  expect(history["totals"]).toMatchObject({ done: 2 });
}, 60_000);
