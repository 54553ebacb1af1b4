import { expect, test } from "bun:test";
import { openStream, signIn, type Client, type Json } from "../support/client.ts";
import { until } from "../support/until.ts";
import { gateway } from "./everyday-system.ts";

const remindersOf = async (client: Client, taskId: string) =>
  (await client.must<Json>("GET", `/v1/reminders?task_id=${taskId}`)).items;
const occurrencesOf = async (client: Client, templateId: string) =>
  (await client.must<Json>("GET", `/v1/tasks?template_id=${templateId}`)).items;

test("a task that was deleted and restored reminds once, and streams and polls tell it as there", async () => {
  const ann = await signIn(gateway, `ann-${crypto.randomUUID()}`);
  using stream = await openStream(gateway, ann);
  const due = new Date(Date.now() + 20_000).toISOString();
  const task = await ann.must("POST", "/v1/tasks", { title: "Call the dentist", due_date: due });
  const statuses = async () => (await remindersOf(ann, task.id)).map((reminder) => reminder["status"]).join();
  await until("a reminder waits", async () => (await statuses()) === "pending");
  await ann.must("DELETE", `/v1/tasks/${task.id}`);
  await until("it is dismissed with the task", async () => (await statuses()) === "dismissed");
  const { items } = await ann.must<Json>("GET", "/v1/tasks?deleted=true");
  expect(items.map(({ id }) => id)).toEqual([task.id]);
  await stream.waitFor("its deletion", ({ data }) => data.task_id === task.id && data.change_type === "deleted");
  const { cursor } = await ann.must<{ cursor: string }>("GET", "/v1/sync?wait=0");

  const restored = await ann.must("POST", `/v1/tasks/${task.id}/restore`);
  expect(restored).toMatchObject({ id: task.id, deleted_at: null, status: "open" });
  expect(await ann.must("GET", `/v1/tasks/${task.id}/reminders`)).toMatchObject({ items: [{ status: "pending" }] });
  const { data } = await stream.waitFor("the task again", (event) => {
    const shown = event.event === "task.changed" ? event.data.payload : null;
    return shown?.id === task.id && shown.version === restored.version;
  });
  expect(data).toMatchObject({ change_type: "updated", payload: { deleted_at: null, status: "open" } });
  const polled = await ann.must<Json>("GET", `/v1/sync?wait=0&since=${encodeURIComponent(cursor)}`);
  expect(polled.items).toMatchObject([{ change_type: "updated", payload: { id: task.id, deleted_at: null } }]);

  await until("it has fired", async () => (await statuses()) === "triggered", { timeoutMs: 40_000 });
  const [reminder] = await remindersOf(ann, task.id);
  expect(reminder?.["remind_at"]).toBe(due);
  const delivered = await until("it is told", async () => {
    const { items: all } = await ann.must<Json>("GET", "/v1/notifications");
    return all.every((item) => item["status"] === "delivered") && all.length >= 2 ? all : null;
  });
  expect(delivered.map((item) => item["channel"]).toSorted()).toEqual(["in-app", "log"]);
}, 90_000);

test("a series that was deleted as a whole comes back and goes on; a deletion undone takes the next one back", async () => {
  const cleo = await signIn(gateway, `cleo-${crypto.randomUUID()}`);
  const pattern = { rrule: "FREQ=DAILY", tz: "UTC", start: "2099-01-05T08:00", anchor: "completion" };
  const template = await cleo.must("POST", "/v1/tasks", { title: "Water plants", recurrence_pattern: pattern });
  const first = (template["first_occurrence"] as Json).id;
  const live = async (...ids: readonly string[]) =>
    await until(`the occurrences ${ids.join()}`, async () => {
      const found = (await occurrencesOf(cleo, template.id)).map(({ id }) => id);
      return found.toSorted().join() === [...ids].toSorted().join();
    });
  await live(first);

  await cleo.must("DELETE", `/v1/tasks/${first}?scope=all`);
  await until("the series is gone", async () => (await cleo.call("GET", `/v1/series/${template.id}`)).status === 404);
  await cleo.must("POST", `/v1/tasks/${template.id}/restore?scope=all`);
  // Heard of before its occurrence, the template may ask for another one, which is taken back.
  await until("the series is back with one", async () => {
    const { status, body } = await cleo.call("GET", `/v1/series/${template.id}`);
    return status === 200 && body["open_occurrences"] === 1;
  });
  await live(first);

  await cleo.must("DELETE", `/v1/tasks/${first}`);
  const [next] = await until("the next one", async () => {
    const found = await occurrencesOf(cleo, template.id);
    return found.length === 1 && found[0]?.id !== first ? found : null;
  });
  await cleo.must("POST", `/v1/tasks/${first}/restore`);
  await live(first);
  const { items } = await cleo.must<Json>("GET", "/v1/tasks?deleted=true");
  expect(items.map(({ id }) => id)).not.toContain(next?.id ?? "");

  await cleo.must("POST", `/v1/tasks/${first}/complete`);
  await until("the series goes on", async () =>
    (await occurrencesOf(cleo, template.id)).some(({ id, ...task }) => id !== first && task["status"] === "open"),
  );
}, 60_000);
