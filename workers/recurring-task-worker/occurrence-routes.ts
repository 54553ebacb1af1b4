import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { etagHeader } from "../../shared/http/answer-parts.ts";
import { bodyFailures, readFailures, writeFailures } from "../../shared/http/failures.ts";
import type { HttpApp, HttpEnv } from "../../shared/http/http-app.ts";
import { etagOf, readIfMatch } from "../../shared/http/if-match.ts";
import { ifMatchHeader } from "../../shared/http/match-headers.ts";
import { refuseBackwards } from "../../shared/http/refuse-backwards.ts";
import { needlessKeyHeader } from "../../shared/http/request-key.ts";
import { wholeNumber } from "../../shared/http/whole-number.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { dueDay } from "../../shared/tasks/due-day.ts";
import { dueInstant, dueTime } from "../../shared/tasks/due-input.ts";
import { localDue } from "../../shared/tasks/local-due.ts";
import { instant } from "../../shared/tasks/instant.ts";
import { awaitSeries } from "./await-series.ts";
import { maxReached, type ChangeOccurrence, type Reach } from "./change-occurrence.ts";
import type { OccurrenceChange } from "./decide-exception.ts";
import { decideHistory } from "./decide-history.ts";
import { historySchema, historyView } from "./history-view.ts";
import { occurrenceSchema, occurrenceView } from "./occurrence-view.ts";
import { recurrenceId } from "./recurrence-id-param.ts";
import { answers, seriesParams } from "./route-parts.ts";
import { versionsOf } from "./series-tag.ts";
import type { SeriesViewRow } from "./series-view.ts";
import { templateSchedule } from "./template-schedule.ts";
import { endOfTime, tellOccurrence, tellOccurrences, tellSeries } from "./tell-series.ts";

type OccurrenceRoutes = Readonly<{ sql: Sql; changeOccurrence: ChangeOccurrence; now: () => Date }>;

const dayMs = 86_400_000;
const historyMost = 1500;
const range = {
  from: instant.optional().openapi({
    description: "The first instant that counts. An all-day recurrence whose day is not over then is included.",
  }),
  to: instant
    .optional()
    .openapi({ description: "Where the time ends, not part of it; without it at the end of the series." }),
};
const previewQuery = z.strictObject({
  ...range,
  limit: wholeNumber({ min: 1, max: 366, fallback: 10 }).openapi({ description: "How many at most." }),
});
const isForward = ({ from, to }: Readonly<{ from: Date; to: Date }>): boolean => from < to;
const backward = { error: "is not after from", path: ["to"] };
const preview = z
  .object({
    items: z.array(occurrenceSchema),
    next_from: z
      .string()
      .nullable()
      .openapi({ format: "date-time", description: "Where the rest begins; null when this is all of it." }),
  })
  .openapi("SeriesOccurrences");
const time = z
  .strictObject({ from: instant, to: instant.openapi({ description: "Not part of the time." }) })
  .refine(isForward, backward)
  .openapi("SeriesTime");
const params = seriesParams.extend({
  recurrence_id: recurrenceId,
});
const headers = z.object({
  ...ifMatchHeader,
  ...needlessKeyHeader,
});
const newDue = z
  .strictObject({
    due_date: dueTime.optional().openapi({
      description: "An RFC 3339 time with an offset, or a local time without one, in the zone of the series.",
    }),
    due_on: dueDay.optional().openapi({ description: "For an all-day series.", example: "2026-12-31" }),
  })
  .refine((due) => (due.due_date === undefined) !== (due.due_on === undefined), {
    error: "has either due_date or due_on",
  })
  .openapi("NewDue", { minProperties: 1, maxProperties: 1 });

