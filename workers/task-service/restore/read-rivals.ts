import type { Tx } from "../../../shared/postgres/db.ts";
import { rowColumns, rowOf, type RawRow, type TaskRow } from "../task-row.ts";

/**
 * The tasks that may stand for a deleted occurrence: live ones of its series on its day, and the series and occurrences
 * that were made at the moment it was deleted, as a split does, deleted since or not. Nothing for a task that is no
 * deleted occurrence. Not locked: under the lock of the template none is added.
 */
export async function readRivals(tx: Tx, { id, user_id, ...row }: TaskRow): Promise<readonly TaskRow[]> {
  const { template_id, recurrence_id, deleted_at } = row;
  if (template_id === null || recurrence_id === null || deleted_at === null) return [];
  const columns = tx.unsafe(rowColumns);
  const isOfSplit = tx`created_at = ${deleted_at} and (is_recurring_template or template_id is not null) and template_id is distinct from ${template_id}`;
  // Three, each with an index of its own.
  const rows = await tx<RawRow[]>`
    select ${columns} from tasks
    where template_id = ${template_id} and left(recurrence_id, 10) = ${recurrence_id.slice(0, 10)}
      and user_id = ${user_id} and deleted_at is null and id <> ${id}
    union all
    select ${columns} from tasks where user_id = ${user_id} and deleted_at is null and ${isOfSplit}
    union all
    select ${columns} from tasks where user_id = ${user_id} and deleted_at is not null and ${isOfSplit}`;
  return rows.map(rowOf).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
