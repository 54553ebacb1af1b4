import type { SeriesException } from "../../shared/calendar/write-todos.ts";
import type { Sql } from "../../shared/postgres/db.ts";

/** The zones a user's live tasks are meant in. */
export function readZones({ sql }: Readonly<{ sql: Sql }>) {
  return async (userId: string): Promise<readonly string[]> => {
    const rows = await sql<{ tz: string }[]>`
      select due_tz as tz from tasks
      where user_id = ${userId} and deleted_at is null and due_date is not null and due_tz is not null
      union
      select recurrence_pattern::jsonb ->> 'tz' from tasks
      where user_id = ${userId} and deleted_at is null and recurrence_pattern::jsonb ->> 'tz' is not null`;
    return rows.map(({ tz }) => tz);
  };
}

export type SeriesParts = Readonly<{
  /** By the id of a live template: the pattern as JSON text. */
  patterns: ReadonlyMap<string, string>;
  /** By the id of a template; recurrences that have a live task are left out, for it says itself when it is due. */
  exceptions: ReadonlyMap<string, readonly SeriesException[]>;
}>;

/**
 * What an export needs to know of these templates of a user beside their own rows. A deleted occurrence counts as skipped, unless it was
 * taken back with the completion that called for it. The exceptions are the recurring worker's rows, read as they are committed.
 */
export function readSeriesParts({ sql }: Readonly<{ sql: Sql }>) {
  return async (userId: string, ids: readonly string[]): Promise<SeriesParts> => {
    if (ids.length === 0) return { patterns: new Map(), exceptions: new Map() };
    const templates = await sql<{ id: string; pattern: string }[]>`
      select id, recurrence_pattern as pattern from tasks
      where id = any(${[...ids]}::uuid[]) and user_id = ${userId} and is_recurring_template and deleted_at is null`;
    const found = templates.map(({ id }) => id);
    const rows = await sql<(SeriesException & { series: string })[]>`
      with mine as (
        select *, split_part(recurrence_id, '#', 1) as place from tasks where template_id = any(${found}::uuid[])),
      decided as (
        select series_id as series, recurrence_id, kind, due_date, due_on::text as due_on from series_exceptions
        where series_id = any(${found}::uuid[])
        union
        select template_id, place, 'skipped', null, null from mine
        where deleted_at is not null and not exists (select from occurrences where occurrences.id = mine.id and taken_back))
      select * from decided
      where (series, recurrence_id) not in (select template_id, place from mine where deleted_at is null and place is not null)`;
    const exceptions = new Map<string, SeriesException[]>();
    for (const { series, ...rest } of rows) exceptions.set(series, [...(exceptions.get(series) ?? []), rest]);
    return { patterns: new Map(templates.map(({ id, pattern }) => [id, pattern])), exceptions };
  };
}
