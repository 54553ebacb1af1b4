import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { HttpApp } from "../../shared/http/http-app.ts";
import { command, completed, created, deleted, otherUserId, updated, userId } from "../support/guard-messages.ts";
import { openReminderRequests, type Body, type Send } from "../support/reminder-requests.ts";
import { openReminderWorld, type ReminderWorld } from "../support/reminder-world.ts";
import { writeTasks } from "../support/task-table.ts";

let world: ReminderWorld;
let app: HttpApp;
let send: Send;
let notified = 0;
beforeAll(async () => {
  world = await openReminderWorld();
  ({ app, send } = openReminderRequests(world, () => void notified++));
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const hour = 3_600_000;

async function newTask(user = userId): Promise<string> {
  const task = crypto.randomUUID();
  await world.handle(created(1, Date.now(), { due: null, task, user }));
  return task;
}

describe("setting a reminder", () => {
  test("answers 201 and tells ReminderScheduled in the same commit", async () => {
    const task = await newTask();
    const remind_at = inMs(hour);
    const before = notified;
    const { status, body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at } });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      task_id: task,
      rule: null,
      remind_at,
      snoozed_from: null,
      drop_after: null,
      status: "pending",
      triggered_at: null,
      dismissed_at: null,
      reason: null,
      generation: 1,
      version: 1,
    } as unknown as Body);
    expect(notified).toBe(before + 1);
    const events = (await world.outbox()).filter(({ subject }) => subject === body.id);
    expect(events).toMatchObject([{ type: "ReminderScheduled", sequence: 1, data: { remind_at, generation: 1 } }]);
  });

  test("may say how late it may fire, and say it anew; a duration that is none is named", async () => {
    const task = await newTask();
    const path = `/v1/tasks/${task}/reminders`;
    const remind_at = inMs(hour);
    const drops = [];
    for (const more of [{ drop_after: "PT2H" }, {}, { drop_after: "P1D" }, { drop_after: null }]) {
      const { status, body } = await send("POST", path, { body: { remind_at, ...more } });
      drops.push([status, body["drop_after"], body["version"]]);
    }
    expect(drops).toEqual([
      [201, "PT2H", 1],
      [200, "PT2H", 1],
      [200, "P1D", 2],
      [200, null, 3],
    ]);
    const told = (await world.outbox()).filter(({ data }) => data["task_id"] === task);
    expect(told).toMatchObject(
      [1, 2, 3].map((sequence) => ({ type: "ReminderScheduled", sequence, data: { remind_at, generation: 1 } })),
    );
    const refused = await send("POST", path, { body: { remind_at, drop_after: "soon" } });
    expect([refused.status, refused.body.errors]).toEqual([
      422,
      [{ path: "/drop_after", message: "is not a duration of up to 30 days such as PT6H" }],
    ]);
  });

  test("twice for the same instant, in any zone's spelling and at once, is one reminder and one event", async () => {
    const task = await newTask();
    const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + hour);
    const spelled = [at.toISOString(), at.toISOString().replace(".000Z", "Z"), at.toISOString().replace("Z", "+00:00")];
    const answers = await Promise.all(
      [...spelled, ...spelled].map((remind_at) => send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at } })),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 200, 201]);
    const id = answers[0]?.body.id;
    expect((await world.outbox()).filter(({ subject }) => subject === id)).toHaveLength(1);
  });

  test("and reading them, for a task not heard of yet, waits for it", async () => {
    const task = crypto.randomUUID();
    const event = created(1, Date.now(), { due: null, task });
    await writeTasks(world.db.sql, [event]);
    const path = `/v1/tasks/${task}/reminders`;
    const answers = [send("POST", path, { body: { remind_at: inMs(hour) } }), send("GET", path)];
    await Bun.sleep(300); // its creation is still on its way
    await world.handle(event);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([201, 200]);
  });

  test("for a task whose event does not come within 2 s answers that a retry may help, not that there is none", async () => {
    const task = crypto.randomUUID();
    await writeTasks(world.db.sql, [created(1, Date.now(), { due: null, task })]);
    const { status, body } = await send("GET", `/v1/tasks/${task}/reminders`);
    expect([status, body["code"], body["retryable"]]).toEqual([503, "UNAVAILABLE", true]);
  });

  test("and reading them, of an unknown, a foreign and a deleted task, answer the same 404 without waiting", async () => {
    const [foreign, gone] = [await newTask(otherUserId), await newTask()];
    await world.handle(deleted(2, Date.now(), { task: gone }));
    const said = async (method: string, task: string) => {
      const began = performance.now();
      const body = method === "POST" ? { body: { remind_at: inMs(hour) } } : {};
      const { instance: _own, ...document } = (await send(method, `/v1/tasks/${task}/reminders`, body)).body;
      return { ...document, waited: performance.now() - began > 1_000 };
    };
    const tasks = [crypto.randomUUID(), foreign, gone];
    for (const method of ["GET", "POST"])
      for (const task of tasks)
        expect(await said(method, task)).toMatchObject({ status: 404, code: "TASK_NOT_FOUND", waited: false });
    expect(new Set(await Promise.all(tasks.map(async (task) => JSON.stringify(await said("GET", task))))).size).toBe(1);
  });

  test("for a task that is completed or deleted counts from the commit, not from when its event is heard of", async () => {
    const [done, gone] = [await newTask(), await newTask()];
    await writeTasks(world.db.sql, [completed(2, Date.now(), { task: done }), deleted(2, Date.now(), { task: gone })]);
    const set = async (task: string) => {
      const { status, body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: inMs(hour) } });
      return [status, body["code"]];
    };
    expect([await set(done), await set(gone)]).toEqual([
      [409, "TASK_COMPLETED"],
      [404, "TASK_NOT_FOUND"],
    ]);
  });

  test("in the past answers 422 naming the field, and nothing is written", async () => {
    const task = await newTask();
    const { status, body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: inMs(-1000) } });
    expect([status, body.errors.map(({ path }) => path)]).toEqual([422, ["/remind_at"]]);
    expect((await send("GET", `/v1/tasks/${task}/reminders`)).body.items).toEqual([]);
  });

  test.each([
    ["no zone", { remind_at: "2099-01-01T10:00:00" }, "/remind_at"],
    ["a time too far ahead", { remind_at: "2200-01-01T00:00:00Z" }, "/remind_at"],
    ["no date", { remind_at: "tomorrow" }, "/remind_at"],
    ["a number", { remind_at: 4_000_000_000 }, "/remind_at"],
    ["nothing", {}, "/remind_at"],
    ["a day that is none", { remind_at: "2099-02-30T10:00:00Z" }, "/remind_at"],
    ["a field that is none", { remind_at: "2099-01-01T10:00:00Z", when: 1 }, "/when"],
  ])("with %s answers 422 naming it", async (_what, body, path) => {
    const task = await newTask();
    const answer = await send("POST", `/v1/tasks/${task}/reminders`, { body });
    expect([answer.status, answer.body.errors?.map((mistake) => mistake.path)]).toEqual([422, [path]]);
  });

  test("is undone by completing the task and comes back with reopening it", async () => {
    const task = await newTask();
    const { body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: inMs(hour) } });
    const status = async () =>
      (await send("GET", `/v1/tasks/${task}/reminders`)).body.items.map((item) => [
        item.id,
        item["status"],
        item["reason"],
      ]);
    await world.handle(completed(2, Date.now(), { task }));
    expect(await status()).toEqual([[body.id, "dismissed", "completed"]]);
    await world.handle(updated(3, Date.now(), { status: "open", task }));
    expect(await status()).toEqual([[body.id, "pending", null]]);
  });

  test("stops at fifty of one's own for a task", async () => {
    const task = await newTask();
    const set = (index: number) =>
      send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: inMs(hour + index * 1000) } });
    for (let index = 0; index < 50; index++) expect((await set(index)).status).toBe(201);
    expect((await set(50)).body.errors.map(({ path }) => path)).toEqual(["/remind_at"]);
  });
});

