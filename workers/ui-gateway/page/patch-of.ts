import type { TaskFields } from "./api.ts";
import type { Task } from "./shapes.ts";

type Known = Pick<Task, "title" | "due_date" | "due_on" | "remind" | "priority" | "recurrence_pattern">;

/** What was changed in a form, against the task it was opened with. A due takes the place of the other kind by itself. */
export function patchOf(task: Known, read: Partial<TaskFields>): Partial<TaskFields> {
  const dueChanged = (read.due_date ?? null) !== instantText(task.due_date) || (read.due_on ?? null) !== task.due_on;
  const isDueRead = read.due_date !== undefined;
  return {
    ...(read.title === undefined || read.title === task.title ? {} : { title: read.title }),
    ...(isDueRead && dueChanged ? newDue(read) : {}),
    ...(read.remind === undefined || isSame(read.remind, task.remind) ? {} : { remind: read.remind }),
    ...(read.priority === undefined || read.priority === task.priority ? {} : { priority: read.priority }),
    ...(read.recurrence_pattern === undefined || isSamePattern(read.recurrence_pattern, task.recurrence_pattern)
      ? {}
      : { recurrence_pattern: read.recurrence_pattern }),
  };
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

function isSamePattern(read: TaskFields["recurrence_pattern"], known: Known["recurrence_pattern"]): boolean {
  if (read === null || known === null || typeof known === "string") return read === known;
  const whole = { ...known, ...read, start: known["start"] };
  const sameStart = String(known["start"] ?? "").startsWith(read.start);
  return sameStart && Object.entries(whole).every(([name, value]) => isSame(value, known[name]));
}
