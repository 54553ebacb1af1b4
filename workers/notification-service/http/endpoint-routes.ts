import { createRoute, z } from "@hono/zod-openapi";
import { readFailures, writeFailures } from "../../../shared/http/failures.ts";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { Problem } from "../../../shared/problem.ts";
import { endpointSchema, endpointTestSchema, endpointView, testView } from "./endpoint-view.ts";
import { enableEndpoint, listEndpoints } from "./endpoints.ts";
import { testEndpoint, type EndpointTestDeps } from "./test-endpoint.ts";

const params = z.object({ id: z.guid("is not a UUID").transform((text) => text.toLowerCase()) });
const list = z.object({ items: z.array(endpointSchema) }).openapi("NotificationEndpoints");

/**
 * The routes of the webhooks among a user's channels: how they do, a test, and another chance for one that was given
 * up.
 */
export function addEndpointRoutes(app: HttpApp, testing: EndpointTestDeps): void {
  const { sql } = testing;
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
    async (c) => c.json({ items: (await listEndpoints(sql, c.var.identity.userId)).map(endpointView) }, 200),
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
      await enableEndpoint(sql, { id, userId });
      const found = (await listEndpoints(sql, userId)).find((endpoint) => endpoint.id === id);
      if (found === undefined) throw new Problem("ENDPOINT_NOT_FOUND");
      return c.json(endpointView(found), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/notifications/endpoints/{id}/test",
      summary: "Send a test to a webhook now",
      description:
        "Posts a signed message of type `endpoint.test`, once and as notifications are posted, and answers what became of it. How the " +
        "endpoint does stays as it was. Again after 5 s.",
      request: { params },
      responses: {
        200: { description: "What became of it", content: { "application/json": { schema: endpointTestSchema } } },
        ...writeFailures(404, 422, 429),
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { identity, correlationId, traceparent } = c.var;
      return c.json(
        testView(await testEndpoint(testing, { id, userId: identity.userId, correlationId, traceparent })),
        200,
      );
    },
  );
}
