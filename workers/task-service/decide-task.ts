import type { Message } from "../../shared/message.ts";
import { Problem } from "../../shared/problem.ts";
import type { TaskCreated } from "../../shared/records.ts";
import type { NewTask, TaskPatch, UpdatedFields } from "../../shared/tasks/task-input.ts";
import { checkStart } from "./check-start.ts";
import { fillPattern } from "./fill-pattern.ts";
import { resolveDue, type Resolved } from "./resolve-due.ts";
import type { TaskRow } from "./task-row.ts";

/** What a request makes of a task: the next row with the one event that tells it, or nothing at all. */
export type Decision = Readonly<{ row: TaskRow; event: Message | null }>;

/** A rule: pure, of the row as it is and the time. Throws INVALID_REQUEST for what cannot be. */
export type Decide = (row: TaskRow, now: Date) => Decision;

/** `zone` is the user's, for a pattern and a local due that name none; `null` for a user who has chosen none. */
export function decideCreate(
  asked: NewTask,
  of: Readonly<{ id: string; userId: string; now: Date; zone: string | null }>,
): TaskRow {
  const input = resolveDue(asked, { dueTz: null, zone: of.zone });
  const pattern = input.recurrence_pattern ?? null;
  const due = { dueDate: input.due_date ?? null, dueOn: input.due_on ?? null, dueTz: input.due_tz ?? null };
  const recurrence =
    pattern === null ? null : fillPattern(pattern, { before: null, ...due, zone: of.zone ?? "UTC", now: of.now });
  if (recurrence !== null) checkStart({ pattern, ...due }, recurrence);
  checkTemplateFlag(input.is_recurring_template, recurrence);
  return {
    id: of.id,
    user_id: of.userId,
    title: input.title,
    description: input.description ?? null,
    created_at: of.now,
    updated_at: of.now,
    due_date: due.dueDate,
    due_on: due.dueOn,
    due_tz: due.dueTz,
    priority: input.priority ?? null,
    tags: input.tags ?? [],
    remind: input.remind ?? null,
    status: "open",
    completed_at: null,
    deleted_at: null,
    is_recurring_template: recurrence !== null,
    recurrence_pattern: recurrence,
    template_id: null,
    recurrence_id: null,
    version: 1,
    view_version: null,
  };
}

export function taskCreated(row: TaskRow): Message {
  const data: TaskCreated = {
    id: row.id,
    user_id: row.user_id,
    title: row.title,
    description: row.description,
    created_at: row.created_at,
    due_date: row.due_date,
    priority: row.priority,
    tags: row.tags,
    is_recurring_template: row.is_recurring_template,
    recurrence_pattern: row.recurrence_pattern,
    template_id: row.template_id,
    recurrence_id: row.recurrence_id,
    due_on: row.due_on,
    due_tz: row.due_tz,
    remind: row.remind,
  };
  return { type: "TaskCreated", key: row.id, subject: row.id, sequence: row.version, data };
}

/** Changes what the patch says; what it leaves as it is, is no change. `zone` as for `decideCreate`. */
export function decidePatch(asked: TaskPatch, zone: string | null): Decide {
  return (row, now) => {
    refuseOwnPattern(asked, row);
    const patch = resolveDue(asked, { dueTz: row.due_tz, zone });
    const plain: TaskRow = { ...row, ...given(patch) };
    const wanted: TaskRow = { ...plain, ...recurrenceAfter(patch, { row, plain, zone, now }) };
    const changed: UpdatedFields = {
      ...(wanted.title === row.title ? {} : { title: wanted.title }),
      ...(wanted.description === row.description ? {} : { description: wanted.description }),
      ...(wanted.due_date?.getTime() === row.due_date?.getTime()
        ? {}
        : { due_date: wanted.due_date?.toISOString() ?? null }),
      ...(wanted.due_on === row.due_on ? {} : { due_on: wanted.due_on }),
      ...(wanted.due_tz === row.due_tz ? {} : { due_tz: wanted.due_tz }),
      ...(wanted.priority === row.priority ? {} : { priority: wanted.priority }),
      ...(JSON.stringify(wanted.tags) === JSON.stringify(row.tags) ? {} : { tags: wanted.tags }),
      ...(JSON.stringify(wanted.remind) === JSON.stringify(row.remind) ? {} : { remind: wanted.remind }),
      ...(wanted.is_recurring_template === row.is_recurring_template
        ? {}
        : { is_recurring_template: wanted.is_recurring_template }),
      ...(wanted.recurrence_pattern === row.recurrence_pattern
        ? {}
        : { recurrence_pattern: wanted.recurrence_pattern }),
    };
    return Object.keys(changed).length === 0 ? { row, event: null } : updated(wanted, changed, now);
  };
}

