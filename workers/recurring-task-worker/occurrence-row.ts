import type { Sql, Tx } from "../../shared/postgres/db.ts";
import type { Occurrence } from "./decide-series.ts";

export type OccurrenceRow = Occurrence & Readonly<{ seriesId: string }>;

/** Its columns, for a select from `occurrences`. */
export function occurrenceColumns(sql: Sql | Tx) {
  return sql`id, series_id as "seriesId", number, recurrence_id as "recurrenceId", schedule_key as "scheduleKey",
    starts_at as at, due_passes_at as "duePassesAt", state, closed_at as "closedAt", ahead, made_by as "madeBy",
    taken_back as "takenBack", dropped`;
}
