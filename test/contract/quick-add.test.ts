import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { ada, ben, openWorld, type World } from "./task-service-world.ts";

// Monday, 14:00 in Berlin.
const now = new Date("2026-11-30T13:00:00.000Z");
let world: World;
beforeAll(async () => {
  world = await openWorld(undefined, () => now);
  const settings = JSON.stringify({ tz: "Europe/Berlin" });
  await world.db.sql`insert into preferences (user_id, settings) values (${ada}, ${settings}::text::jsonb)`;
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.db.sql`truncate tasks, idempotency_keys, outbox`;
});

type More = NonNullable<Parameters<World["send"]>[2]>;
const add = (body: unknown, more: More = {}) => world.send("POST", "/v1/quick-add", { body, ...more });

test("a line becomes a task on the clock of its person, and the answer says what was understood", async () => {
  const made = await add({ text: "Call Eve tomorrow at 5pm, remind me an hour before #home p1" });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    title: "Call Eve",
    due_date: "2026-12-01T16:00:00.000Z",
    priority: "High",
    tags: ["home"],
    remind: ["PT1H"],
    reminders: [{ rule: "PT1H", remind_at: "2026-12-01T15:00:00.000Z" }],
    understood: {
      zone: "Europe/Berlin",
      notes: [],
      pieces: expect.arrayContaining([{ text: "p1", at: 57, means: "priority High" }]),
    },
  });
  expect(made.headers.get("location")).toBe(`/v1/tasks/${made.body.id}`);
  const {
    understood: _,
    first_occurrence: _first,
    reminders: _reminders,
    unset_reminders: _unset,
    ...task
  } = made.body;
  expect((await world.send("GET", `/v1/tasks/${made.body.id}`)).body).toEqual(task);
  expect((await world.events()).map(({ type }) => type)).toEqual(["TaskCreated"]);
});

test("a repetition becomes a series", async () => {
  const { body } = await add({ text: "Water the plants every other Saturday at 10" });
  expect(body).toMatchObject({
    title: "Water the plants",
    is_recurring_template: true,
    recurrence_pattern: { rrule: "FREQ=WEEKLY;BYDAY=SA;INTERVAL=2", start: "2026-12-05T10:00:00", tz: "Europe/Berlin" },
    first_occurrence: { due_date: "2026-12-05T09:00:00.000Z" },
  });
});

test("who never chose a zone has UTC's clock", async () => {
  const { body } = await add({ text: "call at 17:00" }, { as: ben });
  expect(body).toMatchObject({ due_date: "2026-11-30T17:00:00.000Z", understood: { zone: "UTC" } });
});

test("a dry run says what it would be, and makes nothing", async () => {
  const read = await add({ text: "Call Eve tomorrow at 5pm", dry_run: true });
  expect([read.status, read.body]).toMatchObject([
    200,
    { task: { title: "Call Eve", due_date: "2026-12-01T17:00" }, understood: { notes: [] } },
  ]);
  expect((await world.send("GET", "/v1/tasks")).body.items).toEqual([]);
  expect(await world.events()).toEqual([]);
});

test("sent twice with one key it is one task, answered the same", async () => {
  const send = () => add({ text: "call tomorrow" }, { key: "k1" });
  const answers = await Promise.all([send(), send(), send()]);
  answers.push(await send());
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers.at(-1)?.headers.get("idempotent-replayed")).toBe("true");
  expect((await world.send("GET", "/v1/tasks")).body.items).toHaveLength(1);
});

test.each([
  [{ text: "tomorrow at 5pm" }, "/text", "has no words left for a title"],
  [{ text: "" }, "/text", "is empty"],
  [{ text: "x".repeat(501) }, "/text", "at most 500 characters"],
  [{ text: "two\nlines" }, "/text", "has a control character"],
  [{ text: "call every friday until 2020-01-01" }, "/text", "repeats in a way that cannot be: "],
  [{ text: "call 29.3.2026", zone: "UTC" }, "/zone", "is not a field here"],
  [{ text: "call at 2:30 on 2027-03-28" }, "/text", "due_date does not exist in Europe/Berlin"],
  [{ text: `call ${Array.from({ length: 51 }, (_, n) => `#t${n}`).join(" ")}` }, "/text", "tags "],
  [{}, "/text", "is missing"],
])("%j is refused", async (body, path, message) => {
  const answer = await add(body);
  expect([answer.status, answer.body["errors"]]).toMatchObject([422, [{ path }]]);
  expect(String((answer.body["errors"] as readonly { message: string }[])[0]?.message)).toContain(message);
});
