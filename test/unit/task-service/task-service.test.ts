import { describe, expect, test } from "bun:test";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import type { Message } from "../../../shared/messages/message.ts";
import type { OutboxRow } from "../../../shared/outbox/outbox.ts";
import { defaultPreferences } from "../../../shared/preferences/preferences.ts";
import { buildApp, type TaskAppDeps } from "../../../workers/task-service/app.ts";
import { makeEncodeEvent } from "../../../workers/task-service/encode-event.ts";
import { taskRow } from "../../support/task-row.ts";

const userId = "0190a000-0000-7000-8000-00000000000a";
const id = "0190a000-0000-7000-8000-000000000001";
const now = new Date("2026-03-01T10:00:00Z");
const log = makeLog({}, "error", () => {});

/** The event as its row would tell it, without bytes. */
const rowOf = (message: Message): OutboxRow => ({
  shard: 0,
  line: 0,
  topic: "task-events",
  key: message.key,
  messageId: id,
  type: message.type,
  subject: message.subject,
  sequence: message.sequence,
  time: now,
  value: new Uint8Array(),
  headers: "[]",
});

/** The app over a store of one step: what is not given here must not be asked. */
function setup(given: { write?: Partial<TaskAppDeps["write"]>; rest?: Partial<TaskAppDeps> } = {}) {
  const asked: string[] = [];
  const never = (what: string) => () => {
    asked.push(what);
    return Promise.reject(new Error(`${what} was asked`));
  };
  const app = buildApp({
    http: {
      version: "1",
      authenticate: async () => ({ userId, sessionId: "s", expiresAt: now, via: "bearer" }),
      newId: () => "r",
      log,
      metrics: makeMetrics("task-service", { process: false }),
    },
    write: {
      now: () => now,
      encode: async (message) => rowOf(message),
      create: never("create"),
      readKept: never("readKept"),
      findForChange: never("findForChange"),
      storeChange: never("storeChange"),
      keepAnswer: never("keepAnswer"),
      notify: () => void asked.push("notify"),
      quota: { within: (_userId, _adds, work) => work(), forget: () => {} },
      ...given.write,
    },
    openSeries: never("openSeries"),
    openBatch: never("openBatch"),
    newId: () => id,
    readTask: never("readTask"),
    listTasks: never("listTasks"),
    findTasks: never("findTasks"),
    countTasks: never("countTasks"),
    readTaskReminders: never("readTaskReminders"),
    listTags: never("listTags"),
    readRestoring: never("readRestoring"),
    readExport: {
      readZones: never("readZones"),
      readSeriesParts: never("readSeriesParts"),
      readOwnAlarms: never("readOwnAlarms"),
      readPreferences: never("readPreferences"),
    },
    readZone: never("readZone"),
    readChoices: async () => defaultPreferences,
    awaitTasks: async () => false,
    oneAtATime: (_key, work) => work(),
    ...given.rest,
  });
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    Promise.resolve(
      app.request(path, {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  return { app, send, asked };
}

const row = taskRow({ id, user_id: userId, title: "milk", created_at: now, updated_at: now, version: 3 });

test.each<[string, string, unknown]>([
  ["POST", "/v1/tasks", { title: "" }],
  ["POST", "/v1/tasks", { title: "a", recurrence_pattern: { rrule: "FREQ=SOMETIMES" } }],
  ["PATCH", `/v1/tasks/${id}`, { due_date: "tomorrow" }],
  ["PATCH", "/v1/tasks/7", { title: "a" }],
  ["GET", "/v1/tasks/not-a-uuid", undefined],
  ["DELETE", "/v1/tasks/not-a-uuid", undefined],
  ["POST", "/v1/tasks/not-a-uuid/complete", undefined],
  ["GET", "/v1/tasks?status=maybe", undefined],
  ["GET", "/v1/tasks?cursor=garbage", undefined],
])("a mistake is refused before anything is asked: %s %s %j", async (method, path, body) => {
  const { send, asked } = setup();
  expect((await send(method, path, body)).status).toBe(422);
  expect(asked).toEqual([]);
});

test("a task is told to the relay after it was stored, not before", async () => {
  const order: string[] = [];
  const { send } = setup({
    write: {
      create: async ({ event }) => {
        order.push(`stored ${event.type} ${event.sequence}`);
        return "created";
      },
      notify: () => void order.push("notified"),
    },
  });
  const answer = await send("POST", "/v1/tasks", { title: "milk" });
  expect([answer.status, answer.headers.get("location")]).toEqual([201, `/v1/tasks/${id}`]);
  expect(order).toEqual(["stored TaskCreated 1", "notified"]);
});

test("a change that lost its version begins again on the newer row", async () => {
  const rows = [row, { ...row, version: 4, title: "bread" }];
  const stored: number[] = [];
  const { send } = setup({
    write: {
      findForChange: async () => ({ row: rows.shift() ?? null, kept: null, floor: 0 }),
      storeChange: async (change) => {
        stored.push(change.row.version);
        return stored.length === 1 ? "moved" : "stored";
      },
      notify: () => {},
    },
  });
  const answer = await send("PATCH", `/v1/tasks/${id}`, { priority: "High" });
  expect([answer.status, answer.headers.get("etag")]).toEqual([200, '"5"']);
  expect(await answer.json()).toMatchObject({ title: "bread", priority: "High" });
  expect(stored).toEqual([4, 5]);
});

test("a change after the database went back in time gets a version above every one that may have been told", async () => {
  const stored: unknown[] = [];
  const { send } = setup({
    write: {
      findForChange: async () => ({ row, kept: null, floor: 1_000_000_000 }),
      storeChange: async ({ row: next, before, event }) => {
        stored.push([before, next.version, event.sequence]);
        return "stored";
      },
      notify: () => {},
    },
  });
  const answer = await send("PATCH", `/v1/tasks/${id}`, { title: "bread" }, { "if-match": `"${row.version}"` });
  expect([answer.status, answer.headers.get("etag")]).toEqual([200, '"1000000001"']);
  expect(stored).toEqual([[row.version, 1_000_000_001, 1_000_000_001]]);
});

test("a change that never gets its version gives up as unavailable", async () => {
  const { send } = setup({
    write: { findForChange: async () => ({ row, kept: null, floor: 0 }), storeChange: async () => "moved" },
  });
  const answer = await send("PATCH", `/v1/tasks/${id}`, { title: "x" });
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
});

test("a database that is away is 503, on reads and writes", async () => {
  const away = () => Promise.reject(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
  const { send } = setup({ write: { create: away, findForChange: away }, rest: { readTask: away, listTasks: away } });
  for (const [method, path, body] of [
    ["GET", "/v1/tasks", undefined],
    ["GET", `/v1/tasks/${id}`, undefined],
    ["POST", "/v1/tasks", { title: "a" }],
    ["POST", `/v1/tasks/${id}/complete`, undefined],
  ] as const) {
    const answer = await send(method, path, body);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
  }
});

test("a read whose tag is known is not sent again", async () => {
  const { send } = setup({ rest: { readTask: async () => row } });
  const known = await send("GET", `/v1/tasks/${id}`, undefined, { "if-none-match": '"3"' });
  expect([known.status, await known.text(), known.headers.get("etag")]).toEqual([304, "", '"3"']);
  expect((await send("GET", `/v1/tasks/${id}`, undefined, { "if-none-match": '"2"' })).status).toBe(200);
});

test("an event that cannot be encoded is set aside before the write is refused", async () => {
  const order: string[] = [];
  const encode = makeEncodeEvent({
    outboxRow: () => {
      throw new TypeError("no such field");
    },
    recordFailure: async ({ message, error, by }) =>
      void order.push(`${message.type} ${String(error)} ${by.correlationId}`),
    notify: () => void order.push("notified"),
    log,
  });
  const { send, asked } = setup({ write: { encode } });
  expect((await send("POST", "/v1/tasks", { title: "a" })).status).toBe(500);
  expect(order).toEqual(["TaskCreated TypeError: no such field r", "notified"]);
  expect(asked).toEqual([]);
});

test("the document describes every route, with the fields of a task and what can go wrong", async () => {
  const document = await (await setup().send("GET", "/openapi.json")).json();
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths).toSorted()).toEqual([
    "/v1/batch",
    "/v1/export.ics",
    "/v1/quick-add",
    "/v1/tags",
    "/v1/tasks",
    "/v1/tasks/{id}",
    "/v1/tasks/{id}/complete",
    "/v1/tasks/{id}/reopen",
    "/v1/tasks/{id}/restore",
    "/v1/tasks/{id}/stop-after",
  ]);
  expect(Object.keys(document.components.schemas).toSorted()).toEqual([
    "Batch",
    "BatchAnswer",
    "BatchCreate",
    "BatchDone",
    "BatchOperation",
    "BatchRefused",
    "BatchResult",
    "BatchUpdate",
    "BatchVerb",
    "CreatedTask",
    "ListedTask",
    "NewTask",
    "PatchedTask",
    "Problem",
    "ProblemCode",
    "QuickAdd",
    "QuickAddReading",
    "QuickAddedTask",
    "RecurrencePattern",
    "RecurrencePatternInput",
    "Reminder",
    "ReminderRule",
    "Tag",
    "TagPage",
    "Task",
    "TaskPage",
    "TaskPatch",
    "Understood",
  ]);
  expect(Object.keys(document.paths["/v1/tasks/{id}"].patch.responses).join(" ")).toBe(
    "200 400 401 403 404 409 412 413 415 422 429 500 503",
  );
  for (const path of Object.values<Record<string, { summary?: string }>>(document.paths))
    for (const operation of Object.values(path)) expect(operation.summary).toBeString();
});

describe("what a request makes at once is said on its answer, for its user to be charged", () => {
  const pattern = { rrule: "FREQ=DAILY", start: "1970-01-01T09:00", tz: "UTC" };
  const eventsOf = async (body: object) => {
    const { send } = setup({
      write: {
        create: async () => "created",
        findForChange: async () => ({ row, kept: null, floor: 0 }),
        storeChange: async () => "stored",
      },
      rest: { readTask: async () => row },
    });
    const made = await send("POST", "/v1/tasks", { title: "a", ...body });
    const patched = await send("PATCH", `/v1/tasks/${id}`, { ...body, title: "b" });
    return [made, patched].map(({ status, headers }) => [status, headers.get("x-events-made")]);
  };

  test.each<[string, object, string | null]>([
    ["a task", {}, null],
    ["a series", { recurrence_pattern: pattern }, null],
    ["a series that shows one missed", { recurrence_pattern: { ...pattern, max_open: 100 } }, null],
    ["a series that makes all missed", { recurrence_pattern: { ...pattern, catch_up: "all", max_open: 100 } }, "100"],
  ])("%s", async (_name, body, events) => {
    expect(await eventsOf(body)).toEqual([
      [201, events],
      [200, events],
    ]);
  });
});
