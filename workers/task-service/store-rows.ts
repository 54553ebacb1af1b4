import type { Tx } from "../../shared/postgres/db.ts";
import { taskFields } from "../../shared/tasks/task-fields.ts";
import { arrayColumn, rowColumnNames, type RowColumn } from "./row-columns.ts";
import type { TaskRow } from "./task-row.ts";

const columns = rowColumnNames.map(arrayColumn);
const names = columns.map(({ name }) => name).join(", ");

type WrittenColumns = ReturnType<typeof arrayColumn>[];

/** The rows as a table `written`, one array parameter per column. */
const writtenWith = (sent: WrittenColumns) => `(
  select ${sent.map(({ name, value }) => `${value} as ${name}`).join(", ")}
  from unnest(${sent.map(({ type }, index) => `$${index + 1}::${type}`).join(", ")})
    as row (${sent.map(({ name }) => name).join(", ")})) as written`;

const insert = `insert into tasks (${names}) select ${names} from ${writtenWith(columns)}`;
const insertMissing = `${insert} on conflict do nothing returning id`;

/** What a change may write; the rest is as it was when the task was made. */
export const changedColumns = rowColumnNames.filter((name) => !isMadeOnce(name));
const updateWith = (set: readonly RowColumn[], sent: WrittenColumns) => `
  update tasks set ${set.map((name) => `${name} = written.${name}`).join(", ")}
  from ${writtenWith(sent)} where tasks.id = written.id`;
const update = updateWith(changedColumns, columns);

/** What completing, reopening and deleting write. */
const stateNames = rowColumnNames.filter(
  (name) => name === "version" || (name in taskFields && taskFields[name as keyof typeof taskFields].set === "state"),
);
const stateColumns = (["id", ...stateNames] as const).map(arrayColumn);
const updateState = updateWith(stateNames, stateColumns);

function isMadeOnce(name: RowColumn): boolean {
  if (name === "id" || name === "user_id") return true;
  return name in taskFields && taskFields[name as keyof typeof taskFields].set === "once";
}

/** Writes new rows, in one statement however many: a hundred occurrences with full descriptions are megabytes. */
export async function insertRows(tx: Tx, rows: readonly TaskRow[]): Promise<void> {
  if (rows.length > 0) await run(tx, insert, rows);
}

/** Writes a new row, unless there is one with its id or its place in its series; whether it did. */
export async function insertMissingRow(tx: Tx, row: TaskRow): Promise<boolean> {
  return (await run(tx, insertMissing, [row])).length === 1;
}

/** Writes changed rows, in one statement. They are locked, so each still is at the version before. */
export async function updateRows(tx: Tx, rows: readonly TaskRow[]): Promise<void> {
  if (rows.length > 0) await run(tx, update, rows);
}

/**
 * Writes what completing, reopening and deleting changed of rows that are locked. Written with the rest, each
 * description would be stored and taken apart into words anew: 500 long ones take 3 s.
 */
export async function updateStates(tx: Tx, rows: readonly TaskRow[]): Promise<void> {
  if (rows.length > 0) await run(tx, updateState, rows, stateColumns);
}

function run(tx: Tx, text: string, rows: readonly TaskRow[], sent = columns) {
  return tx.unsafe(
    text,
    sent.map(({ of }) => rows.map(of)),
    { prepare: true },
  );
}
