import { createRoute, z } from "@hono/zod-openapi";
import { readFailures, writeFailures } from "../../shared/http/failures.ts";
import type { HttpApp } from "../../shared/http/http-app.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { endpointSchema, endpointView } from "./endpoint-view.ts";
import { enableEndpoint, listEndpoints } from "./endpoints.ts";

const params = z.object({ id: z.guid("is not a UUID").transform((text) => text.toLowerCase()) });
const list = z.object({ items: z.array(endpointSchema) }).openapi("NotificationEndpoints");

/** The routes of the webhooks among a user's channels: to see how they do, and to let one that was given up have another chance. */
export function addEndpointRoutes(app: HttpApp, db: Pick<Db, "sql">): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/notifications/endpoints",
      summary: "How the webhooks among your channels do",
      responses: {
        200: { description: "All of them", content: { "application/json": { schema: list } } },
        ...readFailures(422),
      },
    }),
    async (c) => c.json({ items: (await listEndpoints(db.sql, c.var.identity.userId)).map(endpointView) }, 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/notifications/endpoints/{id}/enable",
      summary: "Enable a webhook that was given up",
      description: "Its failures are forgotten. One that works stays as it is.",
      request: { params },
      responses: {
        200: { description: "The endpoint", content: { "application/json": { schema: endpointSchema } } },
        ...writeFailures(404, 422),
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { userId } = c.var.identity;
      await enableEndpoint(db.sql, { id, userId });
      const found = (await listEndpoints(db.sql, userId)).find((endpoint) => endpoint.id === id);
      if (found === undefined) throw new Problem("ENDPOINT_NOT_FOUND");
      return c.json(endpointView(found), 200);
    },
  );
}
