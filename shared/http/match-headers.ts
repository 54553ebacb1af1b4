import { z } from "@hono/zod-openapi";

const tag = '(W/)?"[!#-~]*"';
// The server reads the text itself, so that a number without its quotes is answered in words.
const tags = z
  .string()
  .max(1000)
  .openapi({ pattern: `^(\\*|${tag}( *, *${tag})*)$`, example: '"1"' })
  .optional();

/** For the `headers` of a route that changes what has a version. */
export const ifMatchHeader = {
  "if-match": tags.openapi({
    description:
      "The ETag the change is meant for, or several; with another version it answers 412. `*` or nothing: any.",
  }),
};

/** For the `headers` of a route that reads what has a version. */
export const ifNoneMatchHeader = {
  "if-none-match": z.string().max(1000).optional().openapi({
    description: "An ETag you have: where it still is the version, the answer is 304 without a body.",
    example: '"1"',
  }),
};
