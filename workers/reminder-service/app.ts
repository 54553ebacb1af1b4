import { createRoute, z, type RouteConfig } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Auth } from "../../shared/http/auth.ts";
import { bodyFailures, readFailures, writeFailures } from "../../shared/http/failures.ts";
import { makeHttpApp, type HttpApp, type HttpEnv } from "../../shared/http/http-app.ts";
import { pageOf, pageQuery } from "../../shared/http/page-query.ts";
import {
  keyHeader,
  needlessKeyHeader,
  replayedHeader,
  requestKey,
  type RequestKey,
} from "../../shared/http/request-key.ts";
import type { Log } from "../../shared/role/log.ts";
import type { Metrics } from "../../shared/role/metrics.ts";
import { span } from "../../shared/preferences/preferences.ts";
import { Problem } from "../../shared/problem.ts";
import { reminderSchema } from "../../shared/reminders/reminder-schema.ts";
import { expandedFields, expandQuery } from "../../shared/reminders/reminder-task.ts";
import { instant } from "../../shared/tasks/instant.ts";
import { findReminder, findTask, settle } from "./find-task.ts";
import { listReminders, readReminder, taskStatuses } from "./list-reminders.ts";
import type { ReminderQuota } from "./reminder-quota.ts";
import type { ReminderAnswer } from "./answer-once.ts";
import { listedView, reminderView } from "./reminder-view.ts";
import { changeReminder, snoozeReminder } from "./move-reminder.ts";
import { snoozeInput } from "./snooze-until.ts";
import { createReminder, deleteReminder, dismissReminder } from "./write-reminder.ts";
import type { ReminderRequest, ReminderWriteDeps } from "./write-events.ts";

type ReminderAppOptions = ReminderWriteDeps &
  Readonly<{
    quota: ReminderQuota;
    authenticate: Auth["authenticate"];
    newId: () => string;
    now: () => Date;
    log: Log;
    metrics: Metrics;
  }>;

const id = z.guid("is not a UUID").transform((text) => text.toLowerCase());
const params = z.object({ id });
const status = z.enum(["pending", "triggered", "dismissed"]).optional().openapi({ description: "Only these." });
const ofTask = pageOf(reminderSchema).openapi("TaskReminderPage");
const listed = reminderSchema.extend(expandedFields).openapi("ListedReminder");
const list = pageOf(listed).openapi("ReminderPage");
const listQuery = z
  .strictObject({
    ...pageQuery,
    status,
    task_id: id.optional().openapi({ description: "Only those of this task." }),
    task_status: z.enum(taskStatuses).optional().openapi({
      description:
        "Only those whose task is open, completed or deleted now. A deleted task is neither open nor completed.",
    }),
    remind_after: instant
      .optional()
      .openapi({ description: "Only those whose `remind_at` is then or later.", example: "2026-12-24T00:00:00Z" }),
    remind_before: instant
      .optional()
      .openapi({ description: "Only those whose `remind_at` is earlier.", example: "2026-12-25T00:00:00Z" }),
    ...expandQuery,
  })
  .refine(({ remind_after: after, remind_before: before }) => !after || !before || after < before, {
    path: ["remind_before"],
    error: "is not after remind_after",
  });
const answers = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
// Typed wide, so that a kept answer is given again as it was sent.
const made: RouteConfig["responses"] = {
  200: answers(reminderSchema, "The reminder that was set already, with what is new of it"),
  201: answers(reminderSchema, "The reminder"),
  ...bodyFailures(404, 409),
};
const moved: RouteConfig["responses"] = {
  200: answers(reminderSchema, "The reminder as it now is"),
  ...bodyFailures(404, 409),
};
const gone: RouteConfig["responses"] = { 204: { description: "It is gone" }, ...writeFailures(404, 409, 422) };
const dismissHeaders = z.object(needlessKeyHeader);

