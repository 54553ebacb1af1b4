import type { Sql, Tx } from "../../shared/postgres/db.ts";
import type { OccurrenceDue } from "../../shared/recurrence/recurrence-due.ts";
import type { Exception, Exceptions } from "./exception.ts";

export type ExceptionRow = Readonly<{
  seriesId: string;
  recurrenceId: string;
  kind: "skipped" | "moved";
  dueDate: Date | null;
  local: string | null;
  dueOn: string | null;
  at: Date;
}>;

/** Its columns, for a select from `series_exceptions`. */
export function exceptionColumns(sql: Sql | Tx) {
  return sql`series_id as "seriesId", recurrence_id as "recurrenceId", kind, due_date as "dueDate", due_on as "dueOn",
    case when due_local_at = due_date then due_local end as local, starts_at as at`;
}

export function exceptionOf({ recurrenceId, kind, dueDate, local, dueOn, at }: ExceptionRow): Exception {
  if (kind === "skipped") return { recurrenceId, at, kind };
  // A check of the table lets a moved one have exactly one of the two.
  const due: OccurrenceDue = dueDate === null ? { date: null, on: dueOn ?? "" } : { date: dueDate, on: null };
  return { recurrenceId, at, kind, due, ...(local === null ? {} : { local }) };
}

/** What became of a recurrence; `null`: it is no exception any more. */
export type ChangedException = Readonly<{ recurrenceId: string; exception: Exception | null }>;

/** What makes those before to those after. */
export function changedExceptions(before: Exceptions, after: Exceptions): readonly ChangedException[] {
  if (before === after) return [];
  const gone = [...before.keys()].filter((id) => !after.has(id)).map((id) => ({ recurrenceId: id, exception: null }));
  const kept = [...after].filter(([id, each]) => before.get(id) !== each);
  return [...gone, ...kept.map(([recurrenceId, exception]) => ({ recurrenceId, exception }))];
}

/** Writes exceptions of a series that is locked, and takes away those that are none any more. */
export async function saveExceptions(tx: Tx, seriesId: string, changed: readonly ChangedException[]): Promise<void> {
  const gone = changed.filter(({ exception }) => exception === null).map(({ recurrenceId }) => recurrenceId);
  if (gone.length > 0)
    await tx`delete from series_exceptions where series_id = ${seriesId} and recurrence_id = any(${gone}::text[])`;
  const kept = changed.flatMap(({ exception }) => exception ?? []);
  if (kept.length === 0) return;
  const column = <T>(of: (exception: Exception) => T): T[] => kept.map(of);
  const dueOf = (exception: Exception) => (exception.kind === "moved" ? exception.due : { date: null, on: null });
  const localOf = (exception: Exception) => (exception.kind === "moved" ? (exception.local ?? null) : null);
  await tx`
    insert into series_exceptions (series_id, recurrence_id, kind, due_date, due_local, due_local_at, due_on, starts_at)
    select ${seriesId}, recurrence_id, kind, due_date, due_local, due_date, due_on, starts_at from unnest(
      ${column(({ recurrenceId }) => recurrenceId)}::text[], ${column(({ kind }) => kind)}::text[],
      ${column((one) => dueOf(one).date?.toISOString() ?? null)}::timestamptz[], ${column(localOf)}::text[],
      ${column((one) => dueOf(one).on)}::date[], ${column(({ at }) => at.toISOString())}::timestamptz[]
    ) as kept (recurrence_id, kind, due_date, due_local, due_on, starts_at)
    on conflict (series_id, recurrence_id) do update set kind = excluded.kind, due_date = excluded.due_date,
      due_local = excluded.due_local, due_local_at = excluded.due_local_at, due_on = excluded.due_on, starts_at = excluded.starts_at, created_at = clock_timestamp()`;
}
