import type { TaskFields } from "./api.ts";
import { readRepeat } from "./read-repeat.ts";
import { repeatPattern } from "./repeat-rule.ts";
import type { Task } from "./shapes.ts";

type KnownFields = Pick<Task, keyof TaskFields>;

/**
 * What was changed in a form, against the task it was opened with. A due takes the place of the other kind by itself.
 */
export function patchOf(task: KnownFields, read: Partial<TaskFields>): Partial<TaskFields> {
  const dueChanged = (read.due_date ?? null) !== instantText(task.due_date) || (read.due_on ?? null) !== task.due_on;
  const isDueRead = read.due_date !== undefined;
  const { due_date: _date, due_on: _on, recurrence_pattern: pattern, ...plain } = read;
  return {
    ...changedOf(task, plain),
    ...(isDueRead && dueChanged ? newDue(read) : {}),
    ...(pattern === undefined || isSamePattern(pattern, task.recurrence_pattern)
      ? {}
      : { recurrence_pattern: pattern }),
  };
}

type PlainTaskFields = Omit<TaskFields, "due_date" | "due_on" | "recurrence_pattern">;

function changedOf(known: PlainTaskFields, read: Partial<PlainTaskFields>): Partial<PlainTaskFields> {
  const changed = { ...read };
  for (const name of Object.keys(read) as (keyof PlainTaskFields)[])
    if (read[name] === undefined || isSame(read[name], known[name])) delete changed[name];
  return changed;
}

function newDue({ due_date = null, due_on = null }: Partial<TaskFields>): Partial<TaskFields> {
  if (due_date !== null) return { due_date };
  return due_on === null ? { due_date: null, due_on: null } : { due_on };
}

/** The milliseconds a form does not show are not changed by opening it. */
function instantText(time: string | null): string | null {
  return time === null ? null : new Date(Math.floor(Date.parse(time) / 1000) * 1000).toISOString();
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isSamePattern(read: TaskFields["recurrence_pattern"], known: KnownFields["recurrence_pattern"]): boolean {
  if (read === null || known === null || typeof known === "string") return read === known;
  const sameStart = String(known["start"] ?? "").startsWith(read.start);
  // As the form says it that nobody has touched: other words for one rule are no change.
  const fields = readRepeat(known);
  const untouched: Readonly<Record<string, unknown>> = {
    ...known,
    ...(fields && repeatPattern(fields, read)),
    start: read.start,
  };
  return sameStart && Object.entries({ ...known, ...read }).every(([name, value]) => isSame(value, untouched[name]));
}
