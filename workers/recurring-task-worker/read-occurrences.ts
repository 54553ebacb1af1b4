import type { Sql } from "../../shared/postgres/db.ts";
import type { Occurrence } from "./decide-series.ts";
import type { Exceptions } from "./exception.ts";
import { occurrenceColumns, type OccurrenceRow } from "./occurrence-row.ts";
import type { SeriesExtent } from "./preview-occurrences.ts";
import { exceptionColumns, exceptionOf, type ExceptionRow } from "./store-exceptions.ts";

type OccurrencesOf = Readonly<{
  occurrences: readonly Occurrence[];
  exceptions: Exceptions;
  /** By the key of the schedule. */
  reached: Readonly<Record<string, SeriesExtent>>;
}>;

/**
 * What was made and what was skipped or moved in these series between two starts, and what is open whenever it starts:
 * of each the first `limit` by start. What was taken back is left out.
 */
export async function readOccurrences(
  sql: Sql,
  { ids, from, to, limit }: Readonly<{ ids: readonly string[]; from: Date; to: Date; limit: number }>,
): Promise<(seriesId: string) => OccurrencesOf> {
  const all = [...ids];
  const [occurrences, exceptions, reached] = await Promise.all([
    sql<OccurrenceRow[]>`
      select ${occurrenceColumns(sql)}
      from (
        select *, row_number() over (partition by series_id order by starts_at, number) as place
        from occurrences
        where series_id = any(${all}::uuid[]) and not dropped and not (taken_back and state = 'deleted')
          and (state = 'open' or (starts_at >= ${from} and starts_at < ${to}))) as placed
      where place <= ${limit} or state = 'open'
      order by starts_at, number`,
    sql<ExceptionRow[]>`
      select ${exceptionColumns(sql)}
      from (
        select *, row_number() over (partition by series_id order by starts_at) as place
        from series_exceptions
        where series_id = any(${all}::uuid[]) and starts_at >= ${from} and starts_at < ${to}) as placed
      where place <= ${limit}`,
    sql<(SeriesExtent & { seriesId: string; key: string })[]>`
      select series_id as "seriesId", schedule_key as key, count(*)::int as made,
        coalesce(min(starts_at) filter (where not ahead), min(starts_at)) as first,
        coalesce(max(starts_at) filter (where not ahead), min(starts_at)) as last
      from occurrences where series_id = any(${all}::uuid[]) and not dropped and not (taken_back and state = 'deleted') group by 1, 2`,
  ]);
  const of = <T extends { seriesId: string }>(rows: readonly T[], id: string) =>
    rows.filter(({ seriesId }) => seriesId === id);
  return (id) => ({
    occurrences: of(occurrences, id).map(({ seriesId: _seriesId, ...occurrence }) => occurrence),
    exceptions: new Map(of(exceptions, id).map((row) => [row.recurrenceId, exceptionOf(row)])),
    reached: Object.fromEntries(of(reached, id).map(({ key, first, last, made }) => [key, { first, last, made }])),
  });
}
