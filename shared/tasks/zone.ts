import { z } from "@hono/zod-openapi";
import { knownZone } from "../recurrence/recurrence-pattern.ts";

/** An IANA zone in a request, in its usual spelling afterwards. */
export const zone = z
  .string()
  .transform((name, context) => {
    const known = knownZone(name);
    if (known !== null) return known;
    context.issues.push({ code: "custom", message: "is not an IANA time zone such as Europe/Berlin", input: name });
    return z.NEVER;
  })
  .openapi({ type: "string", example: "Europe/Berlin" });
