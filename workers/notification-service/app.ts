import { createRoute, z } from "@hono/zod-openapi";
import type { Auth } from "../../shared/http/auth.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { readFailures } from "../../shared/http/failures.ts";
import { makeHttpApp, type HttpApp } from "../../shared/http/http-app.ts";
import { pageOf, pageQuery } from "../../shared/http/page-query.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import { listNotifications } from "./list-notifications.ts";
import { notificationSchema, notificationView } from "./notification-view.ts";

export type AppOptions = Readonly<{
  db: Pick<Db, "sql">;
  authenticate: Auth["authenticate"];
  newId: () => string;
  log: Log;
  metrics: Metrics;
}>;

const query = z.strictObject(pageQuery);
const list = pageOf(notificationSchema).openapi("NotificationPage");

/** The routes of notifications. Runs wherever `fetch` handlers do. */
export function buildApp({ db, authenticate, newId, log, metrics }: AppOptions): HttpApp {
  const app = makeHttpApp({ title: "Taskwire notifications", version: "1", authenticate, newId, log, metrics });
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/notifications",
      summary: "Your notifications, newest first",
      request: { query },
      responses: {
        200: { description: "A page of notifications", content: { "application/json": { schema: list } } },
        ...readFailures(422),
      },
    }),
    async (c) => {
      const { limit, cursor = null } = c.req.valid("query");
      const { items, nextCursor } = await listNotifications(db.sql, { userId: c.var.identity.userId, limit, cursor });
      return c.json({ items: items.map(notificationView), next_cursor: nextCursor }, 200);
    },
  );
  return app;
}
