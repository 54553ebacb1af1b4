import type { Tx } from "../../shared/postgres/db.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { Series } from "./series.ts";
import { occurrenceColumns, type OccurrenceRow } from "./occurrence-row.ts";
import { exceptionColumns, exceptionOf, type ExceptionRow } from "./store-exceptions.ts";

type SeriesRow = Readonly<Omit<Series, "occurrences" | "exceptions" | "made">>;

/**
 * Of those that count and of those that are gone, each in their turn or ahead: enough to know the last one and the
 * highest number.
 */
const latestKept = 20;

/**
 * The folds of these tasks, their rows locked until the transaction ends, in id order. A task not known yet gets its
 * row first, so that two instances in the middle of a rebalance cannot both begin it.
 */
export async function lockTasks(
  tx: Tx,
  tasks: ReadonlyMap<string, { userId: string }>,
): Promise<Map<string, FoldedTask | null>> {
  const ids = [...tasks.keys()].sort();
  await tx`
    insert into followed_tasks (task_id, user_id)
    select task_id, user_id
    from unnest(${ids}::uuid[], ${ids.map((id) => tasks.get(id)?.userId ?? null)}::uuid[]) as task (task_id, user_id)
    order by task_id
    on conflict (task_id) do nothing`;
  const rows = await tx<{ task_id: string; folded: FoldedTask | null }[]>`
    select task_id, folded from followed_tasks where task_id = any(${ids}::uuid[]) order by task_id for update`;
  return new Map(rows.map(({ task_id, folded }) => [task_id, folded]));
}

/** The folds of tasks as they are committed now, not locked; a task never heard of is `null`. */
export async function readTasks(tx: Tx, ids: readonly string[]): Promise<Map<string, FoldedTask | null>> {
  const found = new Map<string, FoldedTask | null>(ids.map((id) => [id, null]));
  if (ids.length === 0) return found;
  const rows = await tx<{ task_id: string; folded: FoldedTask | null }[]>`
    select task_id, folded from followed_tasks where task_id = any(${[...ids]}::uuid[])`;
  for (const { task_id, folded } of rows) found.set(task_id, folded);
  return found;
}

/** The folds of the tasks that name these templates as theirs, as they are committed now, not locked. */
export async function readOccurrencesOf(
  tx: Tx,
  templateIds: readonly string[],
): Promise<Map<string, FoldedTask | null>> {
  if (templateIds.length === 0) return new Map();
  const rows = await tx<{ task_id: string; folded: FoldedTask | null }[]>`
    select task_id, folded from followed_tasks where template_id = any(${[...templateIds]}::uuid[])`;
  return new Map(rows.map(({ task_id, folded }) => [task_id, folded]));
}

/**
 * The templates these tasks are occurrences of, as far as known, each with its user. A task never changes its template.
 */
export async function readTemplatesOf(tx: Tx, ids: readonly string[]): Promise<Map<string, { userId: string }>> {
  const rows = await tx<{ id: string; userId: string }[]>`
    select distinct template_id as id, user_id as "userId" from followed_tasks
    where task_id = any(${[...ids]}::uuid[]) and template_id is not null`;
  return new Map(rows.map(({ id, userId }) => [id, { userId }]));
}

/**
 * The series these tasks are template or occurrence of, locked in id order. Call it after `lockTasks`, never before.
 */
export async function lockSeriesOf(tx: Tx, taskIds: readonly string[]): Promise<Map<string, Series>> {
  const ids = [...taskIds];
  const rows = await tx<SeriesRow[]>`
    select id, template_id as "templateId", user_id as "userId", status, wake_at as "wakeAt", generation::int as generation,
      version::float8 as version, revision::int as revision
    from series
    where id in (
      select id from series where template_id = any(${ids}::uuid[])
      union select series_id from occurrences where id = any(${ids}::uuid[]))
    order by id
    for update`;
  return withOccurrences(tx, rows, ids);
}

/**
 * The series of these timers that are due by the database's clock, locked in id order, and the moment that was. One
 * fired or moved by another process meanwhile is not among them.
 */
export async function lockDueSeries(
  tx: Tx,
  timers: readonly Readonly<{ id: string; generation: number }>[],
): Promise<Readonly<{ series: Map<string, Series>; now: Date }>> {
  const rows = await tx<(SeriesRow & { now: Date })[]>`
    select id, template_id as "templateId", user_id as "userId", status, wake_at as "wakeAt", generation::int as generation,
      version::float8 as version, revision::int as revision, clock_timestamp() as now
    from series
    where (id, generation) in (
        select * from unnest(${timers.map(({ id }) => id)}::uuid[], ${timers.map(({ generation }) => String(generation))}::bigint[]))
      and status = 'pending' and wake_at <= clock_timestamp()
    order by id
    for update`;
  const now = rows[0]?.now ?? new Date(0);
  const series = rows.map(({ now: _now, ...row }) => row);
  return { series: await withOccurrences(tx, series, []), now };
}

