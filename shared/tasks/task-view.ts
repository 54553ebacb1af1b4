import { getTableColumns } from "drizzle-orm";
import { fieldValue, type FieldValue } from "./fold-fields.ts";
import type { FoldedTask } from "./fold-task.ts";
import { jsonOf, type JsonOf } from "./json-of.ts";
import { isJson, taskFieldNames, type JsonField, type TaskField } from "./task-fields.ts";
import { tasks, type StoredTask } from "./task-table.ts";

type ShownField<F extends TaskField> = F extends JsonField ? JsonShown : JsonOf<StoredTask[F]>;
/** A pattern as it was given, or a preset's name. */
type JsonShown = string | Readonly<Record<string, unknown>> | null;

/** A task as HTTP and TaskChanged show it. */
export type TaskView = Readonly<{ id: string; user_id: string; version: number }> & {
  readonly [F in TaskField]: ShownField<F>;
};

type TaskIdentity = Readonly<{ id: string; user_id: string; version: number }>;

/**
 * The view of a folded task. Whole only once TaskCreated is folded (`isCreated`); fields of a newer build are left out.
 */
export function taskView({ fields, ...task }: FoldedTask): TaskView {
  return viewOf(task, (name) => fieldValue(fields, name));
}

/** The same of a row of the table. */
export function viewOfStored(row: TaskIdentity & Readonly<Pick<StoredTask, TaskField>>): TaskView {
  return viewOf(row, (name) => jsonOf(row[name]));
}

function viewOf({ id, user_id, version }: TaskIdentity, valueOf: (name: TaskField) => FieldValue): TaskView {
  const view: Record<string, unknown> = { id, user_id };
  for (const [name, shown] of shownFields) view[name] = shown(valueOf(name));
  view["version"] = version;
  return view as TaskView; // `shownOf` gives each field the type of its column.
}

const columns = getTableColumns(tasks);
const shownFields = taskFieldNames.map((name) => [name, isJson(name) ? parsed : shownOf(columns[name])] as const);

type ColumnDefinition = Readonly<{
  dataType: string;
  notNull: boolean;
  default: unknown;
  enumValues: readonly string[] | undefined;
}>;

/** What no event has said yet, or what a newer build said otherwise, is shown as empty. */
function shownOf({ dataType, notNull, default: usual, enumValues }: ColumnDefinition): (value: FieldValue) => unknown {
  const empty = notNull ? (usual ?? "") : null;
  switch (dataType) {
    case "array":
      return (value) => (Array.isArray(value) ? value : empty);
    case "boolean":
      return (value) => (typeof value === "boolean" ? value : empty);
    case "number":
      return (value) => (typeof value === "number" ? value : empty);
    default:
      return (value) =>
        typeof value === "string" && !(notNull && enumValues?.includes(value) === false) ? value : empty;
  }
}

function parsed(json: FieldValue): unknown {
  if (typeof json !== "string") return null;
  try {
    return JSON.parse(json);
  } catch {
    return json; // a preset written without quotes is still its name
  }
}
