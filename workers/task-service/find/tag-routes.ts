import { createRoute, z } from "@hono/zod-openapi";
import { decodeCursor, encodeCursor } from "../../../shared/http/cursor.ts";
import { readFailures } from "../../../shared/http/failures.ts";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { pageOf, pageQuery } from "../../../shared/http/page-query.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import { taskLimits } from "../../../shared/tasks/task-input.ts";

const tagSchema = z
  .object({
    tag: z.string().openapi({ example: "home" }),
    open: z.int().openapi({ description: "Open tasks that have it.", example: 3 }),
    completed: z.int().openapi({ description: "Completed tasks that have it.", example: 12 }),
  })
  .openapi("Tag");
type TagCount = z.output<typeof tagSchema>;

export type ListTags = (
  query: Readonly<{ userId: string; after: string; limit: number }>,
) => Promise<readonly TagCount[]>;

const place = z.tuple([
  z
    .string()
    .max(taskLimits.tagLength)
    .regex(/^[^\0]*$/u),
]);

/** GET /v1/tags. */
export function addTagRoutes(app: HttpApp, listTags: ListTags, tags: readonly string[]): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/tags",
      summary: "List the tags of your tasks, with counts",
      description: "By the code points of their names. Templates and deleted tasks are not counted.",
      tags: [...tags],
      request: { query: z.strictObject(pageQuery) },
      responses: {
        200: {
          description: "Tags that a task has",
          content: { "application/json": { schema: pageOf(tagSchema).openapi("TagPage") } },
        },
        ...readFailures(422),
      },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const [after] = cursor === undefined ? [""] : decodeCursor("tags", cursor, place);
      const found = await listTags({ userId: c.var.identity.userId, after, limit: limit + 1 });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const next = found.length > limit && last ? encodeCursor("tags", [last.tag]) : null;
      return c.json({ items, next_cursor: next }, 200);
    },
  );
}

/** A user's tags behind `after` in the order of their code points; each task of the user is read once. */
export function readTags({ sql }: Readonly<{ sql: Sql }>): ListTags {
  return async ({ userId, after, limit }) =>
    await sql<TagCount[]>`
      select tag, (count(*) filter (where status = 'open'))::float8 as open,
        (count(*) filter (where status = 'completed'))::float8 as completed
      from tasks, unnest(tags) as tag
      where user_id = ${userId} and deleted_at is null and not is_recurring_template and tag collate "C" > ${after}
      group by tag order by tag collate "C" limit ${limit}`;
}
