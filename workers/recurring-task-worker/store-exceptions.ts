import type { Sql, Tx } from "../../shared/postgres/db.ts";
import type { OccurrenceDue } from "../../shared/recurrence/recurrence-due.ts";
import type { Exception } from "./exception.ts";

export type ExceptionRow = Readonly<{
  seriesId: string;
  recurrenceId: string;
  kind: "skipped" | "moved";
  dueDate: Date | null;
  dueOn: string | null;
  at: Date;
}>;

/** Its columns, for a select from `series_exceptions`. */
export function exceptionColumns(sql: Sql | Tx) {
  return sql`series_id as "seriesId", recurrence_id as "recurrenceId", kind, due_date as "dueDate", due_on as "dueOn",
    starts_at as at`;
}

export function exceptionOf({ recurrenceId, kind, dueDate, dueOn, at }: ExceptionRow): Exception {
  if (kind === "skipped") return { recurrenceId, at, kind };
  // A check of the table lets a moved one have exactly one of the two.
  const due: OccurrenceDue = dueDate === null ? { date: null, on: dueOn ?? "" } : { date: dueDate, on: null };
  return { recurrenceId, at, kind, due };
}

/** What became of a recurrence; `null`: it is no exception any more. */
export type ChangedException = Readonly<{ recurrenceId: string; exception: Exception | null }>;

/** Writes exceptions of a series that is locked, and takes away those that are none any more. */
export async function saveExceptions(tx: Tx, seriesId: string, changed: readonly ChangedException[]): Promise<void> {
  const gone = changed.filter(({ exception }) => exception === null).map(({ recurrenceId }) => recurrenceId);
  if (gone.length > 0)
    await tx`delete from series_exceptions where series_id = ${seriesId} and recurrence_id = any(${gone}::text[])`;
  const kept = changed.flatMap(({ exception }) => exception ?? []);
  if (kept.length === 0) return;
  const column = <T>(of: (exception: Exception) => T): T[] => kept.map(of);
  const dueOf = (exception: Exception) => (exception.kind === "moved" ? exception.due : { date: null, on: null });
  await tx`
    insert into series_exceptions (series_id, recurrence_id, kind, due_date, due_on, starts_at)
    select ${seriesId}, * from unnest(
      ${column(({ recurrenceId }) => recurrenceId)}::text[], ${column(({ kind }) => kind)}::text[],
      ${column((one) => dueOf(one).date?.toISOString() ?? null)}::timestamptz[], ${column((one) => dueOf(one).on)}::date[],
      ${column(({ at }) => at.toISOString())}::timestamptz[])
    on conflict (series_id, recurrence_id) do update set kind = excluded.kind, due_date = excluded.due_date,
      due_on = excluded.due_on, created_at = clock_timestamp()`;
}
