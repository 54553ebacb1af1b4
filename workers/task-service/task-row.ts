import { getTableColumns, sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { tasks, type NewStoredTask, type StoredTask } from "../../shared/tasks/task-table.ts";
import { viewOfStored, type TaskView } from "../../shared/tasks/task-view.ts";

const {
  due_local_at: _dueLocalAt,
  first_occurrence: _firstOccurrence,
  words: _words,
  ...columns
} = getTableColumns(tasks);

const dueLocal = sql`case when ${tasks.due_local_at} = ${tasks.due_date} then ${tasks.due_local} end`;
// By name: of a column drizzle leaves out the table, and the other one would be asked first.
const viewVersion = sql`(select view_version from task_views where task_id = tasks.id)`;

/**
 * What is read of a task: its row, and the newest view of it. A row that was changed since still has all of that view.
 */
export const rowSelection = {
  ...columns,
  due_local: dueLocal.as("due_local"),
  view_version: viewVersion.as("view_version"),
};

/** The same as text, for a statement that drizzle has no words for. */
export const rowColumns = new PgDialect().sqlToQuery(
  sql.join(
    Object.entries({ ...columns, due_local: dueLocal, view_version: viewVersion }).map(
      ([name, value]) => sql`${value} as ${sql.identifier(name)}`,
    ),
    sql`, `,
  ),
).sql;

type HiddenColumn = "due_local_at" | "first_occurrence" | "words";

/**
 * A row of `tasks`. `recurrence_pattern` is JSON text; `due_on` is "YYYY-MM-DD"; `remind` null means the user's usual
 * ones. `due_local` is what `due_date` was said as, see `localDue`; `null` where it was said as an instant.
 * `view_version` is of the broadcaster's row, `null` where there is none.
 */
export type TaskRow = Readonly<Omit<StoredTask, HiddenColumn> & { view_version: number | null }>;

/** A row as the driver gives it to a tagged statement: bigints are text. */
export type RawRow = Omit<TaskRow, "version" | "view_version"> &
  Readonly<{ version: string; view_version: string | null }>;

export function rowOf(raw: RawRow): TaskRow {
  const { view_version } = raw;
  return { ...raw, version: Number(raw.version), view_version: view_version === null ? null : Number(view_version) };
}

const blank = Object.fromEntries(Object.entries(columns).map(([name, { default: usual }]) => [name, usual ?? null]));

/** A row of which the rest is as the table fills it in. */
export function newRow(given: Omit<NewStoredTask, HiddenColumn>): TaskRow {
  return { ...blank, view_version: null, ...given } as TaskRow; // What has no default must be given.
}

/** The HTTP shape of a task; what folding its events gives is the same, but for the version of the view. */
export function viewOfRow(row: TaskRow): TaskView & Pick<TaskRow, "view_version"> {
  return { ...viewOfStored(row), view_version: row.view_version };
}
