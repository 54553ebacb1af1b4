import type { Sql, Tx } from "../../shared/postgres/db.ts";
import type { Due, Exception } from "./exception.ts";

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
  const due: Due = dueDate === null ? { date: null, on: dueOn ?? "" } : { date: dueDate, on: null };
  return { recurrenceId, at, kind, due };
}

/** Writes one exception of a series that is locked; `null` takes it away. */
export async function saveException(
  tx: Tx,
  of: Readonly<{ seriesId: string; recurrenceId: string }>,
  exception: Exception | null,
): Promise<void> {
  if (exception === null) {
    await tx`delete from series_exceptions where series_id = ${of.seriesId} and recurrence_id = ${of.recurrenceId}`;
    return;
  }
  const due = exception.kind === "moved" ? exception.due : { date: null, on: null };
  await tx`
    insert into series_exceptions (series_id, recurrence_id, kind, due_date, due_on, starts_at)
    values (${of.seriesId}, ${of.recurrenceId}, ${exception.kind}, ${due.date}, ${due.on}, ${exception.at})
    on conflict (series_id, recurrence_id) do update set kind = excluded.kind, due_date = excluded.due_date,
      due_on = excluded.due_on, created_at = clock_timestamp()`;
}
