import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Auth } from "../../shared/http/auth.ts";
import { makeHttpApp, type HttpApp, type HttpEnv } from "../../shared/http/http-app.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import { findTask } from "./find-task.ts";
import { listReminders } from "./list-reminders.ts";
import { reminderSchema, reminderView } from "./reminder-view.ts";
import { createReminder, dismissReminder, type Asked, type Writing } from "./write-reminder.ts";

export type AppOptions = Writing &
  Readonly<{
    authenticate: Auth["authenticate"];
    newId: () => string;
    now: () => Date;
    log: Log;
    metrics: Metrics;
  }>;

const id = z.guid("is not a UUID").transform((text) => text.toLowerCase());
const paging = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1000).optional(),
};
const status = z.enum(["pending", "triggered", "dismissed"]).optional();
const list = z.object({ items: z.array(reminderSchema), next_cursor: z.string().nullable() });
const answers = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

/** The routes of reminders. Runs wherever `fetch` handlers do; never touches Redis. */
export function buildApp(options: AppOptions): HttpApp {
  const { db, authenticate, newId, now, log, metrics } = options;
  const app = makeHttpApp({ title: "Taskwire reminders", version: "1", authenticate, newId, log, metrics });
  const asked = (c: Context<HttpEnv>): Asked => ({
    userId: c.var.identity.userId,
    correlationId: c.var.correlationId,
    traceparent: c.var.traceparent,
    now: now(),
  });

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/reminders",
      summary: "Your reminders, by time",
      request: { query: z.object({ ...paging, status, task_id: id.optional() }) },
      responses: { 200: answers(list, "A page of reminders") },
    }),
    async (c) => {
      const { limit, cursor = null, status = null, task_id: taskId = null } = c.req.valid("query");
      const { userId } = c.var.identity;
      const { items, nextCursor } = await listReminders(db.sql, { userId, status, taskId, limit, cursor });
      return c.json({ items: items.map(reminderView), next_cursor: nextCursor }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/tasks/{id}/reminders",
      summary: "The reminders of a task, by time",
      request: { params: z.object({ id }), query: z.object({ ...paging, status }) },
      responses: { 200: answers(list, "A page of reminders") },
    }),
    async (c) => {
      const { id: taskId } = c.req.valid("param");
      const { limit, cursor = null, status = null } = c.req.valid("query");
      const { userId } = c.var.identity;
      await findTask(db.sql, taskId, userId);
      const { items, nextCursor } = await listReminders(db.sql, { userId, status, taskId, limit, cursor });
      return c.json({ items: items.map(reminderView), next_cursor: nextCursor }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/tasks/{id}/reminders",
      summary: "Set a reminder at an instant",
      description: "The same task and instant is the same reminder: repeating the request changes nothing.",
      request: {
        params: z.object({ id }),
        body: { required: true, content: { "application/json": { schema: newReminder } } },
      },
      responses: { 201: answers(reminderSchema, "The reminder") },
    }),
    async (c) => {
      const remindAt = new Date(c.req.valid("json").remind_at);
      const reminder = await createReminder(options, { taskId: c.req.valid("param").id, remindAt }, asked(c));
      return c.json(reminderView(reminder), 201);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/reminders/{id}/dismiss",
      summary: "Dismiss a reminder",
      request: { params: z.object({ id }) },
      responses: { 200: answers(reminderSchema, "The reminder, dismissed") },
    }),
    async (c) => c.json(reminderView(await dismissReminder(options, c.req.valid("param").id, asked(c))), 200),
  );
  return app;
}

const lastYear = 9999;
const newReminder = z
  .strictObject({
    remind_at: z.iso
      .datetime({ offset: true, error: "must be a date and time with its zone, such as 2026-12-31T18:00:00Z" })
      .refine((text) => !(new Date(text).getUTCFullYear() > lastYear), "is too far ahead"),
  })
  .openapi("NewReminder");
