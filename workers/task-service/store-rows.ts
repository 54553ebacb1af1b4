import type { Tx } from "../../shared/postgres/db.ts";
import { arrayLiteral } from "./store-creates.ts";
import type { TaskRow } from "./task-row.ts";

/** Writes new rows, in one statement however many: a hundred occurrences with full descriptions are megabytes. */
export async function insertRows(tx: Tx, rows: readonly TaskRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx`
    insert into tasks (id, user_id, title, description, created_at, updated_at, due_date, due_on, due_tz, priority, tags, remind,
      status, completed_at, is_recurring_template, recurrence_pattern, template_id, recurrence_id, version)
    select id, user_id, title, description, created_at, updated_at, due_date, due_on, due_tz, priority, tags, remind,
      status, completed_at, is_recurring_template, recurrence_pattern, template_id, recurrence_id, version
    from ${asTable(tx, rows)}`;
}

/** Writes changed rows, likewise. They are locked, so each still is at the version before. */
export async function updateRows(tx: Tx, rows: readonly TaskRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx`
    update tasks set title = changed.title, description = changed.description, updated_at = changed.updated_at,
      due_date = changed.due_date, due_on = changed.due_on, due_tz = changed.due_tz, priority = changed.priority,
      tags = changed.tags, remind = changed.remind, deleted_at = changed.deleted_at,
      is_recurring_template = changed.is_recurring_template, recurrence_pattern = changed.recurrence_pattern, version = changed.version
    from ${asTable(tx, rows)}
    where tasks.id = changed.id`;
}

/** The rows as a table `changed`, for a `from`. Rows have different numbers of tags, and `unnest` takes no ragged arrays: those are text first. */
function asTable(tx: Tx, rows: readonly TaskRow[]) {
  const column = <T>(of: (row: TaskRow) => T): T[] => rows.map(of);
  const instants = (of: (row: TaskRow) => Date | null) => column((row) => of(row)?.toISOString() ?? null);
  return tx`(
    select id, user_id, title, description, created_at, updated_at, due_date, due_on, due_tz, priority, tags::text[] as tags,
      remind::text[] as remind, status, completed_at, deleted_at, is_recurring_template::boolean as is_recurring_template,
      recurrence_pattern, template_id, recurrence_id, version
    from unnest(
      ${column(({ id }) => id)}::uuid[], ${column(({ user_id }) => user_id)}::uuid[],
      ${column(({ title }) => title)}::text[], ${column(({ description }) => description)}::text[],
      ${instants(({ created_at }) => created_at)}::timestamptz[], ${instants(({ updated_at }) => updated_at)}::timestamptz[],
      ${instants(({ due_date }) => due_date)}::timestamptz[], ${column(({ due_on }) => due_on)}::date[],
      ${column(({ due_tz }) => due_tz)}::text[], ${column(({ priority }) => priority)}::text[],
      ${column(({ tags }) => arrayLiteral(tags))}::text[],
      ${column(({ remind }) => (remind === null ? null : arrayLiteral(remind)))}::text[],
      ${column(({ status }) => status)}::text[], ${instants(({ completed_at }) => completed_at)}::timestamptz[],
      ${instants(({ deleted_at }) => deleted_at)}::timestamptz[],
      ${column(({ is_recurring_template }) => String(is_recurring_template))}::text[],
      ${column(({ recurrence_pattern }) => recurrence_pattern)}::text[], ${column(({ template_id }) => template_id)}::uuid[],
      ${column(({ recurrence_id }) => recurrence_id)}::text[], ${column(({ version }) => String(version))}::bigint[]
    ) as row (id, user_id, title, description, created_at, updated_at, due_date, due_on, due_tz, priority, tags, remind, status,
      completed_at, deleted_at, is_recurring_template, recurrence_pattern, template_id, recurrence_id, version)) as changed`;
}
