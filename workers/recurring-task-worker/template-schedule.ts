import { deriveId } from "../../shared/derive-id.ts";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import {
  knownZone,
  parseRecurrencePatternText,
  ruleOf,
  type RecurrencePattern,
} from "../../shared/recurrence/recurrence-pattern.ts";
import type { Schedule } from "../../shared/recurrence/recurrence.ts";

/** How a template repeats, everything it leaves open filled in from the task. */
export type TemplateSchedule = Readonly<{
  /**
   * Names the schedule: the same rule, zone, start and month end. What else the pattern says does not begin a new one, its end by
   * COUNT or UNTIL and its EXDATE neither: a series that is ended earlier or prolonged goes on counting.
   */
  key: string;
  pattern: RecurrencePattern;
  schedule: Schedule;
  /** The template's own due, the start of its day for an all-day one: where a new series begins, passed or not. */
  begins: Date | null;
  /** When this schedule came into force, ms since the epoch: nothing is decided for a moment before. */
  since: number;
}>;

/** The fields a schedule depends on, beside those of `closingFields` and `placeFields`; the rest of a task is not kept here. */
export const scheduleFields = ["is_recurring_template", "recurrence_pattern", "due_date", "due_on", "due_tz"] as const;
export const closingFields = ["status", "completed_at", "deleted_at"] as const;
/** Which occurrence of which template a task is. */
export const placeFields = ["template_id", "recurrence_id"] as const;

/**
 * The schedule of a task, `null` for one that is no live template: not a template, without a pattern, completed or deleted.
 * Zone and start come from the pattern, else from the task's due date and zone, else UTC and the moment the pattern was set.
 * Throws Problem INVALID_REQUEST for a pattern this build does not understand.
 */
export function templateSchedule(task: FoldedTask | null): TemplateSchedule | null {
  if (task === null) return null;
  const value = (name: string) => fieldValue(task.fields, name);
  const json = value("recurrence_pattern");
  if (value("is_recurring_template") !== true || typeof json !== "string") return null;
  if (value("deleted_at") !== null || value("status") === "completed") return null;
  const pattern = parseRecurrencePatternText(json);
  const rule = ruleOf(pattern);
  const since = Math.max(0, ...[...scheduleFields, ...closingFields].map((name) => task.fields[name]?.time ?? 0));
  const setAt = Math.max(task.fields["recurrence_pattern"]?.time ?? 0, task.fields["is_recurring_template"]?.time ?? 0);
  const dueTz = value("due_tz");
  const tz = pattern.tz ?? (typeof dueTz === "string" ? knownZone(dueTz) : null) ?? "UTC";
  const start = pattern.start ?? startOf(value("due_on"), value("due_date"), setAt, tz);
  // An hour of the day makes a day a time.
  const timed = start.length === 10 && ["BYHOUR", "BYMINUTE", "BYSECOND"].some((name) => rule.parts.has(name));
  const { exdate = [], month_end: monthEnd } = pattern;
  const schedule = { rule, start: timed ? `${start}T00:00:00` : start, tz, monthEnd, exdate };
  const endless = rule.canonical.replaceAll(/;(?:COUNT|UNTIL)=[^;]*/g, "");
  const key = deriveId("schedule", endless, tz, schedule.start, pattern.month_end);
  return { key, pattern, schedule, begins: begin(value("due_on"), value("due_date"), tz), since };
}

/** The schedule a template has or had, closed or not: where what was made of it belongs. `null` for a task that is no template. */
export function lastSchedule(task: FoldedTask | null): TemplateSchedule | null {
  if (task === null) return null;
  const fields = Object.fromEntries(Object.entries(task.fields).filter(([name]) => !isClosing(name)));
  return templateSchedule({ ...task, fields });
}

function isClosing(name: string): boolean {
  return closingFields.some((field) => field === name);
}

function begin(dueOn: unknown, dueDate: unknown, tz: string): Date | null {
  if (typeof dueDate === "string") return new Date(dueDate);
  if (typeof dueOn === "string") return new Date(Temporal.PlainDate.from(dueOn).toZonedDateTime(tz).epochMilliseconds);
  return null;
}

function startOf(dueOn: unknown, dueDate: unknown, setAt: number, tz: string): string {
  if (typeof dueDate === "string") return localTime(Date.parse(dueDate), tz);
  if (typeof dueOn === "string") return dueOn;
  return localTime(setAt, tz);
}

function localTime(ms: number, tz: string): string {
  return Temporal.Instant.fromEpochMilliseconds(ms)
    .toZonedDateTimeISO(tz)
    .toPlainDateTime()
    .toString({ smallestUnit: "second", roundingMode: "floor" });
}