describe("a task with very many reminders", () => {
  const rowsOf = async (task: string) =>
    (await world.reminders()).filter(({ taskId: of }) => of === task).map(({ id, status }) => ({ id, status }));
  /** Own ones that were dismissed, the oldest first. */
  const dismissedOnes = async (task: string, count: number) =>
    await world.db.sql`
      insert into reminders (id, task_id, user_id, remind_at, generation, status, version, dismissed_at, reason, dismissed_for)
      select gen_random_uuid(), ${task}, ${userId}, now() + n * interval '1 day', 1, 'dismissed', n, now() + n * interval '1 ms',
        'user', now() + n * interval '1 day'
      from generate_series(1, ${count}) as n`;

  test("keeps a hundred of what is over; one made again under an id that is gone goes on from its versions", async () => {
    const task = await newTask();
    const remind_at = inMs(2 * hour);
    const { body: first } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at } });
    await send("POST", `/v1/reminders/${first.id}/dismiss`);
    await dismissedOnes(task, 250);
    const { body: waiting } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: inMs(hour) } });
    const left = await rowsOf(task);
    expect(left).toHaveLength(101);
    expect(left.filter(({ status }) => status === "pending")).toEqual([{ id: waiting.id, status: "pending" }]);
    expect((await send("GET", `/v1/reminders/${first.id}`)).status).toBe(404);
    const again = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at } });
    // 151 went: this one, and those with the versions 1 to 150.
    expect(again).toMatchObject({ status: 201, body: { id: first.id, generation: 151, version: 151 } });
  });

  test("made by rules that changed and changed keeps a hundred of those whose rule is gone, and those that wait", async () => {
    const task = await newTask();
    const due = Date.now() + 400 * 24 * hour;
    for (let sequence = 1; sequence <= 30; sequence++) {
      const rules = Array.from({ length: 10 }, (_, n) => ({
        rule: `PT${sequence * 10 + n}M`,
        offset_ms: -(sequence * 10 + n) * 60_000,
      }));
      await world.handle(command(sequence, { due: [due, 1, Date.now()], task, rules }));
    }
    const left = await rowsOf(task);
    expect(left.filter(({ status }) => status === "pending")).toHaveLength(10);
    expect(left.length).toBeLessThanOrEqual(200);
    const before = await world.db.sql<{ floor: number }[]>`
      select floor::int as floor from reminder_guards where task_id = ${task}`;
    await world.handle(
      command(31, { due: [due, 1, Date.now()], task, rules: [{ rule: "PT10M", offset_ms: -600_000 }] }),
    );
    const [back] = (await world.reminders()).filter(({ taskId: of, rule }) => of === task && rule === "PT10M");
    expect(back).toMatchObject({ status: "pending", version: (before[0]?.floor ?? 0) + 1 });
  });

  test("refuses one more of one's own while a hundred have fired and were not dismissed", async () => {
    const task = await newTask();
    await world.db.sql`
      insert into reminders (id, task_id, user_id, remind_at, generation, status, version, triggered_at)
      select gen_random_uuid(), ${task}, ${userId}, now(), 1, 'triggered', 2, now() from generate_series(1, 100)`;
    const { status, body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: inMs(hour) } });
    expect([status, body.errors]).toEqual([
      422,
      [{ path: "/remind_at", message: "is one too many: 100 of your own have fired for this task; dismiss some" }],
    ]);
  });
});

