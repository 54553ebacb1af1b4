import { z } from "@hono/zod-openapi";
import { decodeCursor, encodeCursor, placeParts } from "../../shared/http/cursor.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import type { SeriesViewRow } from "./series-view.ts";

type SeriesQuery = Readonly<{ userId: string; limit: number; cursor: string | null }>;

const list = "series";
const place = z.tuple([placeParts.time, placeParts.id]);

/** A user's series but for deleted ones, newest first, and whether there are more. */
export async function listSeries(
  sql: Sql,
  { userId, limit, cursor }: SeriesQuery,
): Promise<Readonly<{ items: readonly SeriesViewRow[]; hasMore: boolean }>> {
  const after = cursor === null ? null : decodeCursor(list, cursor, place);
  const found = await sql<SeriesViewRow[]>`
    ${selectSeries(sql)}
    where series.user_id = ${userId} and ${isThere(sql)}
      ${after === null ? sql`` : sql`and (created_at, series.id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`}
    order by created_at desc, series.id desc limit ${limit + 1}`;
  return { items: found.slice(0, limit), hasMore: found.length > limit };
}

/** The cursor of what comes after a series. */
export function cursorAfter({ createdAt, id }: Pick<SeriesViewRow, "createdAt" | "id">): string {
  return encodeCursor(list, [createdAt.toISOString(), id]);
}

/** One series of a user; `null` where there is none, it is somebody else's, or its template was deleted. */
export async function findSeries(sql: Sql, id: string, userId: string): Promise<SeriesViewRow | null> {
  const [row] = await sql<SeriesViewRow[]>`${selectSeries(sql)} where series.id = ${id} and series.user_id = ${userId}
      and ${isThere(sql)}`;
  return row ?? null;
}

/** With its template a series is deleted, wherever it is asked for. */
function isThere(sql: Sql) {
  return sql`(folded #>> '{fields,deleted_at,value}') is null`;
}

function selectSeries(sql: Sql) {
  return sql`
    select series.id, series.template_id as "templateId", status, series.version::float8 as version,
      series.revision::int as revision, kept, kept_of::int as "keptOf", kept_until as "keptUntil", created_at as "createdAt", folded as template,
      "nextDue", "openCount", "made"
    from series
    join followed_tasks on task_id = series.template_id
    cross join lateral (
      select min(starts_at) filter (where state = 'open') as "nextDue",
        count(*) filter (where state = 'open')::int as "openCount", count(*)::int as "made"
      from occurrences where series_id = series.id and not dropped and not (taken_back and state = 'deleted')) as occurrences`;
}
