import { z } from "@hono/zod-openapi";
import type { RouteConfig } from "@hono/zod-openapi";
import { etagHeader, locationHeader } from "../../shared/http/answer-parts.ts";
import { bodyFailures, readFailures, writeFailures } from "../../shared/http/failures.ts";
import { ifMatchHeader, ifNoneMatchHeader } from "../../shared/http/match-headers.ts";
import { pageOf, pageQuery } from "../../shared/http/page-query.ts";
import { keyHeader } from "../../shared/http/request-key.ts";
import { recurrencePatternSchema } from "../../shared/recurrence/pattern-schema.ts";
import { newTask, priorities, taskPatch } from "../../shared/tasks/task-input.ts";

const time = z.string().openapi({ format: "date-time", example: "2026-11-02T08:30:00.000Z" });

const task = z
  .object({
    id: z.uuid().openapi({ example: "0193b2c8-7d5e-7c3a-9b1e-4f2f0c6b8d11" }),
    user_id: z.uuid(),
    title: z.string().openapi({ example: "Water the plants" }),
    description: z.string().nullable(),
    created_at: time,
    updated_at: time,
    due_date: time.nullable(),
    due_on: z.iso.date().nullable().openapi({ description: "The day an all-day task is due." }),
    due_tz: z.string().nullable(),
    priority: z.enum(priorities).nullable(),
    tags: z.array(z.string()),
    remind: z
      .array(z.string())
      .nullable()
      .openapi({ description: "null: the user's usual reminders.", example: ["PT1H"] }),
    status: z.enum(["open", "completed"]),
    completed_at: time.nullable(),
    deleted_at: time.nullable(),
    is_recurring_template: z.boolean(),
    recurrence_pattern: recurrencePatternSchema.nullable().openapi({ description: "Of a template; null for others." }),
    template_id: z.uuid().nullable(),
    recurrence_id: z.string().nullable(),
    version: z.int().openapi({ description: "Counts the events of the task; also its ETag.", example: 1 }),
  })
  .openapi("Task");

const page = pageOf(task).openapi("TaskPage");

const fileHeader = {
  "Content-Disposition": { description: "Names the file.", schema: { type: "string" as const } },
};
const json = <T extends z.ZodType>(schema: T) => ({ "application/json": { schema } });

export const params = z.object({
  id: z.uuid({ error: "is not a UUID" }).toLowerCase().openapi({ description: "The task." }),
});

/** How far a change of an occurrence reaches. */
export const scopeQuery = z.strictObject({
  scope: z.enum(["this", "future", "all"]).default("this").openapi({
    description:
      "Of an occurrence of a series: this one; this and those after it; or all of the series. Refused for other tasks, but for `this`.",
  }),
});

export const listQuery = z.strictObject({
  status: z.enum(["open", "completed", "all"]).default("all").openapi({ description: "Only these." }),
  templates: z
    .enum(["true", "false"])
    .default("false")
    .openapi({ description: "Lists recurring templates too; they are no to-do items." }),
  ...pageQuery,
});

export const keyHeaders = z.object(keyHeader);
export const writeHeaders = z.object({ ...keyHeader, ...ifMatchHeader });
export const readHeaders = z.object(ifNoneMatchHeader);

export const createBody = { required: true, content: json(newTask) } as const;
export const patchBody = { required: true, content: json(taskPatch) } as const;

const changed = { description: "The task as it now is", headers: etagHeader, content: json(task) };

/** Typed wide, so that handlers may answer with a stored answer as it was sent. */
type Answers = "made" | "patched" | "changed" | "read" | "listed" | "exported" | "gone";
export const responses: Readonly<Record<Answers, RouteConfig["responses"]>> = {
  made: {
    201: { description: "Made", headers: { ...etagHeader, ...locationHeader }, content: json(task) },
    ...bodyFailures(409),
  },
  patched: { 200: changed, ...bodyFailures(404, 409, 412) },
  changed: { 200: changed, ...writeFailures(404, 409, 412, 422) },
  read: {
    200: { description: "The task", headers: etagHeader, content: json(task) },
    304: { description: "Still the version of If-None-Match", headers: etagHeader },
    ...readFailures(404, 422),
  },
  listed: { 200: { description: "Tasks, newest first", content: json(page) }, ...readFailures(422) },
  exported: {
    200: { description: "A VCALENDAR", headers: fileHeader, content: { "text/calendar": { schema: z.string() } } },
    ...readFailures(),
  },
  gone: { 204: { description: "Deleted, now or before" }, ...writeFailures(404, 409, 412, 422) },
};
