import { z } from "@hono/zod-openapi";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { firedSchema } from "./notification-view.ts";

const instant = z.string().openapi({ format: "date-time", example: "2026-12-31T23:59:59.000Z" });
const uuid = z.string().openapi({ format: "uuid" });
const about = {
  id: uuid.openapi({ description: "The notification, as GET /v1/notifications/{id} has it; also the webhook-id." }),
  user_id: uuid.openapi({ description: "Whose it is." }),
};
const at = instant.openapi({ description: "When the reminder fired; of several, the oldest." });

const reminderTriggered = z
  .object({
    type: z.literal("reminder.triggered"),
    timestamp: at,
    data: z.object({ ...about, ...firedSchema.shape }),
  })
  .openapi("ReminderTriggeredWebhook");
const reminderDigest = z
  .object({
    type: z.literal("reminder.digest"),
    timestamp: at,
    data: z.object({ ...about, reminders: z.array(firedSchema).openapi({ description: "Oldest first." }) }),
  })
  .openapi("ReminderDigestWebhook");

const endpointTest = z
  .object({
    type: z.literal("endpoint.test"),
    timestamp: instant.openapi({ description: "When it was sent." }),
    data: z.object({ id: uuid.openapi({ description: "Of the test; also the webhook-id." }), user_id: about.user_id }),
  })
  .openapi("EndpointTestWebhook");

/**
 * What is posted to webhooks, by the `type` of the body: what the document says of it, and tests compare with what is
 * sent.
 */
export const webhookBodies = {
  "reminder.triggered": reminderTriggered,
  "reminder.digest": reminderDigest,
  "endpoint.test": endpointTest,
} as const;

const summaries: Readonly<Record<keyof typeof webhookBodies, string>> = {
  "reminder.triggered": "A reminder fired",
  "reminder.digest": "Several reminders that waited, as one",
  "endpoint.test": "A test, which its owner asked for",
};

const headers = z.object({
  "webhook-id": z.string().openapi({
    description: "The same at every attempt, and when it is sent again: drop what you have seen.",
    example: "0193b2c8-7d5e-7c3a-9b1e-4f2f0c6b8d11",
  }),
  "webhook-timestamp": z.string().openapi({
    description: "When this attempt was signed, in seconds since 1970. Refuse one that is minutes off your clock.",
    example: "1798761599",
  }),
  "webhook-signature": z.string().openapi({
    description:
      "`v1,` and the base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body as sent>`, under the bytes that follow " +
      "`whsec_` in the channel's secret, base64 decoded.",
    example: "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
  }),
  "x-correlation-id": z.string().optional().openapi({
    description: "Of the request that scheduled the reminder; of several, the first. For asking the operator.",
  }),
  "x-causation-id": z.string().optional().openapi({ description: "The event that says that it fired." }),
  traceparent: z.string().optional().openapi({ description: "The trace of that request (W3C Trace Context)." }),
});

const delivered = { description: "Delivered; the body is not read." };
const answers = {
  "2XX": delivered,
  410: { description: "Gone: the webhook is disabled until its owner enables it." },
  default: {
    description: "Tried again for up to a day, after Retry-After where it is said. Redirects are not followed.",
  },
};
const onceAnswers = {
  "2XX": delivered,
  default: { description: "Not tried again; who asked for the test is told. Redirects are not followed." },
};

/** Adds the webhooks to the document. They are posted by us, so there is nothing to route. */
export function describeWebhooks(app: HttpApp): void {
  for (const [type, schema] of Object.entries(webhookBodies))
    app.openAPIRegistry.registerWebhook({
      method: "post",
      path: type,
      operationId: `on${type.replaceAll(/(?:^|\.)(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
      summary: summaries[type as keyof typeof webhookBodies], // a key of the same table
      description:
        "Posted to the `webhook` channels of a person's preferences, signed as Standard Webhooks say. " +
        (type === "endpoint.test"
          ? "Once, whatever else waits."
          : "One at a time and in order per URL; at least once."),
      request: { headers, body: { required: true, content: { "application/json": { schema } } } },
      responses: type === "endpoint.test" ? onceAnswers : answers,
    });
}
