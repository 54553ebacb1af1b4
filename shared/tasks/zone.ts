import { z } from "@hono/zod-openapi";
import { knownZone } from "../recurrence/recurrence-pattern.ts";

/** An IANA zone in a request, in its usual spelling afterwards. */
export const zone = z
  .string()
  .refine((name) => knownZone(name) !== null, {
    error: "is not an IANA time zone such as Europe/Berlin",
    abort: true,
  })
  .overwrite((name) => knownZone(name) ?? name)
  .openapi({ format: "time-zone", description: "An IANA time zone.", example: "Europe/Berlin" });
