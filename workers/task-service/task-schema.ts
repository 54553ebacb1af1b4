import { z } from "@hono/zod-openapi";
import type { RouteConfig } from "@hono/zod-openapi";
import { etagHeader, locationHeader } from "../../shared/http/answer-parts.ts";
import { bodyFailures, readFailures, writeFailures } from "../../shared/http/failures.ts";
import { ifMatchHeader, ifNoneMatchHeader } from "../../shared/http/match-headers.ts";
import { pageOf } from "../../shared/http/page-query.ts";
import { keyHeader } from "../../shared/http/request-key.ts";
import { reminderSchema } from "../../shared/reminders/reminder-schema.ts";
import { newTask, taskPatch } from "../../shared/tasks/task-input.ts";
import { taskSchema } from "../../shared/tasks/task-schema.ts";

const listedTask = taskSchema
  .extend({
    reminders: z
      .array(reminderSchema)
      .optional()
      .openapi({ description: "Only with expand=reminders: its reminders by time, whatever became of them." }),
  })
  .openapi("ListedTask");
const page = pageOf(listedTask)
  .extend({
    count: z
      .int()
      .optional()
      .openapi({ description: "With count=true: how many tasks there are on all pages together.", example: 12 }),
    filter_words: z
      .string()
      .optional()
      .openapi({ description: "With a filter: how it was understood.", example: "overdue or due today" }),
  })
  .openapi("TaskPage");

const when = z.string().openapi({ format: "date-time" });
const rule = z.string().openapi({ example: "PT1H" });
const unsetWords =
  "Rules that make no reminder: there is no due they could be relative to, their time has passed, another one comes to the same time, or " +
  "the task is completed.";
const unset = z.array(
  z.object({
    rule,
    remind_at: when.nullable().openapi({ description: "When it would have been; null without a due." }),
    reason: z.enum(["no_due", "past", "same_time", "completed"]),
  }),
);
export const createdTask = taskSchema
  .extend({
    first_occurrence: z
      .object({
        id: z.uuid(),
        recurrence_id: z.string().openapi({ example: "2026-11-27T17:00:00" }),
        due_date: when.nullable(),
        due_on: z.iso.date().nullable(),
      })
      .nullable()
      .openapi({
        description: "Of a template: the task its series begins with. null where it has none, and for other tasks.",
      }),
    reminders: z.array(z.object({ id: z.guid(), rule, remind_at: when })).openapi({
      description: "The reminders that will be made, by time; of a template those of its first occurrence.",
    }),
    unset_reminders: unset.openapi({ description: unsetWords }),
  })
  .openapi("CreatedTask");

export const patchedTask = taskSchema
  .extend({
    unset_reminders: unset.optional().openapi({
      description: `Where the patch says when it is due or what to remind of, and there are any. ${unsetWords}`,
    }),
  })
  .openapi("PatchedTask");

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

export const keyHeaders = z.object(keyHeader);
export const writeHeaders = z.object({ ...keyHeader, ...ifMatchHeader });
export const readHeaders = z.object(ifNoneMatchHeader);

export const createBody = { required: true, content: json(newTask) } as const;
export const patchBody = { required: true, content: json(taskPatch) } as const;

const changed = { description: "The task as it now is", headers: etagHeader, content: json(taskSchema) };

/** Typed wide, so that handlers may answer with a stored answer as it was sent. */
type Answers = "made" | "patched" | "changed" | "read" | "listed" | "exported" | "gone";
export const responses: Readonly<Record<Answers, RouteConfig["responses"]>> = {
  made: {
    201: { description: "Made", headers: { ...etagHeader, ...locationHeader }, content: json(createdTask) },
    ...bodyFailures(409),
  },
  patched: { 200: { ...changed, content: json(patchedTask) }, ...bodyFailures(404, 409, 412) },
  changed: { 200: changed, ...writeFailures(404, 409, 412, 422) },
  read: {
    200: { description: "The task", headers: etagHeader, content: json(taskSchema) },
    304: { description: "Still the version of If-None-Match", headers: etagHeader },
    ...readFailures(404, 422),
  },
  listed: { 200: { description: "Tasks in the order asked for", content: json(page) }, ...readFailures(422) },
  exported: {
    200: { description: "A VCALENDAR", headers: fileHeader, content: { "text/calendar": { schema: z.string() } } },
    ...readFailures(),
  },
  gone: { 204: { description: "Deleted, now or before" }, ...writeFailures(404, 409, 412, 422) },
};
