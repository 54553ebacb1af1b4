import { expect, test } from "bun:test";
import { z } from "zod";
import { testBody, webhookBody } from "../../../workers/notification-service/channels/webhook-body.ts";
import { webhookBodies } from "../../../workers/notification-service/http/describe-webhooks.ts";

const reminder = (title: string | null, remindAt: Date | null, lateBy: number | null) => ({
  reminderId: Bun.randomUUIDv7(),
  taskId: Bun.randomUUIDv7(),
  title,
  remindAt,
  triggeredAt: new Date("2026-11-23T09:02:00.120Z"),
  lateBy,
  tz: "Europe/Berlin",
  dueOn: title === null ? "2026-11-23" : null,
});

test.each([
  ["reminder", "reminder.triggered", [reminder("Wäsche 🧺", new Date("2026-11-23T09:00:00Z"), 120)]],
  ["reminder", "reminder.triggered", [reminder(null, null, null)]],
  ["digest", "reminder.digest", [reminder("a", new Date(0), null), reminder(null, null, 3)]],
] as const)(
  "what is posted for a %s is what the document says of %s, no field more or less",
  (kind, type, reminders) => {
    const body: unknown = JSON.parse(
      webhookBody({
        id: Bun.randomUUIDv7(),
        userId: Bun.randomUUIDv7(),
        kind,
        reminders,
        target: "",
        secret: null,
        correlationId: null,
        causationId: null,
        traceparent: null,
      }),
    );
    expect(webhookBodies[type].parse(body)).toEqual(body as never); // parsing drops what is not described
    expect(z.object({ type: z.string() }).parse(body).type).toBe(type);
  },
);

test("what is posted to try an endpoint is what the document says of it", () => {
  const body: unknown = JSON.parse(testBody({ id: Bun.randomUUIDv7(), userId: Bun.randomUUIDv7() }, new Date(0)));
  expect(webhookBodies["endpoint.test"].parse(body)).toEqual(body as never); // parsing drops what is not described
});
