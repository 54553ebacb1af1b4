import type { Tx } from "../../shared/postgres/db.ts";
import { readToldFloor } from "../../shared/postgres/told-floor.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { Series } from "./series.ts";
import type { OccurrenceRow } from "./occurrence-row.ts";

/** Writes folds of tasks locked before. */
export async function saveTasks(tx: Tx, tasks: ReadonlyMap<string, FoldedTask | null>): Promise<void> {
  if (tasks.size === 0) return;
  const rows = [...tasks];
  await tx`
    update followed_tasks set folded = task.folded::jsonb, updated_at = clock_timestamp(),
      template_id = (task.folded::jsonb #>> '{fields,template_id,value}')::uuid
    from unnest(${rows.map(([id]) => id)}::uuid[], ${rows.map(([, task]) => JSON.stringify(task))}::text[]) as task (task_id, folded)
    where followed_tasks.task_id = task.task_id`;
}

/**
 * Writes series, locked before or new, and those of their occurrences that changed. A new generation makes the timer of
 * the last one stale. A new version is above all that may have been published before the database went back in time.
 */
export async function saveSeries(
  tx: Tx,
  series: readonly Series[],
  loaded: ReadonlyMap<string, Series>,
): Promise<void> {
  if (series.length === 0) return;
  const column = <T>(of: (one: Series) => T): T[] => series.map(of);
  const isNew = (one: Series) => one.version !== loaded.get(one.id)?.version;
  const floor = series.some(isNew) ? await readToldFloor(tx) : 0;
  const versionOf = (one: Series) => (isNew(one) ? Math.max(one.version, floor + 1) : one.version);
  await tx`
    insert into series (id, template_id, user_id, status, wake_at, generation, version)
    select * from unnest(
      ${column(({ id }) => id)}::uuid[], ${column(({ templateId }) => templateId)}::uuid[],
      ${column(({ userId }) => userId)}::uuid[], ${column(({ status }) => status)}::text[],
      ${column(({ wakeAt }) => wakeAt?.toISOString() ?? null)}::timestamptz[],
      ${column(({ generation }) => String(generation))}::bigint[], ${column((one) => String(versionOf(one)))}::bigint[])
    on conflict (id) do update set status = excluded.status, wake_at = excluded.wake_at, generation = excluded.generation,
      version = excluded.version, revision = series.revision + 1, armed_in = case when series.generation = excluded.generation then series.armed_in else 0 end,
      updated_at = clock_timestamp()`;
  const known = new Set([...loaded.values()].flatMap(({ occurrences }) => occurrences));
  const rows = series.flatMap((one) =>
    one.occurrences.filter((each) => !known.has(each)).map((occurrence) => ({ ...occurrence, seriesId: one.id })),
  );
  if (rows.length === 0) return;
  const each = <T>(of: (row: OccurrenceRow) => T): T[] => rows.map(of);
  // As text first: the driver makes every element of a boolean[] false that is not `true` itself, and takes an array of
  // those for one.
  await tx`
    insert into occurrences
      (id, series_id, number, recurrence_id, schedule_key, starts_at, due_passes_at, state, closed_at, ahead, made_by, taken_back, dropped)
    select * from unnest(
      ${each(({ id }) => id)}::uuid[], ${each(({ seriesId }) => seriesId)}::uuid[],
      ${each(({ number }) => number)}::int[], ${each(({ recurrenceId }) => recurrenceId)}::text[],
      ${each(({ scheduleKey }) => scheduleKey)}::uuid[], ${each(({ at }) => at.toISOString())}::timestamptz[],
      ${each(({ duePassesAt }) => duePassesAt.toISOString())}::timestamptz[], ${each(({ state }) => state)}::text[],
      ${each(({ closedAt }) => closedAt?.toISOString() ?? null)}::timestamptz[],
      ${each(({ ahead }) => String(ahead))}::text[]::boolean[], ${each(({ madeBy }) => madeBy)}::int[],
      ${each(({ takenBack }) => String(takenBack))}::text[]::boolean[], ${each(({ dropped }) => String(dropped))}::text[]::boolean[])
    on conflict (id) do update set number = excluded.number, schedule_key = excluded.schedule_key, starts_at = excluded.starts_at,
      due_passes_at = excluded.due_passes_at, state = excluded.state, closed_at = excluded.closed_at, ahead = excluded.ahead,
      made_by = excluded.made_by, taken_back = excluded.taken_back, dropped = excluded.dropped`;
}
