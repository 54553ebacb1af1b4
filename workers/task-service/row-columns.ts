import { getTableColumns } from "drizzle-orm";
import { tasks } from "../../shared/tasks/task-table.ts";
import { localDueOf } from "./local-due-of.ts";
import type { TaskRow } from "./task-row.ts";

const columns = getTableColumns(tasks);
/** `first_occurrence` is no part of a row: only what makes a template says it. `words` are made by the database. */
export type RowColumn = Exclude<keyof typeof columns, "first_occurrence" | "words">;
export const rowColumnNames = Object.keys(columns).filter(
  (name): name is RowColumn => name !== "first_occurrence" && name !== "words",
);

/** A column of many rows as one array parameter, for `unnest`. */
type ArrayColumn = Readonly<{
  name: RowColumn;
  /** The type of the parameter. */
  type: string;
  /** The column's value, from the row that `unnest` gives. */
  value: string;
  of: (row: TaskRow) => string | null;
}>;

/**
 * Rows have different numbers of tags, and `unnest` takes no ragged arrays: those are text first. So are booleans, of
 * which postgres.js makes no array.
 */
export function arrayColumn(name: RowColumn): ArrayColumn {
  const { dataType } = columns[name];
  const type = columns[name].getSQLType();
  const isText = dataType === "array" || dataType === "boolean";
  const valueOf = valueReader(name);
  const text = texts[dataType] ?? String;
  return {
    name,
    type: isText ? "text[]" : `${type}[]`,
    value: isText ? `${name}::${type}` : name,
    of: (row) => {
      const value = valueOf(row);
      return value === null || typeof value === "string" ? value : text(value);
    },
  };
}

type ColumnValue = TaskRow[Exclude<RowColumn, "due_local_at">];

/** Reads what is written in a column. */
export function valueReader(name: RowColumn): (row: TaskRow) => ColumnValue {
  if (name === "due_local") return localDueOf;
  if (name === "due_local_at") return (row) => row.due_date;
  return (row) => row[name];
}

const texts: Readonly<Record<string, (value: ColumnValue) => string>> = {
  date: (value) => (value instanceof Date ? value.toISOString() : String(value)),
  array: (value) => arrayLiteral(Array.isArray(value) ? value : []),
};

/** The text form of a `text[]`. */
function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
}
