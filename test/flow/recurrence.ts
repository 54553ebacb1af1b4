import { expect, test } from "bun:test";
import { signIn, type Client, type Json } from "../support/client.ts";
import { readTopic } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import { until } from "../support/until.ts";
import { gateway, system } from "./everyday-system.ts";

async function occurrences(client: Client, templateId: string): Promise<readonly Json[]> {
  const { items } = await client.must<Json>("GET", "/v1/tasks?status=all&limit=200");
  return items
    .filter((task) => task["template_id"] === templateId)
    .toSorted((a, b) => String(a["recurrence_id"]).localeCompare(String(b["recurrence_id"])));
}

test("a daily template makes its first occurrence, and completing one makes exactly the next", async () => {
  const hal = await signIn(gateway, "hal");
  const template = await hal.must("POST", "/v1/tasks", {
    title: "Stand-up notes",
    tags: ["work"],
    priority: "Medium",
    recurrence_pattern: { rrule: "FREQ=DAILY", tz: "Europe/Berlin", start: "2099-03-28T09:00" },
  });
  expect(template).toMatchObject({ is_recurring_template: true });
  const [first] = await until("the first occurrence", async () => {
    const found = await occurrences(hal, template.id);
    return found.length === 1 ? found : null;
  });
  expect(first).toMatchObject({
    title: "Stand-up notes",
    tags: ["work"],
    priority: "Medium",
    due_date: "2099-03-28T08:00:00.000Z",
    is_recurring_template: false,
  });
  await hal.must("POST", `/v1/tasks/${first?.id}/complete`);
  const [, second] = await until("the second occurrence", async () => {
    const found = await occurrences(hal, template.id);
    return found.length === 2 ? found : null;
  });
  // The clocks go forward that night: the same wall-clock time is an hour earlier in UTC.
  expect(second).toMatchObject({ due_date: "2099-03-29T07:00:00.000Z", status: "open" });
  await settled(system);
  expect(await occurrences(hal, template.id)).toHaveLength(2);
}, 60_000);

test("templates are not to-do items: no reminder, not in the default list", async () => {
  const ida = await signIn(gateway, "ida");
  const template = await ida.must("POST", "/v1/tasks", {
    title: "Water plants",
    recurrence_pattern: "weekly",
    due_date: "2099-01-01T10:00:00Z",
  });
  await until("its occurrence is there", async () => (await occurrences(ida, template.id)).length === 1);
  await settled(system);
  const open = await ida.must<Json>("GET", "/v1/tasks");
  expect(open.items.map((task) => task["is_recurring_template"])).toEqual([false]);
  const reminders = await ida.must<Json>("GET", "/v1/reminders");
  expect(reminders.items.map((reminder) => reminder["task_id"])).not.toContain(template.id);
}, 60_000);

