import type { Message } from "../../shared/messages/message.ts";
import { Problem } from "../../shared/problem.ts";
import type { TaskCreated } from "../../shared/messages/records.ts";
import { pick } from "../../shared/pick.ts";
import { createdFields, patchFields, plainFields } from "../../shared/tasks/task-fields.ts";
import type { NewTask, TaskPatch } from "../../shared/tasks/task-input.ts";
import { jsonOf } from "../../shared/tasks/json-of.ts";
import type { UpdatedFields } from "./updated-fields.ts";
import { checkStart, checkZone } from "./check-start.ts";
import { fillPattern } from "./fill-pattern.ts";
import { instantOfLocalDue } from "../../shared/tasks/local-due.ts";
import { resolveDue, type WithResolvedDue } from "./resolve-due.ts";
import { parseRecurrencePatternText } from "../../shared/recurrence/recurrence-pattern.ts";
import { refuseTemplateDue, templateDue } from "./template-due.ts";
import { isSame } from "./follow-template.ts";
import { newRow, type TaskRow } from "./task-row.ts";

/** What a request makes of a task: the next row with the one event that tells it, or nothing at all. */
export type TaskDecision = Readonly<{ row: TaskRow; event: Message | null }>;

/** A rule: pure, of the row as it is and the time. Throws INVALID_REQUEST for what cannot be. */
export type Decide = (row: TaskRow, now: Date) => TaskDecision;

/** `zone` is the user's, for a pattern and a local due that name none; `null` for a user who has chosen none. */
export function decideCreate(
  asked: NewTask,
  of: Readonly<{ id: string; userId: string; now: Date; zone: string | null }>,
): TaskRow {
  const input = resolveDue(asked, { dueTz: null, zone: of.zone });
  const pattern = input.recurrence_pattern ?? null;
  const due = { dueDate: input.due_date ?? null, dueOn: input.due_on ?? null, dueTz: input.due_tz ?? null };
  checkZone(pattern, input.due_tz);
  const recurrence =
    pattern === null ? null : fillPattern(pattern, { before: null, ...due, zone: of.zone ?? "UTC", now: of.now });
  if (recurrence !== null) checkStart({ pattern, ...due }, recurrence);
  checkTemplateFlag(input.is_recurring_template, recurrence);
  return newRow({
    id: of.id,
    user_id: of.userId,
    ...pick(input, plainFields),
    created_at: of.now,
    updated_at: of.now,
    due_date: due.dueDate,
    due_on: due.dueOn,
    due_tz: due.dueTz,
    due_local: input.due_local ?? null,
    is_recurring_template: recurrence !== null,
    recurrence_pattern: recurrence,
  });
}

export function taskCreated(row: TaskRow): Message {
  const data: TaskCreated = pick(row, ["id", "user_id", ...createdFields]);
  return { type: "TaskCreated", key: row.id, subject: row.id, sequence: row.version, data };
}

/** Changes what the patch says; what it leaves as it is, is no change. `zone` as for `decideCreate`. */
export function decidePatch(asked: TaskPatch | WithResolvedDue<TaskPatch>, zone: string | null): Decide {
  return (row, now) => {
    refuseOwnPattern(asked, row);
    const patch = resolveDue(asked, { dueTz: row.due_tz ?? patternZone(row), zone });
    const plain: TaskRow = { ...row, ...given(patch) };
    const wanted: TaskRow = { ...plain, ...recurrenceAfter(patch, { row, plain, zone, now }) };
    const changed = changesOf(row, wanted);
    return Object.keys(changed).length === 0 ? { row, event: null } : updated(wanted, changed, now);
  };
}

