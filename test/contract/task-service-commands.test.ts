import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { makeLog } from "../../shared/log.ts";
import type { Message, Received } from "../../shared/message.ts";
import type { CreateOccurrence } from "../../shared/records.ts";
import { makeHandleTaskCommands } from "../../workers/task-service/handle-task-commands.ts";
import { ada, ben, openWorld, type Task, type World } from "./task-service-world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.db.sql`truncate tasks, idempotency_keys, outbox`;
  ignored.length = 0;
});

const ignored: string[] = [];
const handler = makeHandleTaskCommands((why) => void ignored.push(why));
const now = new Date("2026-03-01T10:00:00.123Z");

function commandFor(template: Task, more: Partial<CreateOccurrence> = {}): CreateOccurrence {
  return {
    occurrence_id: Bun.randomUUIDv7(),
    template_id: template.id,
    user_id: ada,
    recurrence_id: "2026-03-02T09:00:00",
    due_date: new Date("2026-03-02T08:00:00Z"),
    due_on: null,
    due_tz: "Europe/Berlin",
    requested_at: now,
    ...more,
  };
}

/** Handles a command as the kernel would: in a transaction of its own. */
function handle(data: CreateOccurrence): Promise<readonly Message[]> {
  const received: Received = {
    type: "CreateOccurrence",
    key: data.template_id,
    subject: data.occurrence_id,
    sequence: 1,
    data,
    id: Bun.randomUUIDv7(),
    time: now,
    source: "recurring-task-worker",
    correlationId: "c",
    causationId: null,
    traceparent: null,
    topic: "task-commands",
    partition: 0,
    offset: 0n,
    timestamp: 0,
    value: new Uint8Array(),
    headers: [],
  };
  const context = { signal: new AbortController().signal, log: makeLog({}, "error"), now };
  return world.db.transaction((tx) => handler(received, { ...context, tx }));
}

const makeTemplate = async (more: { as?: string; title?: string } = {}): Promise<Task> => {
  const { as, title = "water" } = more;
  const body = { title, tags: ["a,b"], priority: "High", recurrence_pattern: "daily" };
  return (await world.send("POST", "/v1/tasks", { body, ...(as === undefined ? {} : { as }) })).body;
};

test("an occurrence is a task of its own, as its template is now, told with where it comes from", async () => {
  const template = await makeTemplate();
  await world.send("PATCH", `/v1/tasks/${template.id}`, { body: { title: "water all" } });
  const command = commandFor(template);
  const [event, ...more] = await handle(command);
  expect(more).toEqual([]);
  expect(event).toMatchObject({
    type: "TaskCreated",
    key: command.occurrence_id,
    sequence: 1,
    data: {
      title: "water all",
      template_id: template.id,
      recurrence_id: command.recurrence_id,
      due_date: command.due_date,
    },
  });
  const task = await world.send("GET", `/v1/tasks/${command.occurrence_id}`);
  expect(task.body).toMatchObject({
    title: "water all",
    tags: ["a,b"],
    priority: "High",
    due_date: "2026-03-02T08:00:00.000Z",
    due_tz: "Europe/Berlin",
    created_at: now.toISOString(),
    template_id: template.id,
    is_recurring_template: false,
    version: 1,
  });
  expect((await world.send("GET", "/v1/tasks")).body.items.map(({ id }) => id)).toEqual([command.occurrence_id]);
});

test("an all-day occurrence keeps its day", async () => {
  const command = commandFor(await makeTemplate(), { due_date: null, due_on: "2026-03-02" });
  await handle(command);
  const task = await world.send("GET", `/v1/tasks/${command.occurrence_id}`);
  expect([task.body["due_date"], task.body["due_on"]]).toEqual([null, "2026-03-02"]);
});

test("the same occurrence is made once, by its id and by its place in the series, even after it was deleted", async () => {
  const template = await makeTemplate();
  const command = commandFor(template);
  expect(await handle(command)).toHaveLength(1);
  expect(await handle(command)).toEqual([]);
  expect(await handle({ ...command, occurrence_id: Bun.randomUUIDv7() })).toEqual([]);
  await world.send("DELETE", `/v1/tasks/${command.occurrence_id}`);
  expect(await handle(command)).toEqual([]);
  expect(ignored).toEqual(["exists", "exists", "exists"]);
  expect((await world.send("GET", `/v1/tasks/${command.occurrence_id}`)).status).toBe(404);
});

test("ten at once from everywhere make one", async () => {
  const command = commandFor(await makeTemplate());
  const made = await Promise.all(Array.from({ length: 10 }, () => handle(command)));
  expect(made.flat()).toHaveLength(1);
});

test("a command that no longer applies is done without effect", async () => {
  const deleted = await makeTemplate();
  await world.send("DELETE", `/v1/tasks/${deleted.id}`);
  const plain = await makeTemplate();
  await world.send("PATCH", `/v1/tasks/${plain.id}`, { body: { recurrence_pattern: null } });
  const foreign = await makeTemplate({ as: ben });
  const unknown = { ...plain, id: Bun.randomUUIDv7() };
  for (const template of [deleted, plain, foreign, unknown]) expect(await handle(commandFor(template))).toEqual([]);
  expect(ignored).toEqual(["template_deleted", "no_template", "template_missing", "template_missing"]);
  const mine = (await world.send("GET", "/v1/tasks?templates=true")).body.items;
  expect(mine.map(({ id }) => id)).toEqual([plain.id]);
});
