import type { Tx } from "../../shared/postgres/db.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { Series } from "./advance-series.ts";
import type { Occurrence } from "./decide-series.ts";

type SeriesRow = Readonly<Omit<Series, "occurrences" | "made">>;
type OccurrenceRow = Occurrence & Readonly<{ seriesId: string }>;

/** Beside the open ones: enough to know the last one and what the next ones could collide with. */
const latestKept = 20;

/**
 * The folds of these tasks, their rows locked until the transaction ends, in id order. A task not known yet gets its row first, so
 * that two instances in the middle of a rebalance cannot both begin it.
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

/** The series these tasks are template or occurrence of, locked in id order. Call it after `lockTasks`, never before. */
export async function lockSeriesOf(tx: Tx, taskIds: readonly string[]): Promise<Map<string, Series>> {
  const ids = [...taskIds];
  const rows = await tx<SeriesRow[]>`
    select id, template_id as "templateId", user_id as "userId", status, wake_at as "wakeAt", generation::int as generation
    from series
    where id in (
      select id from series where template_id = any(${ids}::uuid[])
      union select series_id from occurrences where id = any(${ids}::uuid[]))
    order by id
    for update`;
  return withOccurrences(tx, rows, ids);
}

/**
 * The series of these timers that are due by the database's clock, locked in id order, and the moment that was. One fired or
 * moved by another process meanwhile is not among them.
 */
export async function lockDueSeries(
  tx: Tx,
  timers: readonly Readonly<{ id: string; generation: number }>[],
): Promise<Readonly<{ series: Map<string, Series>; now: Date }>> {
  const rows = await tx<(SeriesRow & { now: Date })[]>`
    select id, template_id as "templateId", user_id as "userId", status, wake_at as "wakeAt", generation::int as generation,
      clock_timestamp() as now
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

/** Reads occurrences in a statement of its own: begun after the locks, it sees what the one before us committed. */
async function withOccurrences(
  tx: Tx,
  rows: readonly SeriesRow[],
  wanted: readonly string[],
): Promise<Map<string, Series>> {
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return new Map();
  const occurrences = await tx<OccurrenceRow[]>`
    select id, series_id as "seriesId", number, recurrence_id as "recurrenceId", schedule_key as "scheduleKey", starts_at as at,
      due_passes_at as "duePassesAt", state, closed_at as "closedAt"
    from (
      select *, row_number() over (partition by series_id order by number desc) as place
      from occurrences where series_id = any(${ids}::uuid[])) as ranked
    where place <= ${latestKept} or state = 'open' or id = any(${[...wanted]}::uuid[])
    order by number`;
  const made = await tx<{ seriesId: string; key: string; count: number }[]>`
    select series_id as "seriesId", schedule_key as key, count(*)::int as count
    from occurrences where series_id = any(${ids}::uuid[]) group by 1, 2`;
  const of = <T extends { seriesId: string }>(all: readonly T[], id: string) =>
    all.filter(({ seriesId }) => seriesId === id);
  return new Map(
    rows.map((row) => [
      row.id,
      {
        ...row,
        occurrences: of(occurrences, row.id).map(({ seriesId: _seriesId, ...occurrence }) => occurrence),
        made: Object.fromEntries(of(made, row.id).map(({ key, count }) => [key, count])),
      },
    ]),
  );
}

/** Writes folds of tasks locked before. */
export async function saveTasks(tx: Tx, tasks: ReadonlyMap<string, FoldedTask | null>): Promise<void> {
  if (tasks.size === 0) return;
  const rows = [...tasks];
  await tx`
    update followed_tasks set folded = task.folded::jsonb, updated_at = clock_timestamp()
    from unnest(${rows.map(([id]) => id)}::uuid[], ${rows.map(([, task]) => JSON.stringify(task))}::text[]) as task (task_id, folded)
    where followed_tasks.task_id = task.task_id`;
}

/**
 * Writes series, locked before or new, and those of their occurrences that are not the ones loaded. A new generation disarms
 * the timer of the one before.
 */
export async function saveSeries(
  tx: Tx,
  series: readonly Series[],
  loaded: ReadonlyMap<string, Series>,
): Promise<void> {
  if (series.length === 0) return;
  const column = <T>(of: (one: Series) => T): T[] => series.map(of);
  await tx`
    insert into series (id, template_id, user_id, status, wake_at, generation)
    select * from unnest(
      ${column(({ id }) => id)}::uuid[], ${column(({ templateId }) => templateId)}::uuid[],
      ${column(({ userId }) => userId)}::uuid[], ${column(({ status }) => status)}::text[],
      ${column(({ wakeAt }) => wakeAt?.toISOString() ?? null)}::timestamptz[],
      ${column(({ generation }) => String(generation))}::bigint[])
    on conflict (id) do update set status = excluded.status, wake_at = excluded.wake_at, generation = excluded.generation,
      armed_in = case when series.generation = excluded.generation then series.armed_in else 0 end,
      updated_at = clock_timestamp()`;
  const known = new Set([...loaded.values()].flatMap(({ occurrences }) => occurrences));
  const rows = series.flatMap((one) =>
    one.occurrences.filter((each) => !known.has(each)).map((occurrence) => ({ ...occurrence, seriesId: one.id })),
  );
  if (rows.length === 0) return;
  const each = <T>(of: (row: OccurrenceRow) => T): T[] => rows.map(of);
  await tx`
    insert into occurrences
      (id, series_id, number, recurrence_id, schedule_key, starts_at, due_passes_at, state, closed_at)
    select * from unnest(
      ${each(({ id }) => id)}::uuid[], ${each(({ seriesId }) => seriesId)}::uuid[],
      ${each(({ number }) => number)}::int[], ${each(({ recurrenceId }) => recurrenceId)}::text[],
      ${each(({ scheduleKey }) => scheduleKey)}::uuid[], ${each(({ at }) => at.toISOString())}::timestamptz[],
      ${each(({ duePassesAt }) => duePassesAt.toISOString())}::timestamptz[], ${each(({ state }) => state)}::text[],
      ${each(({ closedAt }) => closedAt?.toISOString() ?? null)}::timestamptz[])
    on conflict (id) do update set state = excluded.state, closed_at = excluded.closed_at`;
}
