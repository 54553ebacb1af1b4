import { createRoute, z } from "@hono/zod-openapi";
import { ifNoneMatchHeader } from "../../shared/http/match-headers.ts";
import type { Auth } from "../../shared/http/auth.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { readFailures } from "../../shared/http/failures.ts";
import { makeHttpApp, type HttpApp } from "../../shared/http/http-app.ts";
import { readIfNoneMatch } from "../../shared/http/if-match.ts";
import { pageOf, pageQuery } from "../../shared/http/page-query.ts";
import type { Log } from "../../shared/role/log.ts";
import type { Metrics } from "../../shared/role/metrics.ts";
import { Problem } from "../../shared/problem.ts";
import { awaitSeries } from "./await-series.ts";
import type { ChangeOccurrence } from "./change-occurrence.ts";
import { cursorAfter, listSeries } from "./list-series.ts";
import { addOccurrenceRoutes } from "./occurrence-routes.ts";
import { answers, seriesParams, tagHeader } from "./route-parts.ts";
import { tagOfView } from "./series-tag.ts";
import { seriesSchema } from "./series-view.ts";
import { tellSeries } from "./tell-series.ts";

type RecurrenceAppOptions = Readonly<{
  db: Pick<Db, "sql">;
  changeOccurrence: ChangeOccurrence;
  now: () => Date;
  authenticate: Auth["authenticate"];
  newId: () => string;
  log: Log;
  metrics: Metrics;
  /** See `tellSeries`. */
  cpuMs?: () => number;
}>;

const query = z.strictObject(pageQuery);
const list = pageOf(seriesSchema).openapi("SeriesPage");

/** The routes of series: to look at, and their recurrences to change. Runs wherever `fetch` handlers do. */
export function buildApp({
  db,
  changeOccurrence,
  authenticate,
  newId,
  now,
  log,
  metrics,
  ...more
}: RecurrenceAppOptions): HttpApp {
  const { cpuMs = () => performance.now() } = more;
  const app = makeHttpApp({ title: "Taskwire series", version: "1", authenticate, newId, log, metrics });
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/series",
      summary: "Your recurring series, newest first",
      description:
        "A page has fewer than limit where dates ahead have to be found out for many of them; next_cursor alone says whether there is more.",
      request: { query },
      responses: { 200: answers(list, "A page of series"), ...readFailures(422) },
    }),
    async (c) => {
      const { limit, cursor = null } = c.req.valid("query");
      const { items, hasMore } = await listSeries(db.sql, { userId: c.var.identity.userId, limit, cursor });
      const told = await tellSeries(db.sql, items, { now: now(), signal: c.req.raw.signal, cpuMs });
      const last = items[told.length - 1];
      const isAll = last === undefined || (told.length === items.length && !hasMore);
      return c.json({ items: [...told], next_cursor: isAll ? null : cursorAfter(last) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/series/{id}",
      summary: "One series",
      description:
        "Of a template just made or changed it waits until that is heard of here, for some 3 s at most. If-None-Match with its ETag answers 304 while nothing that is shown has changed. If-Match of a later write compares the version " +
        "alone, with which the ETag begins.",
      request: { params: seriesParams, headers: z.object(ifNoneMatchHeader) },
      responses: {
        200: { ...answers(seriesSchema, "The series"), headers: tagHeader },
        304: { description: "Still what the ETag of If-None-Match stands for" },
        ...readFailures(404, 422),
      },
    }),
    async (c) => {
      const { signal } = c.req.raw;
      const { userId } = c.var.identity;
      const found = await awaitSeries(db.sql, { id: c.req.valid("param").id, userId, signal });
      const [series] = await tellSeries(db.sql, [found], { now: now(), signal, cpuMs });
      if (series === undefined) throw new Problem("SERIES_NOT_FOUND");
      const tag = tagOfView(found.version, JSON.stringify(series));
      c.header("etag", tag);
      const known = readIfNoneMatch(c.req.valid("header")["if-none-match"]);
      return known === "any" || known.includes(tag) ? c.body(null, 304) : c.json(series, 200);
    },
  );
  addOccurrenceRoutes(app, { sql: db.sql, changeOccurrence, now });
  return app;
}
