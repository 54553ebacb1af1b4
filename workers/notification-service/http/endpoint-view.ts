import { z } from "@hono/zod-openapi";
import type { Endpoint } from "./endpoints.ts";
import { channels } from "../channels/channels.ts";
import type { EndpointTestResult } from "./test-endpoint.ts";

const instant = z.string().openapi({ format: "date-time", example: "2026-12-31T23:59:59.000Z" });

export const endpointSchema = z
  .object({
    id: z.string().openapi({ format: "uuid" }),
    url: z.string(),
    state: z.enum(["working", "failing", "open", "disabled"]).openapi({
      description:
        "failing: the last attempt failed. open: nothing is sent before `open_until`, then one attempt is the probe. " +
        "disabled: nothing is sent until it is enabled again.",
    }),
    failures: z.int().openapi({ description: "Attempts failed in a row." }),
    failing_since: instant.nullable(),
    open_until: instant.nullable(),
    disabled_at: instant.nullable(),
    disabled_reason: z.string().nullable(),
    waiting: z.int().openapi({ description: "Notifications that wait for it; counted up to 1,000." }),
  })
  .openapi("NotificationEndpoint");

export const endpointTestSchema = z
  .object({
    id: z.string().openapi({ format: "uuid", description: "The `webhook-id` it was sent under." }),
    delivered: z.boolean().openapi({ description: "Whether the receiver answered with a 2xx." }),
    reason: z.string().nullable().openapi({
      description: "Why not: the status, the error of the connection, or that the address is not public.",
      example: "HTTP 500",
    }),
    ms: z.int().openapi({ description: "Until it was answered, or given up." }),
  })
  .openapi("EndpointTest");

export function testView({ id, sent, ms }: EndpointTestResult): z.infer<typeof endpointTestSchema> {
  const reason = sent.outcome === "delivered" ? null : sent.reason;
  return { id, delivered: sent.outcome === "delivered", reason, ms };
}

export function endpointView(endpoint: Endpoint): z.infer<typeof endpointSchema> {
  return {
    id: endpoint.id,
    url: channels[endpoint.way.channel].shown(endpoint.way.target),
    state: endpoint.state,
    failures: endpoint.failures,
    failing_since: endpoint.failingSince?.toISOString() ?? null,
    open_until: endpoint.openUntil?.toISOString() ?? null,
    disabled_at: endpoint.disabledAt?.toISOString() ?? null,
    disabled_reason: endpoint.disabledReason,
    waiting: endpoint.waiting,
  };
}