export const decideComplete: Decide = (row, now) => {
  if (row.is_recurring_template)
    throw new Problem("TASK_IS_TEMPLATE", "A template cannot be completed; complete one of its occurrences");
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

/** Takes a deletion back: the task is as it was, open or completed. */
export const decideUndelete: Decide = (row, now) =>
  row.deleted_at === null ? { row, event: null } : updated({ ...row, deleted_at: null }, { deleted_at: null }, now);

/** Moves a due that was said as a local time to where that is by the zone data in use. */
export const decideRezoned: Decide = (row, now) => {
  const due = row.due_local === null ? null : instantOfLocalDue(row.due_local);
  if (due === null || due.getTime() === row.due_date?.getTime()) return { row, event: null };
  return updated({ ...row, due_date: due }, { due_date: due.toISOString() }, now);
};

function updated(wanted: TaskRow, changed: UpdatedFields, now: Date): TaskDecision {
  const row: TaskRow = { ...wanted, updated_at: now, version: wanted.version + 1 };
  const data = { id: row.id, user_id: row.user_id, updated_fields: changed, timestamp: now };
  return { row, event: { type: "TaskUpdated", key: row.id, subject: row.id, sequence: row.version, data } };
}

/**
 * The plain fields of a patch; undefined ones are not there, so spreading leaves the row's. A due day ends a due time,
 * and the other way round.
 */
function given(patch: WithResolvedDue<TaskPatch>): Partial<TaskRow> {
  const { due_date, due_on } = patch;
  return {
    ...pick(patch, [...plainFields, "due_date", "due_on", "due_tz"]),
    ...(due_date === undefined ? {} : { due_local: patch.due_local ?? null }),
    ...(due_date ? { due_on: null } : {}),
    ...(due_on ? { due_date: null } : {}),
  };
}

function changesOf(before: TaskRow, after: TaskRow): UpdatedFields {
  const changes = patchFields.map((name) => [name, jsonOf(before[name]), jsonOf(after[name])] as const);
  return Object.fromEntries(changes.flatMap(([name, was, is]) => (isSame(was, is) ? [] : [[name, is]])));
}

/**
 * An occurrence recurs by its template's pattern; one of its own would make a series inside the series. One that has
 * got one from an older build keeps and may lose it.
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
  patch: WithResolvedDue<TaskPatch>,
  { row, plain, zone, now }: Readonly<{ row: TaskRow; plain: TaskRow; zone: string | null; now: Date }>,
): Partial<TaskRow> {
  const pattern = patch.recurrence_pattern ?? null;
  const kept = patch.recurrence_pattern === undefined && patch.is_recurring_template !== false;
  const due = { dueDate: plain.due_date, dueOn: plain.due_on, dueTz: plain.due_tz };
  const said = { dueDate: patch.due_date, dueOn: patch.due_on, dueTz: patch.due_tz };
  const filling = { before: row.recurrence_pattern, ...due, zone: zone ?? "UTC", now, said };
  const text = kept ? row.recurrence_pattern : pattern === null ? null : fillPattern(pattern, filling);
  checkTemplateFlag(patch.is_recurring_template, text);
  if (text !== null) checkZone(patch.recurrence_pattern, patch.due_tz);
  if (row.is_recurring_template && text !== null) refuseTemplateDue(patch, row);
  if (!kept && text !== null) checkStart({ pattern, dueDate: patch.due_date, dueOn: patch.due_on }, text);
  if (text !== null && row.status === "completed" && !row.is_recurring_template)
    throw new Problem("TASK_COMPLETED", "A completed task cannot be made a template; reopen it first");
  const shown = row.is_recurring_template && !kept && text !== null ? templateDue(patch, row, text) : {};
  return { is_recurring_template: text !== null, recurrence_pattern: text, ...shown };
}

function patternZone({ recurrence_pattern: text }: TaskRow): string | null {
  return text === null ? null : (parseRecurrencePatternText(text).tz ?? null);
}

function checkTemplateFlag(flag: boolean | undefined, pattern: string | null): void {
  if (flag === undefined || flag === (pattern !== null)) return;
  throw invalid("/is_recurring_template", flag ? "needs a recurrence_pattern" : "contradicts the recurrence_pattern");
}

function invalid(path: string, message: string): Problem {
  return new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path, message }] });
}