describe("setting a reminder with an Idempotency-Key", () => {
  const set = (task: string, remind_at: string, key: string, user = userId) =>
    send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at }, key, user });

  test("again with the same key answers the same, whatever became of reminder and task, and changes nothing", async () => {
    const task = await newTask();
    const [remind_at, key] = [inMs(hour), crypto.randomUUID()];
    const first = await set(task, remind_at, key);
    expect(first).toMatchObject({ status: 201, body: { status: "pending" } });
    await send("POST", `/v1/reminders/${first.body.id}/dismiss`, { key });
    expect(await set(task, remind_at, key)).toEqual({ ...first, replayed: "true" });
    await world.handle(deleted(2, Date.now(), { task }));
    expect(await set(task, remind_at, key)).toEqual({ ...first, replayed: "true" });
    const told = (await world.outbox()).filter(({ subject }) => subject === first.body.id);
    expect(told.map(({ type }) => type)).toEqual(["ReminderScheduled", "ReminderDismissed"]);
  });

  test("of an answer kept by a build that kept no status answers that of the route", async () => {
    const task = await newTask();
    const [remind_at, key] = [inMs(hour), crypto.randomUUID()];
    await set(task, remind_at, key);
    await world.db.sql`update reminder_request_keys set status = null where key = ${key}`;
    expect(await set(task, remind_at, key)).toMatchObject({ status: 201, replayed: "true" });
  });

  test("that found it set already is replayed as 200", async () => {
    const task = await newTask();
    const [remind_at, key] = [inMs(hour), crypto.randomUUID()];
    await set(task, remind_at, crypto.randomUUID());
    const second = await set(task, remind_at, key);
    expect(second.status).toBe(200);
    expect(await set(task, remind_at, key)).toEqual({ ...second, replayed: "true" });
  });

  test("ten times at once is done once, and the other nine are replays", async () => {
    const task = await newTask();
    const [remind_at, key] = [inMs(hour), crypto.randomUUID()];
    const answers = await Promise.all(Array.from({ length: 10 }, () => set(task, remind_at, key)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed === undefined)).toHaveLength(1);
  });

  test("and another instant or task answers 422 and changes nothing; another user's key is another key", async () => {
    const [task, other] = [await newTask(), await newTask()];
    const [remind_at, key] = [inMs(hour), crypto.randomUUID()];
    await set(task, remind_at, key);
    for (const again of [await set(task, inMs(2 * hour), key), await set(other, remind_at, key)])
      expect([again.status, again.body["code"]]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    expect((await send("GET", `/v1/tasks/${task}/reminders`)).body.items).toHaveLength(1);
    expect((await send("GET", `/v1/tasks/${other}/reminders`)).body.items).toEqual([]);
    const foreign = await newTask(otherUserId);
    expect(await set(foreign, remind_at, key, otherUserId)).toMatchObject({ status: 201, body: { task_id: foreign } });
  });

  test("two tasks at once with one key: one is done, the other answers 422 and leaves nothing behind", async () => {
    const tasks = [await newTask(), await newTask()];
    const key = crypto.randomUUID();
    const answers = await Promise.all(tasks.map((task) => set(task, inMs(hour), key)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 422]);
    const lists = await Promise.all(tasks.map((task) => send("GET", `/v1/tasks/${task}/reminders`)));
    expect(lists.map(({ body }) => body.items.length).toSorted()).toEqual([0, 1]);
  });

  test("that failed keeps nothing: the key can be used for what is right", async () => {
    const task = await newTask();
    const key = crypto.randomUUID();
    expect((await set(task, inMs(-1000), key)).status).toBe(422);
    expect((await set(task, inMs(hour), key)).status).toBe(201);
  });

  test.each(["", "x".repeat(256), "two words"])("%j is refused, here and when dismissing", async (key) => {
    const task = await newTask();
    const answers = [await set(task, inMs(hour), key), await send("POST", `/v1/reminders/${task}/dismiss`, { key })];
    for (const { status, body } of answers)
      expect([status, body.errors.map(({ path }) => path)]).toEqual([422, ["header.idempotency-key"]]);
  });

  test("is forgotten after a day, and what is older goes away with the next one kept", async () => {
    const [task, first, second] = [await newTask(), crypto.randomUUID(), crypto.randomUUID()];
    const remind_at = inMs(hour);
    await set(task, remind_at, first);
    await set(task, remind_at, second);
    await world.db.sql`
      update reminder_request_keys set created_at = clock_timestamp() - interval '25 hours' where key = any(${[first, second]})`;
    expect(await set(task, inMs(2 * hour), first)).toMatchObject({ status: 201, body: { generation: 1 } });
    const keys = await world.db.sql`select key from reminder_request_keys where key = any(${[first, second]})`;
    expect(keys).toMatchObject([{ key: first }]);
  });
});