test("anchored on completion, the next occurrence counts from when the last was done", async () => {
  const jon = await signIn(gateway, "jon");
  const template = await jon.must("POST", "/v1/tasks", {
    title: "Change the filter",
    recurrence_pattern: { rrule: "FREQ=DAILY;INTERVAL=10", tz: "UTC", start: "2026-01-01T08:00", anchor: "completion" },
  });
  const [first] = await until("the first occurrence", async () => {
    const found = await occurrences(jon, template.id);
    return found.length === 1 ? found : null;
  });
  await jon.must("POST", `/v1/tasks/${first?.id}/complete`);
  const [, second] = await until("the second occurrence", async () => {
    const found = await occurrences(jon, template.id);
    return found.length === 2 ? found : null;
  });
  const days = (Date.parse(String(second?.["due_date"])) - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(9);
  expect(days).toBeLessThan(11);
}, 60_000);

test("moved to another time, by its template or by a scope, each day of a series has one task, completed or not", async () => {
  const nia = await signIn(gateway, "nia");
  const pattern = (start: string) => ({ rrule: "FREQ=DAILY", tz: "UTC", start: `2099-02-01${start}` });
  const scopes = [null, "all", "future"] as const;
  const made = await Promise.all(
    scopes.map(async (scope) => {
      const { id } = await nia.must("POST", "/v1/tasks", { title: "Walk", recurrence_pattern: pattern("T09:00") });
      const nth = async (count: number) =>
        await until(`occurrence ${count}`, async () => (await occurrences(nia, id))[count - 1] ?? null);
      const first = await nth(1);
      const path = scope === null ? `/v1/tasks/${id}` : `/v1/tasks/${first.id}?scope=${scope}`;
      await nia.must("PATCH", path, { recurrence_pattern: pattern("T18:00") });
      await nia.must("POST", `/v1/tasks/${first.id}/complete`);
      const second = await nth(2);
      expect(second).toMatchObject({ due_date: "2099-02-02T18:00:00.000Z" });
      // Changed again, what is done stays the one of its day.
      await nia.must("PATCH", `/v1/tasks/${id}`, { recurrence_pattern: pattern("") });
      await nia.must("POST", `/v1/tasks/${second.id}/complete`);
      await nth(3);
      return { id, first: first.id };
    }),
  );
  await settled(system);
  for (const { id, first } of made) {
    const all = await occurrences(nia, id);
    expect(all[0]?.id).toBe(first);
    expect(all.map(({ due_on, due_date }) => due_on ?? due_date)).toEqual([
      "2099-02-01T18:00:00.000Z",
      "2099-02-02",
      "2099-02-03",
    ]);
  }
}, 120_000);

test("deleting a template stops new occurrences and leaves the open one", async () => {
  const kim = await signIn(gateway, "kim");
  const template = await kim.must("POST", "/v1/tasks", {
    title: "Backup",
    recurrence_pattern: { rrule: "FREQ=WEEKLY", tz: "UTC", start: "2099-01-05T08:00" },
  });
  const [open] = await until("the first occurrence", async () => {
    const found = await occurrences(kim, template.id);
    return found.length === 1 ? found : null;
  });
  await kim.must("DELETE", `/v1/tasks/${template.id}`);
  await settled(system);
  await kim.must("POST", `/v1/tasks/${open?.id}/complete`);
  await settled(system);
  expect((await occurrences(kim, template.id)).map((task) => task.id)).toEqual([String(open?.id)]);
}, 60_000);

test("with COUNT the series ends by itself", async () => {
  const lea = await signIn(gateway, "lea");
  const template = await lea.must("POST", "/v1/tasks", {
    title: "Antibiotics",
    recurrence_pattern: { rrule: "FREQ=DAILY;COUNT=2", tz: "UTC", start: "2099-01-05T08:00" },
  });
  for (const count of [1, 2]) {
    const open = await until(`occurrence ${count}`, async () => {
      const found = await occurrences(lea, template.id);
      return found.length === count ? found.at(-1) : null;
    });
    await lea.must("POST", `/v1/tasks/${open.id}/complete`);
    await settled(system);
  }
  expect(await occurrences(lea, template.id)).toHaveLength(2);
  const ended = await readTopic(system.env, "series-events");
  expect(ended.map(({ envelope }) => [envelope.type, envelope.subject])).toEqual([["SeriesEnded", template.id]]);
}, 60_000);

test("one is skipped, one done ahead, a completion undone, and the rest edited: no date is ever there twice", async () => {
  const max = await signIn(gateway, "max");
  const template = await max.must("POST", "/v1/tasks", {
    title: "Water plants",
    recurrence_pattern: { rrule: "FREQ=DAILY;COUNT=6", tz: "UTC", start: "2099-01-05T08:00" },
  });
  const day = (date: number) => `2099-01-${String(date).padStart(2, "0")}T08:00:00`;
  const live = async (count: number) =>
    await until(`${count} live occurrences`, async () => {
      const { items } = await max.must<Json>("GET", "/v1/tasks?status=all&limit=200");
      const made = items.filter((task) => task["template_id"] !== null);
      return made.length === count
        ? made.toSorted((a, b) => String(a["recurrence_id"]).localeCompare(String(b["recurrence_id"])))
        : null;
    });
  const [first] = await live(1);
  const series = `/v1/series/${template.id}`;
  await max.must("POST", `${series}/occurrences/${day(6)}/skip`);
  await max.must("POST", `${series}/occurrences/${day(8)}/complete`);
  await live(2);

  await max.must("POST", `/v1/tasks/${first?.id}/complete`);
  const [, seventh] = await live(3);
  expect(seventh).toMatchObject({ recurrence_id: day(7), status: "open" });
  await max.must("POST", `/v1/tasks/${first?.id}/reopen`);
  await live(2);
  await max.must("POST", `/v1/tasks/${first?.id}/complete`);
  const [, again] = await live(3);
  expect(again).toMatchObject({ recurrence_id: `${day(7)}#2`, status: "open" });

  const edited = await max.must("PATCH", `/v1/tasks/${again?.id}?scope=future`, { title: "Water the fern" });
  expect(edited).toMatchObject({ title: "Water the fern", recurrence_id: day(7) });
  await settled(system);
  await max.must("POST", `/v1/tasks/${edited.id}/complete`);
  const all = await live(4);
  expect(all.map((task) => [String(task["recurrence_id"]).slice(8, 10), task["title"], task["status"]])).toEqual([
    ["05", "Water plants", "completed"],
    ["07", "Water the fern", "completed"],
    ["08", "Water plants", "completed"],
    ["09", "Water the fern", "open"],
  ]);
  const successor = await max.must<Json>("GET", `/v1/series/${String(edited["template_id"])}`);
  expect(successor["next"]).toMatchObject([{ recurrence_id: day(9) }, { recurrence_id: day(10) }]);
  const history = await max.must<Json>("GET", `${series}/history`);
  expect(history["totals"]).toMatchObject({ done: 2 });
}, 60_000);
