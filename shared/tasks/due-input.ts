import { z } from "@hono/zod-openapi";
import { Problem } from "../problem.ts";
import { readWall, wallText } from "../recurrence/wall-time.ts";
import { zoneClock } from "../recurrence/zone-clock.ts";
import { instant } from "./instant.ts";

/** A time on the wall clock of a zone that is said elsewhere, `2026-12-31T18:00:00`. */
export type LocalTime = Readonly<{ local: string }>;

const localShape = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/i;

/**
 * When something is due, in a request: an instant, or a local time `2026-12-31T18:00`, which `dueInstant` finds in its
 * zone.
 */
export const dueTime = z
  .string()
  .transform((text, context): Date | LocalTime => {
    const wall = text.length > 10 ? readWall(text.toUpperCase()) : null;
    if (wall !== null && /^(?:19[7-9]|2[01]\d)/.test(text)) return { local: wallText(wall) };
    const read = instant.safeParse(text);
    if (read.success) return read.data;
    // What is wrong with a local time is what would be wrong with it in UTC.
    const asUtc = localShape.test(text) ? instant.safeParse(`${text}Z`) : read;
    for (const { message } of (asUtc.success ? read : asUtc).error?.issues ?? [])
      context.issues.push({
        code: "custom",
        message: message.startsWith("is not an RFC")
          ? `${message}, and no local time such as 2026-12-31T18:00`
          : message,
        input: text,
      });
    return z.NEVER;
  })
  .openapi({
    type: "string",
    format: "due-time",
    pattern:
      "^(19[7-9]\\d|2[01]\\d\\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])[Tt]([01]\\d|2[0-3]):[0-5]\\d" +
      "((:[0-5]\\d)?|(:[0-5]\\d(\\.\\d{1,9})?)?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d))$",
    description:
      "An RFC 3339 time with an offset, or a local time without one, in the zone of due_tz, else of the pattern, else of your preferences where they were ever set. Of a " +
      "local time that comes twice in autumn the first one is meant; one that the clocks jump over in spring is refused.",
    example: "2026-12-31T18:00:00+01:00",
  });

/**
 * The instant of a due time; `tz` is the zone of a local one, `null` where none is known. Throws INVALID_REQUEST
 * (`/due_date`) without a zone, and for a time that the clocks of the zone jump over: as a recurrence does not come
 * then, nothing is due then.
 */
export function dueInstant(due: Date | LocalTime, tz: string | null): Date {
  if (due instanceof Date) return due;
  if (tz === null)
    throw invalid("has no offset, and no zone is known for it: add an offset, due_tz, or a zone to your preferences");
  const at = zoneClock(tz).instantAt(Date.parse(`${due.local}Z`));
  if (at === null)
    throw invalid(`does not exist in ${tz}: the clocks jump over ${due.local.slice(11, 16)} on that day`);
  return new Date(at);
}

function invalid(message: string): Problem {
  return new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path: "/due_date", message }] });
}
