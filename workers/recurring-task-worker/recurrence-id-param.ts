import { z } from "@hono/zod-openapi";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { readWall, wallText } from "../../shared/recurrence/wall-time.ts";

/**
 * A recurrence in a path, in the spelling recurrences have: seconds may be left out, and the `#2` of a further
 * occurrence is dropped.
 */
export const recurrenceId = z
  .string()
  .transform((text, context) => {
    const plain = /#\d{1,4}$/.test(text) ? plainId(text) : text;
    const wall = readWall(plain);
    if (wall !== null) return plain.length === 10 ? plain : wallText(wall);
    context.issues.push({
      code: "custom",
      message: "is not a local start such as 2026-01-31T09:00:00, or a day such as 2026-01-31 of an all-day series",
      input: text,
    });
    return z.NEVER;
  })
  .openapi({
    type: "string",
    format: "local-start",
    pattern: "^(19[7-9]\\d|2[01]\\d\\d)-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d)?)?(#\\d{1,4})?$",
    description: "The local start as the rule says it: a time, or the day of an all-day series.",
    example: "2026-01-31T09:00:00",
  });