/** The routes of reminders. Runs wherever `fetch` handlers do; never touches Redis. */
export function buildApp(options: ReminderAppOptions): HttpApp {
  const { db, quota, authenticate, newId, now, log, metrics } = options;
  const app = makeHttpApp({ title: "Taskwire reminders", version: "1", authenticate, newId, log, metrics });
  const asked = (c: Context<HttpEnv>, key: RequestKey | null): ReminderRequest => ({
    key,
    userId: c.var.identity.userId,
    correlationId: c.var.correlationId,
    traceparent: c.var.traceparent,
    now: now(),
    signal: c.req.raw.signal,
  });

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/reminders",
      summary: "Your reminders, by time",
      description:
        "Several filters must all hold. What has fired stays `triggered` after its task is done: to show it only while the task is " +
        "open, ask for `status=triggered&task_status=open&expand=task`. In a URL the `+` of an offset is `%2B`.",
      request: { query: listQuery },
      responses: { 200: answers(list, "A page of reminders"), ...readFailures(422) },
    }),
    async (c) => {
      const { limit, cursor = null, status = null, task_id: taskId = null, ...query } = c.req.valid("query");
      const { userId } = c.var.identity;
      if (taskId !== null) await settle(db.sql, taskId, { userId, signal: c.req.raw.signal });
      const { items, nextCursor } = await listReminders(db.sql, {
        userId,
        status,
        taskId,
        taskStatus: query.task_status ?? null,
        remindAfter: query.remind_after ?? null,
        remindBefore: query.remind_before ?? null,
        withTask: query.expand === "task",
        limit,
        cursor,
      });
      return c.json({ items: items.map(listedView), next_cursor: nextCursor }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/tasks/{id}/reminders",
      summary: "The reminders of a task, by time",
      description: "Waits until those are there that the task's last change makes, for some 2 s at most.",
      request: { params, query: z.strictObject({ ...pageQuery, status }) },
      responses: { 200: answers(ofTask, "A page of reminders"), ...readFailures(404, 422) },
    }),
    async (c) => {
      const { id: taskId } = c.req.valid("param");
      const { limit, cursor = null, status = null } = c.req.valid("query");
      const { userId } = c.var.identity;
      await findTask(db.sql, taskId, { userId, signal: c.req.raw.signal });
      const { items, nextCursor } = await listReminders(db.sql, { userId, status, taskId, limit, cursor });
      return c.json({ items: items.map(reminderView), next_cursor: nextCursor }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/tasks/{id}/reminders",
      summary: "Set a reminder at an instant",
      description:
        "The same task and instant is the same reminder: repeating the request answers 200 and changes nothing but `drop_after`, where " +
        "it names that. " +
        "For reminders that move with the due " +
        "time, such as PT15M before it, set the task's `remind`.",
      request: {
        params,
        headers: z.object(keyHeader),
        body: { required: true, content: { "application/json": { schema: newReminder } } },
      },
      responses: made,
    }),
    async (c) => {
      const { remind_at: remindAt, drop_after: dropAfter } = c.req.valid("json");
      const key = await requestKey(c.req.valid("header")["idempotency-key"], c.req);
      const wanted = { taskId: c.req.valid("param").id, remindAt, dropAfter };
      return answered(c, 201, await createReminder(options, wanted, asked(c, key)));
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/reminders/{id}",
      summary: "One reminder",
      request: { params, query: z.strictObject(expandQuery) },
      responses: { 200: answers(listed, "The reminder"), ...readFailures(404, 422) },
    }),
    async (c) => {
      const of = { id: c.req.valid("param").id, userId: c.var.identity.userId };
      await findReminder(db.sql, { ...of, signal: c.req.raw.signal });
      const withTask = c.req.valid("query").expand === "task";
      const found = await readReminder(db.sql, { ...of, withTask });
      if (found === null) throw new Problem("REMINDER_NOT_FOUND");
      return c.json(listedView(found), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/v1/reminders/{id}",
      summary: "Change a reminder of your own",
      description:
        "Its time, how late it may fire, or both. For one that a rule of the task made, change the task's `remind` or due time, or " +
        "snooze it.",
      request: {
        params,
        headers: z.object(keyHeader),
        body: { required: true, content: { "application/json": { schema: reminderPatch } } },
      },
      responses: moved,
    }),
    async (c) => {
      const { remind_at: remindAt, drop_after: dropAfter } = c.req.valid("json");
      const key = await requestKey(c.req.valid("header")["idempotency-key"], c.req);
      const patch = { remindAt, dropAfter };
      return answered(c, 200, await changeReminder(options, c.req.valid("param").id, patch, asked(c, key)));
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/reminders/{id}",
      summary: "Delete a reminder of your own",
      description:
        "It is gone from every list; deleting again answers 204 again. For one that a rule of the task made, change the task's " +
        "`remind`, or dismiss it.",
      request: { params, headers: z.object(keyHeader) },
      responses: gone,
    }),
    async (c) => {
      const key = await requestKey(c.req.valid("header")["idempotency-key"], c.req);
      const deleted = await deleteReminder(options, c.req.valid("param").id, asked(c, key));
      quota.forget(c.var.identity.userId);
      return answered(c, 204, deleted);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/reminders/{id}/snooze",
      summary: "Put a reminder off",
      description:
        "Reminds again later; the task stays due when it is. One that has not fired yet can be put off, not brought forward. The snooze is over when the task is due at another time, completed or " +
        "deleted. Snoozing again counts from then; sent again with the same Idempotency-Key, it is done once.",
      request: {
        params,
        headers: z.object(keyHeader),
        body: { required: true, content: { "application/json": { schema: snoozeInput } } },
      },
      responses: moved,
    }),
    async (c) => {
      const key = await requestKey(c.req.valid("header")["idempotency-key"], c.req);
      const wish = c.req.valid("json");
      return answered(c, 200, await snoozeReminder(options, c.req.valid("param").id, wish, asked(c, key)));
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/reminders/{id}/dismiss",
      summary: "Dismiss a reminder",
      description: "Dismissing it again changes nothing and answers the same.",
      request: { params, headers: dismissHeaders },
      responses: { 200: answers(reminderSchema, "The reminder, dismissed"), ...writeFailures(404, 422) },
    }),
    async (c) => {
      const reminder = await dismissReminder(options, c.req.valid("param").id, asked(c, null));
      quota.forget(c.var.identity.userId);
      return c.json(reminderView(reminder), 200);
    },
  );
  return app;
}

/** `usual`: the status of the route, for an answer that was kept without one. */
function answered(c: Context<HttpEnv>, usual: AnswerStatus, { body, status, replayed }: ReminderAnswer): Response {
  if (replayed) c.header(replayedHeader, "true");
  const known = statuses.find((one) => one === status) ?? usual;
  return known === 204 ? c.body(null, 204) : c.body(body, known, { "content-type": "application/json" });
}

const statuses = [200, 201, 204] as const;
type AnswerStatus = (typeof statuses)[number];

const lateness = {
  drop_after: span.nullable().optional().openapi({
    description:
      "How late it may still fire, after downtime say: later it is dismissed as expired. null: however late.",
    example: "PT2H",
  }),
};
const newReminder = z.strictObject({ remind_at: instant, ...lateness }).openapi("NewReminder");
const reminderPatch = z
  .strictObject({ remind_at: instant.optional(), ...lateness })
  .refine((body) => Object.values(body).some((value) => value !== undefined), { error: "changes nothing" })
  .openapi("ReminderPatch", { minProperties: 1 });
