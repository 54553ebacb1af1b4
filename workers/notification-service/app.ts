import { createRoute, z } from "@hono/zod-openapi";
import type { Auth } from "../../shared/http/auth.ts";
import { readFailures, writeFailures } from "../../shared/http/failures.ts";
import { makeHttpApp, type HttpApp } from "../../shared/http/http-app.ts";
import { pageOf, pageQuery } from "../../shared/http/page-query.ts";
import { keyHeader, replayedHeader } from "../../shared/http/request-key.ts";
import type { Log } from "../../shared/role/log.ts";
import type { Metrics } from "../../shared/role/metrics.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { expandQuery } from "../../shared/reminders/reminder-task.ts";
import { instant } from "../../shared/tasks/instant.ts";
import { addEndpointRoutes } from "./http/endpoint-routes.ts";
import { findNotification, listNotifications } from "./http/list-notifications.ts";
import { countUnread, markAllRead, markRead } from "./http/mark-read.ts";
import {
  attemptView,
  channelSchema,
  notificationDetailSchema,
  notificationSchema,
  notificationView,
  statusSchema,
} from "./http/notification-view.ts";
import { resendNotification } from "./http/resend-notification.ts";
import { describeWebhooks } from "./http/describe-webhooks.ts";
import type { TestEndpoint } from "./channels/channels.ts";

type NotificationAppOptions = Readonly<{
  db: Pick<Db, "sql" | "transaction">;
  authenticate: Auth["authenticate"];
  newId: () => string;
  log: Log;
  metrics: Metrics;
  /** By the channel of the endpoint. */
  sendTest: TestEndpoint;
  /** Something is to be sent at once. */
  onResent: () => void;
}>;

const query = z
  .strictObject({
    ...pageQuery,
    status: statusSchema.optional().openapi({ description: "Only these. bundled: what waits in a digest." }),
    channel: channelSchema.optional().openapi({ description: "Only those of this channel." }),
    unread: z.enum(["true", "false"]).optional().openapi({
      description:
        "true: notifications delivered in the app that were not read yet; false: those that were read. Left out: all, of every channel.",
    }),
    created_after: instant
      .optional()
      .openapi({ description: "Only those whose `created_at` is then or later.", example: "2026-12-24T00:00:00Z" }),
    created_before: instant
      .optional()
      .openapi({ description: "Only those whose `created_at` is earlier.", example: "2026-12-25T00:00:00Z" }),
    ...expandQuery,
  })
  .refine(({ created_after: after, created_before: before }) => !after || !before || after < before, {
    path: ["created_before"],
    error: "is not after created_after",
  });
const list = pageOf(notificationSchema).openapi("NotificationPage");
const params = z.object({ id: z.guid("is not a UUID").transform((text) => text.toLowerCase()) });
const answers = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

/** The routes of notifications. Runs wherever `fetch` handlers do. */
export function buildApp({
  db,
  authenticate,
  newId,
  log,
  metrics,
  sendTest,
  onResent,
}: NotificationAppOptions): HttpApp {
  const app = makeHttpApp({ title: "Taskwire notifications", version: "1", authenticate, newId, log, metrics });
  const find = async (id: string, userId: string, withTask = false) => {
    const found = await findNotification(db.sql, { id, userId, withTask });
    if (found === null) throw new Problem("NOTIFICATION_NOT_FOUND");
    return { ...notificationView(found.row, found.told), attempt_log: found.attempts.map(attemptView) };
  };

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/notifications",
      summary: "Your notifications, newest first",
      description:
        "Several filters must all hold. `title` is that of the task when the reminder fired; `expand=task` gives the task as it is now, " +
        "also of each reminder of a digest. In a URL the `+` of an offset is `%2B`.",
      request: { query },
      responses: { 200: answers(list, "A page of notifications"), ...readFailures(422) },
    }),
    async (c) => {
      const { limit, cursor = null, status = null, channel = null, unread, ...more } = c.req.valid("query");
      const asked = {
        userId: c.var.identity.userId,
        limit,
        cursor,
        status,
        channel,
        unread: unread === undefined ? null : unread === "true",
        createdAfter: more.created_after ?? null,
        createdBefore: more.created_before ?? null,
        withTask: more.expand === "task",
      };
      const { items, nextCursor } = await listNotifications(db.sql, asked);
      return c.json({ items: items.map(({ row, told }) => notificationView(row, told)), next_cursor: nextCursor }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/notifications/unread",
      summary: "How many in-app notifications you have not read",
      responses: {
        200: answers(z.object({ unread: z.int().openapi({ description: "Counted up to 1,000." }) }), "The count"),
        ...readFailures(422),
      },
    }),
    async (c) => c.json({ unread: await countUnread(db.sql, c.var.identity.userId) }, 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/notifications/read-all",
      summary: "Mark all your in-app notifications as read",
      responses: { 200: answers(z.object({ read: z.int() }), "How many were not read before"), ...writeFailures(422) },
    }),
    async (c) => c.json({ read: await markAllRead(db.sql, c.var.identity.userId) }, 200),
  );

  addEndpointRoutes(app, { sql: db.sql, sendTest, newId });
  describeWebhooks(app);

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/notifications/{id}",
      summary: "One notification, with its attempts",
      request: { params, query: z.strictObject(expandQuery) },
      responses: { 200: answers(notificationDetailSchema, "The notification"), ...readFailures(404, 422) },
    }),
    async (c) => {
      const withTask = c.req.valid("query").expand === "task";
      return c.json(await find(c.req.valid("param").id, c.var.identity.userId, withTask), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/notifications/{id}/read",
      summary: "Mark an in-app notification as read",
      description: "Marking it again changes nothing.",
      request: { params },
      responses: { 200: answers(notificationDetailSchema, "The notification, read"), ...writeFailures(404, 409, 422) },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { userId } = c.var.identity;
      const marked = await markRead(db.sql, { id, userId });
      const found = await find(id, userId);
      if (!marked) throw new Problem("NOTIFICATION_NOT_READABLE", "Only what was delivered in the app can be read");
      return c.json(found, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/notifications/{id}/resend",
      summary: "Send a notification again",
      description:
        "Under the same id. One that waits already goes on waiting; the same key as the time before changes nothing.",
      request: { params, headers: z.object(keyHeader) },
      responses: { 202: answers(notificationDetailSchema, "The notification"), ...writeFailures(404, 409, 422) },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { userId } = c.var.identity;
      const key = c.req.valid("header")["idempotency-key"] ?? null;
      const { replayed } = await resendNotification(db, { id, userId, key });
      if (replayed) c.header(replayedHeader, "true");
      else onResent();
      return c.json(await find(id, userId), 202);
    },
  );
  return app;
}
