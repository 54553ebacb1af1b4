import { z } from "@hono/zod-openapi";
import { isDay } from "./is-day.ts";

/** Due dates and reminders lie between; beyond it other parts (Avro readers, calendars) disagree about time. */
const bounds = { earliest: Date.UTC(1970, 0, 1), latest: Date.UTC(2200, 0, 1) - 1 } as const;

const notATime = "is not an RFC 3339 time with an offset, such as 2026-12-31T18:00:00+01:00";
// RFC 3339 §5.6: T and Z may be small. The seconds may be missing, which it does not allow and many clients do.
const shape =
  /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** An instant in a request: RFC 3339 with an offset, to the millisecond, between 1970 and 2199. */
export const instant = z
  .string()
  .max(40, { error: notATime, abort: true })
  .transform((text, context) => {
    const time = readInstant(text);
    if (time instanceof Date) return time;
    context.issues.push({ code: "custom", message: time.mistake, input: text });
    return z.NEVER;
  })
  .openapi({
    type: "string",
    format: "date-time",
    // But for the hours of an offset at both ends, which no pattern can say.
    pattern:
      "^(19[7-9]\\d|2[01]\\d\\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])[Tt]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d{1,9})?)?" +
      "([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)$",
    description: "RFC 3339 with an offset, between 1970 and 2199 in UTC.",
    example: "2026-12-31T18:00:00+01:00",
  });

/**
 * RFC 3339 has second 60 for leap seconds, which come on days that nobody knows beforehand and which no clock here
 * shows.
 */
const leapSecond = /^.{10}T\d\d:\d\d:60(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$/i;

function readInstant(text: string): Date | Readonly<{ mistake: string }> {
  if (leapSecond.test(text)) return { mistake: "has second 60, a leap second: write 59, or 00 of the next minute" };
  const [, year, month, day] = shape.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return { mistake: notATime };
  if (!isDay(`${year}-${month}-${day}`)) return { mistake: `names ${year}-${month}-${day}, a day no calendar has` };
  const time = new Date(text.toUpperCase());
  return time.getTime() >= bounds.earliest && time.getTime() <= bounds.latest
    ? time
    : { mistake: "is not between 1970 and 2199" };
}
