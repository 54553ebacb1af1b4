import { createRoute, z } from "@hono/zod-openapi";
import type { Auth } from "../../shared/http/auth.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { readFailures } from "../../shared/http/failures.ts";
import { makeHttpApp, type HttpApp } from "../../shared/http/http-app.ts";
import { pageOf, pageQuery } from "../../shared/http/page-query.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import { Problem } from "../../shared/problem.ts";
import { findSeries, listSeries } from "./list-series.ts";
import { seriesSchema, seriesView } from "./series-view.ts";

export type AppOptions = Readonly<{
  db: Pick<Db, "sql">;
  authenticate: Auth["authenticate"];
  newId: () => string;
  log: Log;
  metrics: Metrics;
}>;

const query = z.strictObject(pageQuery);
const list = pageOf(seriesSchema).openapi("SeriesPage");
const params = z.object({ id: z.guid("is not a UUID").transform((text) => text.toLowerCase()) });
const answers = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

/** The routes of series: to look at; they change through their template and their occurrences. Runs wherever `fetch` handlers do. */
export function buildApp({ db, authenticate, newId, log, metrics }: AppOptions): HttpApp {
  const app = makeHttpApp({ title: "Taskwire series", version: "1", authenticate, newId, log, metrics });
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/series",
      summary: "Your recurring series, newest first",
      request: { query },
      responses: { 200: answers(list, "A page of series"), ...readFailures(422) },
    }),
    async (c) => {
      const { limit, cursor = null } = c.req.valid("query");
      const { items, nextCursor } = await listSeries(db.sql, { userId: c.var.identity.userId, limit, cursor });
      return c.json({ items: items.map(seriesView), next_cursor: nextCursor }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/series/{id}",
      summary: "One series",
      request: { params },
      responses: { 200: answers(seriesSchema, "The series"), ...readFailures(404, 422) },
    }),
    async (c) => {
      const found = await findSeries(db.sql, c.req.valid("param").id, c.var.identity.userId);
      if (found === null) throw new Problem("SERIES_NOT_FOUND");
      return c.json(seriesView(found), 200);
    },
  );
  return app;
}