/** The next series in id order that are not stopped, locked, and the moment that was. */
export async function lockSeriesAfter(
  tx: Tx,
  { after, limit }: Readonly<{ after: string; limit: number }>,
): Promise<Readonly<{ series: Map<string, Series>; now: Date }>> {
  const rows = await tx<(SeriesRow & { now: Date })[]>`
    select id, template_id as "templateId", user_id as "userId", status, wake_at as "wakeAt", generation::int as generation,
      version::float8 as version, revision::int as revision, clock_timestamp() as now
    from series where id > ${after} and status <> 'stopped'
    order by id limit ${limit}
    for update`;
  const now = rows[0]?.now ?? new Date(0);
  const series = rows.map(({ now: _now, ...row }) => row);
  return { series: await withOccurrences(tx, series, []), now };
}

/**
 * One series of a user, locked, with what is known of these occurrences and the exception of this recurrence, if one is
 * named, however long past, and the moment that was by the database's clock.
 */
export async function lockOneSeries(
  tx: Tx,
  of: Readonly<{ id: string; userId: string; wanted: readonly string[]; recurrenceId: string | null }>,
): Promise<Readonly<{ series: Series; now: Date }> | null> {
  const rows = await tx<(SeriesRow & { now: Date })[]>`
    select id, template_id as "templateId", user_id as "userId", status, wake_at as "wakeAt", generation::int as generation,
      version::float8 as version, revision::int as revision, clock_timestamp() as now
    from series where id = ${of.id} and user_id = ${of.userId}
    for update`;
  const now = rows[0]?.now ?? new Date(0);
  const series = rows.map(({ now: _now, ...row }) => row);
  const day = of.recurrenceId?.slice(0, 10) ?? null;
  const [found] = (await withOccurrences(tx, series, of.wanted, day)).values();
  if (found === undefined) return null;
  const own = await tx<ExceptionRow[]>`
    select ${exceptionColumns(tx)} from series_exceptions
    where series_id = ${of.id} and recurrence_id = ${of.recurrenceId}`;
  const exceptions = new Map([...found.exceptions, ...own.map((row) => [row.recurrenceId, exceptionOf(row)] as const)]);
  return { series: { ...found, exceptions }, now };
}

/**
 * Reads occurrences in a statement of its own: begun after the locks, it sees what the one before us committed. Those
 * of `day`, and those `wanted`, are read however long past.
 */
async function withOccurrences(
  tx: Tx,
  rows: readonly SeriesRow[],
  wanted: readonly string[],
  day: string | null = null,
): Promise<Map<string, Series>> {
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return new Map();
  // Where each has come to, by what is closed in its turn: what is open may be taken back or dropped by what is heard
  // now. What the next ones could collide with, and an exception, matters from there, or from what has not passed where
  // that is earlier: today's all-day one began up to a day and an hour ago.
  const coming = tx`least(reached, clock_timestamp() - interval '2 days')`;
  const places = tx`
    select series_id, coalesce(
      max(starts_at) filter (where not ahead and state <> 'open' and not dropped and not taken_back),
      min(starts_at) filter (where not ahead)) as reached
    from occurrences where series_id = any(${ids}::uuid[]) group by 1`;
  const occurrences = await tx<OccurrenceRow[]>`
    select ${occurrenceColumns(tx)}
    from (
      select *, row_number() over (
        partition by series_id, ahead, dropped or (taken_back and state = 'deleted') order by number desc) as place
      from occurrences where series_id = any(${ids}::uuid[])) as ranked
    join (${places}) as places using (series_id)
    where place <= ${latestKept} or state = 'open' or id = any(${[...wanted]}::uuid[])
      or starts_at >= ${coming}
      or left(recurrence_id, 10) = ${day}
    order by number`;
  const exceptions = await tx<ExceptionRow[]>`
    select ${exceptionColumns(tx)} from series_exceptions
    left join (${places}) as places using (series_id)
    where series_id = any(${ids}::uuid[]) and starts_at >= ${coming}`;
  const made = await tx<{ seriesId: string; key: string; count: number }[]>`
    select series_id as "seriesId", schedule_key as key, count(*)::int as count
    from occurrences where series_id = any(${ids}::uuid[]) and not dropped and not (taken_back and state = 'deleted') group by 1, 2`;
  const of = <T extends { seriesId: string }>(all: readonly T[], id: string) =>
    all.filter(({ seriesId }) => seriesId === id);
  return new Map(
    rows.map((row) => [
      row.id,
      {
        ...row,
        occurrences: of(occurrences, row.id).map(({ seriesId: _seriesId, ...occurrence }) => occurrence),
        exceptions: new Map(
          of(exceptions, row.id).map((exception) => [exception.recurrenceId, exceptionOf(exception)]),
        ),
        made: Object.fromEntries(of(made, row.id).map(({ key, count }) => [key, count])),
      },
    ]),
  );
}
