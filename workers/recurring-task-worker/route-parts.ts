import { z } from "@hono/zod-openapi";

/** The path of a series. */
export const seriesParams = z.object({ id: z.guid("is not a UUID").transform((text) => text.toLowerCase()) });

export const tagHeader = {
  ETag: { description: "Begins with the version.", schema: { type: "string", example: '"3-x1Yp0vGq3Zs"' } },
} as const;

export const answers = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