describe("dismissing a reminder", () => {
  test("twice answers the same and tells ReminderDismissed once; it stays so when the command comes again", async () => {
    const task = await newTask();
    const due = Date.now() + hour;
    const wanted = (sequence: number) => command(sequence, { due: [due, 1, Date.now()], task, title: `v${sequence}` });
    await world.handle(wanted(1));
    const [{ id } = { id: "" }] = (await send("GET", `/v1/reminders?task_id=${task}`)).body.items;
    const first = await send("POST", `/v1/reminders/${id}/dismiss`);
    expect(first).toMatchObject({ status: 200, body: { status: "dismissed", reason: "user", version: 2 } });
    expect(await send("POST", `/v1/reminders/${id}/dismiss`)).toEqual(first);
    await world.handle(wanted(2));
    expect((await send("GET", `/v1/reminders?task_id=${task}`)).body.items).toEqual([first.body]);
    const told = (await world.outbox()).filter(({ subject, type }) => subject === id && type === "ReminderDismissed");
    expect(told).toHaveLength(1);
  });

  test("set by a person and asked for again is scheduled anew", async () => {
    const task = await newTask();
    const remind_at = inMs(hour);
    const { body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at } });
    await send("POST", `/v1/reminders/${body.id}/dismiss`);
    const again = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at } });
    expect(again).toMatchObject({ status: 201, body: { id: body.id, status: "pending", generation: 2, version: 3 } });
  });

  test("of another user, unknown or not an id at all", async () => {
    const task = await newTask(otherUserId);
    const { body } = await send("POST", `/v1/tasks/${task}/reminders`, {
      body: { remind_at: inMs(hour) },
      user: otherUserId,
    });
    const statuses = await Promise.all(
      [body.id, crypto.randomUUID(), "17"].map(
        async (id) => (await send("POST", `/v1/reminders/${id}/dismiss`)).status,
      ),
    );
    expect(statuses).toEqual([404, 404, 422]);
  });
});

