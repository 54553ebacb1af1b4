import type { SeriesException } from "./calendar/write-todos.ts";
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

/** Of whom what is needed: the ids of templates. */
export type PartsWanted = Readonly<{ patternsOf: readonly string[]; exceptionsOf: readonly string[] }>;

/** Of one template, the latest: five years of days. */
const maxExceptions = 2000;

/**
 * What an export needs to know of these templates of a user beside their own rows: the pattern of those whose
 * occurrences are told, the exceptions of those told themselves, at most 2,000 of each, the latest by start. A deleted
 * occurrence counts as skipped, unless it was taken back with the completion that called for it. The exceptions are the
 * recurring worker's rows, read as they are committed.
 */
export function readSeriesParts({ sql }: Readonly<{ sql: Sql }>) {
  return async (userId: string, { patternsOf, exceptionsOf }: PartsWanted): Promise<SeriesParts> => {
    const [patterns, exceptions] = await Promise.all([
      patternsOf.length === 0 ? [] : readPatterns(sql, userId, patternsOf),
      exceptionsOf.length === 0 ? [] : readExceptions(sql, userId, exceptionsOf),
    ]);
    const bySeries = new Map<string, SeriesException[]>();
    for (const { series, ...rest } of exceptions) {
      const all = bySeries.get(series);
      if (all === undefined) bySeries.set(series, [rest]);
      else all.push(rest);
    }
    return { patterns: new Map(patterns.map(({ id, pattern }) => [id, pattern])), exceptions: bySeries };
  };
}

async function readPatterns(sql: Sql, userId: string, ids: readonly string[]) {
  return await sql<{ id: string; pattern: string }[]>`
    select id, recurrence_pattern as pattern from tasks
    where id = any(${[...ids]}::uuid[]) and user_id = ${userId} and is_recurring_template and deleted_at is null`;
}

async function readExceptions(sql: Sql, userId: string, ids: readonly string[]) {
  return await sql<(SeriesException & { series: string })[]>`
    with templates as (
      select id from tasks
      where id = any(${[...ids]}::uuid[]) and user_id = ${userId} and is_recurring_template and deleted_at is null),
    mine as (
      select tasks.id, template_id, split_part(recurrence_id, '#', 1) as place, deleted_at
      from tasks join templates on template_id = templates.id where recurrence_id is not null),
    decided as (
      select series_id as series, recurrence_id, kind, due_date, due_on::text as due_on
      from series_exceptions join templates on series_id = templates.id
      union
      select template_id, place, 'skipped', null, null from mine
      where deleted_at is not null and not exists (select from occurrences where occurrences.id = mine.id and taken_back)),
    numbered as (
      select *, row_number() over (partition by series order by recurrence_id desc) as number from decided
      where not exists (
        select from mine where template_id = series and place = decided.recurrence_id and deleted_at is null))
    select series, recurrence_id, kind, due_date, due_on from numbered where number <= ${maxExceptions}`;
}
