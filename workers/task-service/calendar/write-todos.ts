import { describePattern } from "../../../shared/recurrence/describe-pattern.ts";
import { plainId } from "../../../shared/recurrence/find-recurrence.ts";
import type { RecurrencePattern } from "../../../shared/recurrence/recurrence-pattern.ts";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { parseRelativeReminder, type Clock, type Due } from "../../../shared/tasks/relative-reminder.ts";
import { remindAt } from "../../../shared/tasks/remind-at.ts";
import type { CalendarField, taskFields } from "../../../shared/tasks/task-fields.ts";
import type { TaskView } from "../../../shared/tasks/task-view.ts";
import { alarm, alarmAt } from "./alarm.ts";
import type { CalendarRule } from "./calendar-rule.ts";
import { component, contentLine, textValue } from "./content-line.ts";
import { instantLine, startLine, utcValue } from "./time-value.ts";

/** What was decided about a recurrence that has no task: skipped (or its task deleted), or due at another time. */
export type SeriesException = Readonly<{
  recurrence_id: string;
  kind: "skipped" | "moved";
  due_date: Date | null;
  due_on: string | null;
}>;

export type ExportedTask = Readonly<{
  task: TaskView;
  /** The pattern of the task, or of the live template it is an occurrence of; `null` for a plain task. */
  pattern: RecurrencePattern | null;
  /** Of the pattern, where it counts by the calendar and iCalendar can say it. */
  rule: CalendarRule | null;
  /** Of a template. */
  exceptions: readonly SeriesException[];
  clock: Clock;
  /** The user's usual reminders. */
  remind: readonly string[];
  /** When it reminds beside its rules. */
  ownAlarms: readonly Date[];
}>;

/**
 * The VTODOs of one task (RFC 5545 §3.6.2):
 * - a plain task: its id is the UID; DUE as it is, a day, a time in its zone, or UTC
 * - a template: DTSTART and RRULE (or RDATE, see `calendarRule`), EXDATE for what is left out or skipped, and a VTODO
 *   with RECURRENCE-ID for each recurrence moved. It has no DUE, which would have to be later than DTSTART
 * - its occurrence: the template's UID and RECURRENCE-ID, the same for one made again after its date was taken back
 *   What counts from completion has no rule in iCalendar: such a template is written without one and its occurrences as
 *   plain tasks RELATED-TO it; so is an occurrence whose id is not of the series' kind any more. X-TASKWIRE-PATTERN
 *   holds the pattern in full.
 */
export function writeTodos(exported: ExportedTask): string {
  const { task, pattern, rule } = exported;
  if (task.is_recurring_template) return writeTemplate(exported);
  const series = task.template_id;
  const id = task.recurrence_id === null ? null : plainId(task.recurrence_id);
  const isInstance = rule !== null && id !== null && id.length === rule.start.length;
  const place =
    series === null || pattern === null
      ? [contentLine("UID", task.id)]
      : isInstance
        ? [contentLine("UID", series), startLine("RECURRENCE-ID", [id], rule.tz)]
        : [contentLine("UID", task.id), contentLine("RELATED-TO", series)];
  const due = dueOf(task);
  const tz = task.due_tz ?? pattern?.tz ?? null;
  return component("VTODO", [
    ...place,
    ...common(task),
    ...(due === null ? [] : [dueLine("DUE", due, tz)]),
    ...(due === null ? [] : alarms(exported, due, tz, "END")),
    ...ownAlarms(exported, due, tz),
  ]);
}