test("the routes describe themselves and their failures in OpenAPI 3.1", async () => {
  type Route = { responses: Record<string, { content?: Record<string, unknown> }> };
  const document = (await (await app.request("/openapi.json")).json()) as {
    openapi: string;
    paths: Record<string, Record<string, Route>>;
  };
  expect(document.openapi).toBe("3.1.0");
  const answers = Object.entries(document.paths).flatMap(([path, routes]) =>
    Object.entries(routes).map(([method, { responses }]) => [`${method} ${path}`, Object.keys(responses).join(" ")]),
  );
  expect(Object.fromEntries(answers)).toEqual({
    "get /v1/reminders": "200 401 422 429 500 503",
    "get /v1/tasks/{id}/reminders": "200 401 404 422 429 500 503",
    "post /v1/tasks/{id}/reminders": "200 201 400 401 403 404 409 413 415 422 429 500 503",
    "get /v1/reminders/{id}": "200 401 404 422 429 500 503",
    "delete /v1/reminders/{id}": "204 401 403 404 409 413 422 429 500 503",
    "patch /v1/reminders/{id}": "200 400 401 403 404 409 413 415 422 429 500 503",
    "post /v1/reminders/{id}/snooze": "200 400 401 403 404 409 413 415 422 429 500 503",
    "post /v1/reminders/{id}/dismiss": "200 401 403 404 413 422 429 500 503",
  });
  expect(document.paths["/v1/reminders"]?.["get"]?.responses["422"]?.content).toHaveProperty([
    "application/problem+json",
  ]);
});