/** The recurrences of a series: to look at, past and to come, and to change while they have no task. */
export function addOccurrenceRoutes(app: HttpApp, { sql, changeOccurrence, now }: OccurrenceRoutes): void {
  const seriesOf = (c: Context<HttpEnv>, id: string): Promise<SeriesViewRow> =>
    awaitSeries(sql, { id, userId: c.var.identity.userId, signal: c.req.raw.signal });

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/series/{id}/occurrences",
      summary: "The recurrences of a series from a moment on; the next ten by default",
      request: { params: seriesParams, query: previewQuery },
      responses: { 200: answers(preview, "By start"), ...readFailures(404, 422) },
    }),
    async (c) => {
      const { from = now(), to = endOfTime, limit } = c.req.valid("query");
      refuseBackwards({ from, to }, "query.to");
      const series = await seriesOf(c, c.req.valid("param").id);
      const { signal } = c.req.raw;
      const { told, nextFrom } = await tellOccurrences(sql, series, { from, to, limit, now: now(), signal });
      return c.json({ items: told.map(occurrenceView), next_from: nextFrom?.toISOString() ?? null }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/series/{id}/history",
      summary: "What became of each recurrence; of the last year by default",
      request: { params: seriesParams, query: z.strictObject(range) },
      responses: { 200: answers(historySchema, "Its history"), ...readFailures(404, 422) },
    }),
    async (c) => {
      const at = now();
      const { from = new Date(at.getTime() - 366 * dayMs), to = endOfTime } = c.req.valid("query");
      refuseBackwards({ from, to }, "query.to");
      const series = await seriesOf(c, c.req.valid("param").id);
      const { told, nextFrom } = await tellOccurrences(sql, series, {
        from,
        to,
        limit: historyMost,
        now: at,
        until: at,
        signal: c.req.raw.signal,
      });
      return c.json(historyView(decideHistory(told, at), nextFrom), 200);
    },
  );

  type Asked = Readonly<{ ifMatch: string | undefined; change: OccurrenceChange }>;
  const changed = async (c: Context<HttpEnv>, id: string, reach: Reach, asked: Asked): Promise<SeriesViewRow> => {
    const { userId } = c.var.identity;
    const { correlationId, traceparent } = c.var;
    const current = async () =>
      (await tellSeries(sql, [await seriesOf(c, id)], { now: now(), signal: c.req.raw.signal }))[0];
    const by = { userId, correlationId, traceparent, ifMatch: versionsOf(readIfMatch(asked.ifMatch)), current };
    await seriesOf(c, id);
    const version = await changeOccurrence({ seriesId: id, reach, change: asked.change, ...by });
    c.header("etag", etagOf(version));
    return await seriesOf(c, id);
  };
  const changeOne = async (c: Context<HttpEnv>, of: z.output<typeof params>, asked: Asked) => {
    const { id, recurrence_id: recurrenceId } = of;
    const series = await changed(c, id, { recurrenceId }, asked);
    const told = await tellOccurrence(sql, series, { recurrenceId, now: now(), signal: c.req.raw.signal });
    if (told === null) throw new Problem("OCCURRENCE_NOT_FOUND");
    return c.json(occurrenceView(told), 200);
  };
  const one = {
    ...answers(
      occurrenceSchema,
      "The recurrence as it now is; the ETag is the version of the series, for the If-Match of the next change",
    ),
    headers: etagHeader,
  };

  for (const [wants, summary] of [
    ["skip", "Leave a recurrence out"],
    ["unskip", "Take a skipped recurrence back in"],
    ["complete", "Complete a recurrence ahead of its turn"],
  ] as const)
    app.openapi(
      createRoute({
        method: "post",
        path: `/v1/series/{id}/occurrences/{recurrence_id}/${wants}`,
        summary,
        description: "Asking twice is asking once. One that has a task answers 409 with its id.",
        request: { params, headers },
        responses: { 200: one, ...writeFailures(404, 409, 412, 422) },
      }),
      async (c) => {
        const ifMatch = c.req.valid("header")["if-match"];
        return await changeOne(c, c.req.valid("param"), { ifMatch, change: { wants } });
      },
    );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/series/{id}/occurrences/{recurrence_id}/move",
      summary: "Give a recurrence another due",
      description: "Moving it to the due of the rule takes that back. One that has a task answers 409 with its id.",
      request: {
        params,
        headers,
        body: { required: true, content: { "application/json": { schema: newDue } } },
      },
      responses: { 200: one, ...bodyFailures(404, 409, 412) },
    }),
    async (c) => {
      const ifMatch = c.req.valid("header")["if-match"];
      const { due_date: date, due_on: on = "" } = c.req.valid("json");
      const { template } = await seriesOf(c, c.req.valid("param").id);
      const tz = templateSchedule(template)?.schedule.tz ?? "UTC";
      const due = date === undefined ? { date: null, on } : { date: dueInstant(date, tz), on: null };
      const local = date === undefined || date instanceof Date ? {} : { local: localDue(date.local, tz) };
      return await changeOne(c, c.req.valid("param"), { ifMatch, change: { wants: "move", due, ...local } });
    },
  );

  for (const [wants, summary] of [
    ["skip", "Leave out the recurrences of a time, of a holiday say"],
    ["unskip", "Take the skipped recurrences of a time back in"],
  ] as const)
    app.openapi(
      createRoute({
        method: "post",
        path: `/v1/series/{id}/${wants}`,
        summary,
        description:
          `Of those that start in the time and have not passed yet, at most ${maxReached}; all of them or none. One that has a task is ` +
          "left as it is and told with its task_id: change that. Asking twice is asking once.",
        request: {
          params: seriesParams,
          headers,
          body: { required: true, content: { "application/json": { schema: time } } },
        },
        responses: {
          200: { ...answers(preview, "The recurrences of the time as they now are"), headers: etagHeader },
          ...bodyFailures(404, 412),
        },
      }),
      async (c) => {
        const ifMatch = c.req.valid("header")["if-match"];
        const { from, to } = c.req.valid("json");
        const series = await changed(c, c.req.valid("param").id, { from, to }, { ifMatch, change: { wants } });
        const limit = maxReached;
        const { told, nextFrom } = await tellOccurrences(sql, series, {
          from,
          to,
          limit,
          now: now(),
          signal: c.req.raw.signal,
        });
        return c.json({ items: told.map(occurrenceView), next_from: nextFrom?.toISOString() ?? null }, 200);
      },
    );
}