function writeTemplate(exported: ExportedTask): string {
  const { task, pattern, rule, exceptions } = exported;
  const told = contentLine("X-TASKWIRE-PATTERN;VALUE=TEXT", textValue(JSON.stringify(task.recurrence_pattern)));
  const head = [contentLine("UID", task.id), ...common(task), told];
  if (rule === null) {
    const words = pattern === null ? [] : [contentLine("COMMENT", textValue(describePattern(pattern)))];
    return component("VTODO", [...head, ...words]);
  }
  const ofKind = (id: string) => id.length === rule.start.length;
  const skipped = exceptions.filter(({ kind }) => kind === "skipped").map((each) => plainId(each.recurrence_id));
  const left = [...new Set([...(pattern?.exdate ?? []), ...skipped])].filter(ofKind).sort();
  const moved = exceptions.filter((each) => each.kind === "moved" && ofKind(each.recurrence_id));
  const master = component("VTODO", [
    ...head,
    startLine("DTSTART", [rule.start], rule.tz),
    ...(rule.rrule === null ? [] : [contentLine("RRULE", rule.rrule)]),
    ...(rule.rdates.length === 0 ? [] : [startLine("RDATE", rule.rdates, rule.tz)]),
    ...(left.length === 0 ? [] : [startLine("EXDATE", left, rule.tz)]),
    ...alarms(exported, startOf(rule), rule.tz, "START"),
  ]);
  const overrides = moved.map((each) => {
    const due = dueOf(each);
    return component("VTODO", [
      contentLine("UID", task.id),
      startLine("RECURRENCE-ID", [each.recurrence_id], rule.tz),
      ...common(task),
      ...(due === null ? [] : [dueLine("DUE", due, rule.tz), ...alarms(exported, due, rule.tz, "END")]),
    ]);
  });
  return [master, ...overrides].join("");
}

type PlainLines = { readonly [F in CalendarField as (typeof taskFields)[F]["calendar"]]: string | null };

/** The fields that are one line each, in this order; `null` for no line. */
function plainLines({ title, description, priority, tags }: TaskView): PlainLines {
  return {
    SUMMARY: textValue(title),
    DESCRIPTION: description === null ? null : textValue(description),
    PRIORITY: priority === null ? null : { High: "1", Medium: "5", Low: "9" }[priority],
    CATEGORIES: tags.length === 0 ? null : tags.map(textValue).join(","),
  };
}

function common(task: TaskView): readonly string[] {
  return [
    contentLine("DTSTAMP", utcValue(new Date(task.updated_at))),
    contentLine("CREATED", utcValue(new Date(task.created_at))),
    contentLine("LAST-MODIFIED", utcValue(new Date(task.updated_at))),
    contentLine("SEQUENCE", String(task.version - 1)),
    ...Object.entries(plainLines(task)).flatMap(([name, value]) => (value === null ? [] : [contentLine(name, value)])),
    ...(task.completed_at === null
      ? [contentLine("STATUS", "NEEDS-ACTION")]
      : [
          contentLine("STATUS", "COMPLETED"),
          contentLine("COMPLETED", utcValue(new Date(task.completed_at))),
          contentLine("PERCENT-COMPLETE", "100"),
        ]),
  ];
}

function alarms(
  { task, clock, remind }: ExportedTask,
  due: Due,
  tz: string | null,
  related: "START" | "END",
): readonly string[] {
  if (task.completed_at !== null) return [];
  const there = { ...clock, tz: tz ?? clock.tz };
  const told = rulesOf(task, remind).map((rule) => alarm(rule, { due, clock: there, title: task.title, related }));
  // One moment rings once in other calendars too.
  return [...new Set(told)];
}

/** Those set by hand or snoozed, but for the instants at which a rule rings anyway. */
function ownAlarms(
  { task, clock, remind, ownAlarms: own }: ExportedTask,
  due: Due | null,
  tz: string | null,
): readonly string[] {
  if (task.completed_at !== null) return [];
  const there = { ...clock, tz: tz ?? clock.tz };
  const ringing = due === null ? [] : rulesOf(task, remind).map((rule) => remindAt(rule, due, there).getTime());
  return own.filter((at) => !ringing.includes(at.getTime())).map((at) => alarmAt(at, task.title));
}

function rulesOf({ remind }: TaskView, usual: readonly string[]) {
  return (remind ?? usual).flatMap((text) => parseRelativeReminder(text) ?? []);
}

function dueOf({ due_date, due_on }: Readonly<{ due_date: string | Date | null; due_on: string | null }>): Due | null {
  if (due_on !== null) return { kind: "day", on: due_on };
  return due_date === null ? null : { kind: "instant", at: new Date(due_date) };
}

function startOf({ start, tz }: CalendarRule): Due {
  if (start.length === 10) return { kind: "day", on: start };
  return { kind: "instant", at: new Date(zoneClock(tz).instantPast(Date.parse(`${start}Z`))) };
}

function dueLine(name: string, due: Due, tz: string | null): string {
  return due.kind === "day" ? startLine(name, [due.on], "UTC") : instantLine(name, due.at, tz);
}