describe("one reminder", () => {
  test("is read by its id, whatever its status; of another user or unknown it is not there", async () => {
    const task = await newTask();
    const { body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: inMs(hour) } });
    expect(await send("GET", `/v1/reminders/${body.id}`)).toEqual({ status: 200, body });
    const dismissed = await send("POST", `/v1/reminders/${body.id}/dismiss`);
    expect((await send("GET", `/v1/reminders/${body.id}`)).body).toEqual(dismissed.body);
    const refused = [
      await send("GET", `/v1/reminders/${body.id}`, { user: otherUserId }),
      await send("GET", `/v1/reminders/${crypto.randomUUID()}`),
      await send("GET", "/v1/reminders/17"),
    ];
    expect(refused.map(({ status, body: { code } }) => [status, code])).toEqual([
      [404, "REMINDER_NOT_FOUND"],
      [404, "REMINDER_NOT_FOUND"],
      [422, "INVALID_REQUEST"],
    ]);
  });

  test("of one's own is deleted: it is nowhere, tells ReminderDismissed once, and reopening the task does not bring it back", async () => {
    const task = await newTask();
    const remind_at = inMs(hour);
    const { body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at } });
    const path = `/v1/reminders/${body.id}`;
    expect((await send("DELETE", path, { user: otherUserId })).status).toBe(404);
    expect([await send("DELETE", path), await send("DELETE", path)]).toMatchObject([{ status: 204 }, { status: 204 }]);
    for (const [method, where, more] of [
      ["GET", path, {}],
      ["POST", `${path}/dismiss`, {}],
      ["PATCH", path, { body: { remind_at } }],
      ["POST", `${path}/snooze`, { body: { for: "PT10M" } }],
    ] as const)
      expect((await send(method, where, more)).body["code"]).toBe("REMINDER_NOT_FOUND");
    await world.handle(completed(2, Date.now(), { task }), updated(3, Date.now(), { status: "open", task }));
    expect((await send("GET", `/v1/tasks/${task}/reminders`)).body.items).toEqual([]);
    expect((await send("GET", `/v1/reminders?task_id=${task}`)).body.items).toEqual([]);
    const told = (await world.outbox()).filter(({ subject }) => subject === body.id);
    expect(told.map(({ type, sequence }) => `${type} ${sequence}`)).toEqual([
      "ReminderScheduled 1",
      "ReminderDismissed 2",
    ]);
    const again = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at } });
    expect(again).toMatchObject({ status: 201, body: { status: "pending", generation: 2, version: 3 } });
  });

  test("that is dismissed is deleted too; with the same key that is done once; one that a rule made is refused", async () => {
    const task = await newTask();
    const due = Date.now() + hour;
    await world.handle(command(1, { due: [due, 1, Date.now()], task }));
    const [ruled] = (await send("GET", `/v1/tasks/${task}/reminders`)).body.items;
    expect((await send("DELETE", `/v1/reminders/${ruled?.id}`)).body["code"]).toBe("REMINDER_FOLLOWS_TASK");
    const { body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: inMs(2 * hour) } });
    await send("POST", `/v1/reminders/${body.id}/dismiss`);
    const key = crypto.randomUUID();
    expect(await send("DELETE", `/v1/reminders/${body.id}`, { key })).toMatchObject({ status: 204 });
    expect(await send("DELETE", `/v1/reminders/${body.id}`, { key })).toMatchObject({ status: 204, replayed: "true" });
    expect((await send("GET", `/v1/tasks/${task}/reminders`)).body.items.map(({ id }) => id)).toEqual([
      ruled?.id ?? "",
    ]);
    // Whoever shows it as dismissed hears that it is gone.
    const told = (await world.outbox()).filter(({ subject }) => subject === body.id);
    expect(told.map(({ type, sequence }) => `${type} ${sequence}`)).toEqual([
      "ReminderScheduled 1",
      "ReminderDismissed 2",
      "ReminderDismissed 3",
    ]);
  });
});

describe("listing reminders", () => {
  test("pages by time, filters by status and task, and shows one's own only", async () => {
    const user = crypto.randomUUID();
    const [task, other] = [await newTask(user), await newTask(user)];
    const ids: string[] = [];
    for (const [index, of] of [task, task, other, task, other].entries())
      ids.push(
        (await send("POST", `/v1/tasks/${of}/reminders`, { body: { remind_at: inMs(hour + index * 1000) }, user })).body
          .id,
      );
    await send("POST", `/v1/reminders/${ids[1]}/dismiss`, { user });
    const walk = async (query: string) => {
      const seen: string[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        const page = await send("GET", `/v1/reminders?limit=2${query}${cursor ? `&cursor=${cursor}` : ""}`, { user });
        seen.push(...page.body.items.map(({ id }) => id));
        cursor = page.body.next_cursor;
      }
      return seen;
    };
    expect(await walk("")).toEqual(ids);
    expect(await walk("&status=pending")).toEqual(ids.toSpliced(1, 1));
    expect(await walk(`&task_id=${other}`)).toEqual([ids[2] ?? "", ids[4] ?? ""]);
    expect((await send("GET", "/v1/reminders", { user: crypto.randomUUID() })).body.items).toEqual([]);
  });

  test("refuses a cursor of another list, a wrong limit and status, and who is nobody", async () => {
    const user = crypto.randomUUID();
    const task = await newTask(user);
    for (const ms of [1, 2])
      await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: inMs(hour + ms * 1000) }, user });
    const { next_cursor } = (await send("GET", "/v1/reminders?limit=1", { user })).body;
    expect(next_cursor).toEqual(expect.any(String));
    const paths = async (query: string) =>
      (await send("GET", `/v1/reminders?${query}`, { user })).body.errors.map(({ path }) => path);
    expect(await paths(`status=pending&cursor=${next_cursor}`)).toEqual(["query.cursor"]);
    expect(await paths("cursor=nonsense")).toEqual(["query.cursor"]);
    expect(await paths("limit=0")).toEqual(["query.limit"]);
    expect(await paths("status=open")).toEqual(["query.status"]);
    expect(await paths("taskid=1")).toEqual(["query.taskid"]);
    expect((await app.request("/v1/reminders")).status).toBe(401);
  });
});
