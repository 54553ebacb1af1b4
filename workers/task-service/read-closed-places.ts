import type { Tx } from "../../shared/postgres/db.ts";
import { maxExdates } from "../../shared/recurrence/recurrence-pattern.ts";

/**
 * The local starts after this one, `but` for one, that a series is through with: done or deleted, or skipped
 * beforehand, in order; one more than a pattern can leave out tells that there are more. What was skipped, and which
 * deletion only took an undone completion back, stand in the recurring task worker's tables, read here and never
 * written. What is done is done, even where the worker, not having heard of it yet, means to take it back.
 */
export async function readClosedPlaces(
  tx: Tx,
  { templateId, after, but }: Readonly<{ templateId: string; after: string; but: string }>,
): Promise<readonly string[]> {
  const rows = await tx<{ place: string }[]>`
    select split_part(recurrence_id, '#', 1) as place from (
      select tasks.recurrence_id
      from tasks left join occurrences using (id)
      where template_id = ${templateId}
        and (tasks.status = 'completed' or (deleted_at is not null and not coalesce(taken_back, false)))
      union all
      select recurrence_id from series_exceptions where series_id = ${templateId} and kind = 'skipped') as closed
    where split_part(recurrence_id, '#', 1) > ${after} and split_part(recurrence_id, '#', 1) <> ${but}
    group by 1 order by 1 limit ${maxExdates + 1}`;
  return rows.map(({ place }) => place);
}
