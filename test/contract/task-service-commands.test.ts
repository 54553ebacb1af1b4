import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import type { Message, ReceivedMessage } from "../../shared/messages/message.ts";
import type { CreateOccurrence, RemoveOccurrence } from "../../shared/messages/records.ts";
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
    completed_at: null,
    ...more,
  };
}

/** Handles a command as the kernel would: in a transaction of its own. */
function handle(data: CreateOccurrence): Promise<readonly Message[]> {
  return handleCommand({ type: "CreateOccurrence", data });
}

type Command = Readonly<
  { type: "CreateOccurrence"; data: CreateOccurrence } | { type: "RemoveOccurrence"; data: RemoveOccurrence }
>;

function handleCommand(command: Command): Promise<readonly Message[]> {
  const received: ReceivedMessage = {
    ...command,
    key: command.data.template_id,
    subject: command.data.occurrence_id,
    sequence: 1,
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

test("an occurrence completed ahead of its time is there, completed, and told twice", async () => {
  const command = commandFor(await makeTemplate(), { completed_at: now });
  const events = await handle(command);
  expect(events.map(({ type, sequence }) => [type, sequence])).toEqual([
    ["TaskCreated", 1],
    ["TaskCompleted", 2],
  ]);
  const task = await world.send("GET", `/v1/tasks/${command.occurrence_id}`);
  expect(task.body).toMatchObject({ status: "completed", completed_at: now.toISOString(), version: 2 });
});

test("an occurrence nobody has touched is removed again, one that was changed stays", async () => {
  const template = await makeTemplate();
  const remove = (occurrence_id: string) =>
    handleCommand({
      type: "RemoveOccurrence",
      data: { occurrence_id, template_id: template.id, user_id: ada, version: 1, requested_at: now },
    });
  const [untouched, changed] = [commandFor(template), commandFor(template, { recurrence_id: "2026-03-03T09:00:00" })];
  for (const command of [untouched, changed]) await handle(command);
  await world.send("PATCH", `/v1/tasks/${changed.occurrence_id}`, { body: { title: "mine" } });
  expect((await remove(untouched.occurrence_id)).map(({ type, sequence }) => [type, sequence])).toEqual([
    ["TaskDeleted", 2],
  ]);
  expect(await remove(changed.occurrence_id)).toEqual([]);
  expect(await remove(untouched.occurrence_id)).toEqual([]);
  expect(ignored).toEqual(["touched", "touched"]);
  const left = (await world.send("GET", "/v1/tasks")).body.items;
  expect(left.map(({ id }) => id)).toEqual([changed.occurrence_id]);
});

test("an all-day task and its reminders are kept as they were sent, and go to its occurrences", async () => {
  const body = { title: "rest", due_on: "2026-03-05", due_tz: "Europe/Berlin", remind: ["P1D@18:00"] };
  const made = await world.send("POST", "/v1/tasks", { body: { ...body, recurrence_pattern: "daily" } });
  const kept = { due_date: null, due_on: "2026-03-05", due_tz: "Europe/Berlin", remind: ["P1D@18:00"] };
  expect((await world.send("GET", `/v1/tasks/${made.body.id}`)).body).toMatchObject(kept);
  const command = commandFor(made.body, { due_date: null, due_on: "2026-03-05" });
  const [event] = await handle(command);
  expect(event).toMatchObject({ data: kept });
  expect((await world.send("GET", `/v1/tasks/${command.occurrence_id}`)).body).toMatchObject(kept);
});
