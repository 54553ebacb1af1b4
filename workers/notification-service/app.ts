import { createRoute, z } from "@hono/zod-openapi";
import type { Auth } from "../../shared/http/auth.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { makeHttpApp, type HttpApp } from "../../shared/http/http-app.ts";
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

const paging = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1000).optional(),
});
const list = z.object({ items: z.array(notificationSchema), next_cursor: z.string().nullable() });

/** The routes of notifications. Runs wherever `fetch` handlers do. */
export function buildApp({ db, authenticate, newId, log, metrics }: AppOptions): HttpApp {
  const app = makeHttpApp({ title: "Taskwire notifications", version: "1", authenticate, newId, log, metrics });
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/notifications",
      summary: "Your notifications, newest first",
      request: { query: paging },
      responses: {
        200: { description: "A page of notifications", content: { "application/json": { schema: list } } },
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
