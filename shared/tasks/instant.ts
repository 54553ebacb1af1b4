import { z } from "@hono/zod-openapi";

/** Due dates and reminders lie between; beyond it other parts (Avro readers, calendars) disagree about time. */
const bounds = { earliest: Date.UTC(1970, 0, 1), latest: Date.UTC(2200, 0, 1) - 1 } as const;

/** An instant in a request: RFC 3339 with an offset, to the millisecond, between 1970 and 2199. */
export const instant = z.iso
  .datetime({ offset: true, error: "is not an RFC 3339 time with an offset, such as 2026-12-31T18:00:00+01:00" })
  .transform((text) => new Date(text))
  .refine((date) => date.getTime() >= bounds.earliest && date.getTime() <= bounds.latest, {
    error: "is not between 1970 and 2199",
  })
  .openapi({
    pattern: "^(19[7-9]\\d|2[01]\\d\\d)-",
    description: "RFC 3339 with an offset, between 1970 and 2199 in UTC.",
    example: "2026-12-31T18:00:00+01:00",
  });
