import { z } from "@hono/zod-openapi";

/** A day of the calendar in a request, such as `2026-12-31`, between 1970 and 2199. */
export const dueDay = z.iso
  .date("is not a day of the calendar, such as 2026-12-31")
  .refine((day) => day >= "1970-01-01" && day < "2200-01-01", "is not between 1970 and 2199");
