import { deriveId } from "../../shared/messages/derive-id.ts";
import { patternSchedule, type PatternSchedule } from "../../shared/recurrence/pattern-schedule.ts";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { TaskField } from "../../shared/tasks/task-fields.ts";

/** How a template repeats. */
export type TemplateSchedule = PatternSchedule &
  Readonly<{
    /**
     * Names the schedule: the same rule, zone, start and month end. What else the pattern says does not begin a new
     * one, its end by COUNT or UNTIL and its EXDATE neither: a series that is ended earlier or prolonged goes on
     * counting.
     */
    key: string;
    /** When this schedule came into force, ms since the epoch: nothing is decided for a moment before. */
    since: number;
  }>;

/**
 * The fields a schedule depends on, beside those of `closingFields` and `placeFields`; the rest of a task is not kept
 * here.
 */
export const scheduleFields = [
  "is_recurring_template",
  "recurrence_pattern",
  "due_date",
  "due_on",
  "due_tz",
] as const satisfies readonly TaskField[];
export const closingFields = ["status", "completed_at", "deleted_at"] as const satisfies readonly TaskField[];
/** Which occurrence of which template a task is. */
export const placeFields = ["template_id", "recurrence_id"] as const satisfies readonly TaskField[];

/**
 * The schedule of a task, `null` for one that is no live template: not a template, without a pattern, completed or
 * deleted.
 * Throws Problem INVALID_REQUEST for a pattern this build does not understand.
 */
export function templateSchedule(task: FoldedTask | null): TemplateSchedule | null {
  if (task === null) return null;
  const value = (name: string) => fieldValue(task.fields, name);
  const json = value("recurrence_pattern");
  if (value("is_recurring_template") !== true || typeof json !== "string") return null;
  if (value("deleted_at") !== null || value("status") === "completed") return null;
  const since = Math.max(0, ...[...scheduleFields, ...closingFields].map((name) => task.fields[name]?.time ?? 0));
  const setAt = Math.max(task.fields["recurrence_pattern"]?.time ?? 0, task.fields["is_recurring_template"]?.time ?? 0);
  const text = (name: string) => {
    const found = value(name);
    return typeof found === "string" ? found : null;
  };
  const date = text("due_date");
  const due = { dueDate: date === null ? null : new Date(date), dueOn: text("due_on"), dueTz: text("due_tz") };
  const filled = patternSchedule(json, { ...due, setAt });
  const { rule, tz, start } = filled.schedule;
  const endless = rule.canonical.replaceAll(/;(?:COUNT|UNTIL)=[^;]*/g, "");
  return { ...filled, key: deriveId("schedule", endless, tz, start, filled.pattern.month_end), since };
}

/**
 * The schedule a template has or had, closed or not: where what was made of it belongs. `null` for a task that is no
 * template.
 */
export function lastSchedule(task: FoldedTask | null): TemplateSchedule | null {
  if (task === null) return null;
  const fields = Object.fromEntries(Object.entries(task.fields).filter(([name]) => !isClosing(name)));
  return templateSchedule({ ...task, fields });
}

function isClosing(name: string): boolean {
  return closingFields.some((field) => field === name);
}
