import { z } from "@hono/zod-openapi";
import { wholeNumber } from "./whole-number.ts";

/** What every list takes; put it in a strict object, so that a misspelt filter is refused instead of ignored. */
export const pageQuery = {
  limit: wholeNumber({ min: 1, max: 200, fallback: 50 }).openapi({ description: "How many a page has at most." }),
  cursor: z.string().max(1000).optional().openapi({ description: "next_cursor of the page before." }),
};

/** The shape of a page of them. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next_cursor: z.string().nullable().openapi({ description: "null on the last page." }),
  });
}
