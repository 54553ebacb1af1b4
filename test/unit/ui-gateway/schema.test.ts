import { describe, expect, test } from "bun:test";
import type { z } from "@hono/zod-openapi";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { makeHttpApp } from "../../../shared/http/http-app.ts";
import { reminderSchema } from "../../../shared/reminders/reminder-schema.ts";
import { taskSchema } from "../../../shared/tasks/task-schema.ts";
import { viewOfRow } from "../../../workers/task-service/task-row.ts";
import { viewPayload } from "../../../workers/task-update-broadcaster/fold-view.ts";
import { resetReasons } from "../../../workers/ui-gateway/stream/reset-reasons.ts";
import { addStreamRoutes } from "../../../workers/ui-gateway/stream/stream-routes.ts";
import { changesSchema, taskChangedSchema } from "../../../workers/ui-gateway/stream/stream-schema.ts";
import { makeFrame } from "../../../workers/ui-gateway/stream/update-frame.ts";
import { taskRow } from "../../support/task-row.ts";

const ada = "0192f0a0-0000-4000-8000-00000000000a";
const milk = "0192f0a0-0000-4000-8000-000000000001";
const bell = "0192f0a0-0000-4000-8000-0000000000f1";
const now = new Date(Date.UTC(2026, 0, 1));
const field = (value: string | null | boolean) => ({ value, version: 1, time: 0 });

/** As the broadcaster writes it and the gateway gives it. */
function changed() {
  const fields = { title: field("milk"), created_at: field(now.toISOString()), updated_at: field(now.toISOString()) };
  const folded = { id: milk, user_id: ada, version: 1, fields };
  const reminders = {
    [bell]: { user_id: ada, version: 1, fields: { remind_at: field(now.toISOString()), status: field("pending") } },
  };
  const view = { taskId: milk, userId: ada, folded, reminders, viewVersion: 3 };
  const payload = viewPayload(folded as never, view as never);
  const record = { partition: 0, offset: 1n, key: ada };
  const change = { task_id: milk, user_id: ada, change_type: "created", payload, timestamp: now } as const;
  const frame = makeFrame(record, change, { epoch: "e", sequence: 3 });
  if (frame === "mixed") throw new Error("mixed");
  return JSON.parse(new TextDecoder().decode(frame.bytes.subarray(frame.json.start, frame.json.end))) as {
    payload: { reminders: readonly object[] };
  };
}
const keys = (of: object) => Object.keys(of).toSorted();

describe("what is said of changes", () => {
  test("is what they are, to the field", () => {
    const change = changed();
    taskChangedSchema.parse(change);
    expect(keys(change)).toEqual(keys(taskChangedSchema.shape));
    expect(keys(change.payload)).toEqual(keys(taskChangedSchema.shape.payload.shape));
    expect(keys(change.payload.reminders[0] ?? {})).toEqual(keys(reminderSchema.shape));
  });

  test("a task in a change is the task of a list, with its reminders", () => {
    const row = viewOfRow(taskRow({ id: milk, user_id: ada }));
    expect(keys(row)).toEqual(keys(taskSchema.shape));
    taskSchema.parse(row);
    expect(keys({ ...row, reminders: [] })).toEqual(keys(changed().payload));
  });

  test("stands in the document by name, all it refers to too", async () => {
    const app = makeHttpApp({
      title: "t",
      version: "1",
      authenticate: () => Promise.reject(new Error("nobody")),
      newId: () => "id",
      log: makeLog({}, "error"),
      metrics: makeMetrics("ui-gateway", { process: false }),
    });
    addStreamRoutes(app, {} as never);
    const text = await (await app.request("/openapi.json")).text();
    const { components } = JSON.parse(text) as { components: { schemas: Record<string, { enum?: unknown }> } };
    expect(Object.keys(components.schemas)).toEqual(
      expect.arrayContaining(["Changes", "TaskChanged", "ChangedTask", "ChangeType", "ResetReason", "Reminder"]),
    );
    expect(components.schemas["ResetReason"]?.enum).toEqual(Object.keys(resetReasons));
    for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(Object.keys(components.schemas)).toContain(name);
    expect(components.schemas["Changes"]).toMatchObject({
      properties: { reset: { anyOf: [{ $ref: "#/components/schemas/ResetReason" }, { type: "null" }] } },
    });
    const example: z.input<typeof changesSchema> = { items: [], cursor: "e.1.1", reset: "gap", state: "live" };
    changesSchema.parse(example);
  });
});