export const decideComplete: Decide = (row, now) => {
  if (row.is_recurring_template) throw new Problem("TASK_IS_TEMPLATE", "Its occurrences are what is completed");
  if (row.status === "completed") return { row, event: null };
  const next: TaskRow = { ...row, status: "completed", completed_at: now, updated_at: now, version: row.version + 1 };
  const data = { id: row.id, user_id: row.user_id, completed_at: now };
  return { row: next, event: { type: "TaskCompleted", key: row.id, subject: row.id, sequence: next.version, data } };
};

export const decideReopen: Decide = (row, now) =>
  row.status === "open"
    ? { row, event: null }
    : updated({ ...row, status: "open", completed_at: null }, { status: "open", completed_at: null }, now);

/** The row stays, as a tombstone. */
export const decideDelete: Decide = (row, now) => {
  if (row.deleted_at !== null) return { row, event: null };
  const next: TaskRow = { ...row, deleted_at: now, updated_at: now, version: row.version + 1 };
  const data = { id: row.id, user_id: row.user_id, deleted_at: now };
  return { row: next, event: { type: "TaskDeleted", key: row.id, subject: row.id, sequence: next.version, data } };
};

function updated(wanted: TaskRow, changed: UpdatedFields, now: Date): Decision {
  const row: TaskRow = { ...wanted, updated_at: now, version: wanted.version + 1 };
  const data = { id: row.id, user_id: row.user_id, updated_fields: changed, timestamp: now };
  return { row, event: { type: "TaskUpdated", key: row.id, subject: row.id, sequence: row.version, data } };
}

/** The plain fields of a patch; undefined ones are not there, so spreading leaves the row's. A due day ends a due time, and the other way round. */
function given(patch: Resolved<TaskPatch>): Partial<TaskRow> {
  const { title, description, due_date, due_on, due_tz, priority, tags, remind } = patch;
  const fields = { title, description, due_date, due_on, due_tz, priority, tags, remind };
  if (due_date) fields.due_on = null;
  if (due_on) fields.due_date = null;
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/**
 * An occurrence recurs by its template's pattern; one of its own would make a series inside the series. One that has got one from an older
 * build keeps and may lose it.
 */
function refuseOwnPattern({ recurrence_pattern: pattern }: TaskPatch, row: TaskRow): void {
  if (pattern === undefined || row.template_id === null || row.is_recurring_template) return;
  throw invalid(
    "/recurrence_pattern",
    pattern === null
      ? "is its series', of which this is an occurrence; end that with stop-after, or with DELETE and scope=all or scope=future"
      : "is its series', of which this is an occurrence; change that with scope=all or scope=future",
  );
}

function recurrenceAfter(
  patch: Resolved<TaskPatch>,
  { row, plain, zone, now }: Readonly<{ row: TaskRow; plain: TaskRow; zone: string | null; now: Date }>,
): Pick<TaskRow, "is_recurring_template" | "recurrence_pattern"> {
  const pattern = patch.recurrence_pattern ?? null;
  const kept = patch.recurrence_pattern === undefined && patch.is_recurring_template !== false;
  const due = { dueDate: plain.due_date, dueOn: plain.due_on, dueTz: plain.due_tz };
  const filling = { before: row.recurrence_pattern, ...due, zone: zone ?? "UTC", now };
  const text = kept ? row.recurrence_pattern : pattern === null ? null : fillPattern(pattern, filling);
  checkTemplateFlag(patch.is_recurring_template, text);
  if (!kept && text !== null) checkStart({ pattern, dueDate: patch.due_date, dueOn: patch.due_on }, text);
  if (text !== null && row.status === "completed" && !row.is_recurring_template)
    throw new Problem("TASK_COMPLETED", "A completed task cannot be made a template; reopen it first");
  return { is_recurring_template: text !== null, recurrence_pattern: text };
}

function checkTemplateFlag(flag: boolean | undefined, pattern: string | null): void {
  if (flag === undefined || flag === (pattern !== null)) return;
  throw invalid("/is_recurring_template", flag ? "needs a recurrence_pattern" : "contradicts the recurrence_pattern");
}

function invalid(path: string, message: string): Problem {
  return new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path, message }] });
}
