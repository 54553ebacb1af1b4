import { firstRecurrence } from "../../shared/recurrence/first-recurrence.ts";
import { patternSchedule } from "../../shared/recurrence/pattern-schedule.ts";
import { ownDue } from "../../shared/recurrence/recurrence-due.ts";
import { resolveReminders, type ReminderChoices } from "../../shared/reminders/resolve-reminders.ts";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import { occurrenceId } from "../../shared/tasks/occurrence-id.ts";
import { parseRelativeReminder, type Due } from "../../shared/tasks/relative-reminder.ts";
import type { ReminderRule } from "../../shared/messages/records.ts";
import type { TaskRow } from "./task-row.ts";

/** The task that the series of a new template begins with. */
type FirstOccurrence = Readonly<{
  id: string;
  recurrence_id: string;
  due_date: string | null;
  due_on: string | null;
}>;

/**
 * Why a rule makes no reminder: there is nothing it could be relative to, its time is not after the request, or another
 * rule comes to the same instant. Of a completed task none makes one.
 */
type UnsetReason = "no_due" | "past" | "same_time" | "completed";

/**
 * What other roles will make of a new task, as its answer tells it. By time, then rule; unset ones in the order they
 * were given.
 */
export type TaskForecast = Readonly<{
  first_occurrence: FirstOccurrence | null;
  reminders: readonly Readonly<{ id: string; rule: string; remind_at: string }>[];
  unset_reminders: readonly Readonly<{ rule: string; remind_at: string | null; reason: UnsetReason }>[];
}>;

type TaskToRemind = Readonly<{ id: string; due: Due | null; dueTz: string | null }>;

/** Whether `decideComing` needs to know the user's choices: only a task that will be due has reminders. */
export function needsChoices(row: TaskRow): boolean {
  return row.due_date !== null || row.due_on !== null || row.is_recurring_template;
}

/**
 * What the recurring task worker, the reminder scheduling worker and the reminder service will make of a new task. They
 * decide by the same rules, and the ids are computed, so an answer can name what is not there yet. Pure. `choices` are
 * the user's as they stand; where they change before the scheduling worker has heard of the task, the new ones count.
 */
export function decideComing(row: TaskRow, choices: ReminderChoices): TaskForecast {
  const first = firstOccurrence(row);
  const reminded = row.is_recurring_template ? first : { id: row.id, due: dueOf(row), dueTz: row.due_tz };
  const askedAt = row.created_at;
  return { first_occurrence: first?.told ?? null, ...comingReminders(row, { reminded, choices, askedAt }) };
}

/**
 * The rules of a task that make no reminder after a change of it, and why. A template has none: its rules are for
 * occurrences to come, each of which may be due at any time. Pure.
 */
export function decideUnset(row: TaskRow, choices: ReminderChoices): TaskForecast["unset_reminders"] {
  if (row.is_recurring_template) return [];
  const reminded = { id: row.id, due: dueOf(row), dueTz: row.due_tz };
  const { reminders, unset_reminders: unset } = comingReminders(row, { reminded, choices, askedAt: row.updated_at });
  if (row.status === "open") return unset;
  return [...reminders, ...unset].map(({ rule, remind_at }) => ({ rule, remind_at, reason: "completed" }));
}

function firstOccurrence(row: TaskRow): (TaskToRemind & Readonly<{ told: FirstOccurrence }>) | null {
  if (row.recurrence_pattern === null) return null;
  const of = { dueDate: row.due_date, dueOn: row.due_on, dueTz: row.due_tz, setAt: row.created_at.getTime() };
  const filled = patternSchedule(row.recurrence_pattern, of);
  const first = firstRecurrence(filled, row.created_at);
  if (first === null) return null;
  const due = ownDue(first, filled.schedule);
  const id = occurrenceId(row.id, first.id);
  return {
    id,
    due: due.date === null ? { kind: "day", on: due.on } : { kind: "instant", at: due.date },
    dueTz: filled.schedule.tz,
    told: { id, recurrence_id: first.id, due_date: due.date?.toISOString() ?? null, due_on: due.on },
  };
}

function comingReminders(
  { remind }: TaskRow,
  { reminded, choices, askedAt }: Readonly<{ reminded: TaskToRemind | null; choices: ReminderChoices; askedAt: Date }>,
): Omit<TaskForecast, "first_occurrence"> {
  const { due, rules, same } =
    reminded === null ? { due: null, rules: [], same: [] } : resolveReminders({ ...reminded, remind }, choices);
  // Without a due only what was asked for by name is told: nobody expects the usual ones then.
  if (due === null || reminded === null) {
    const names = (remind ?? []).flatMap((text) => parseRelativeReminder(text)?.text ?? []);
    return { reminders: [], unset_reminders: names.map((rule) => ({ rule, remind_at: null, reason: "no_due" })) };
  }
  const at = ({ offset_ms }: ReminderRule) => new Date(due.getTime() + offset_ms);
  const isPast = (each: ReminderRule) => at(each) <= askedAt;
  const unset = (each: ReminderRule) =>
    ({ rule: each.rule, remind_at: at(each).toISOString(), reason: isPast(each) ? "past" : "same_time" }) as const;
  return {
    reminders: rules
      .filter((each) => !isPast(each))
      .toSorted((a, b) => a.offset_ms - b.offset_ms)
      .map((each) => ({
        id: ruleReminderId(reminded.id, each.rule),
        rule: each.rule,
        remind_at: at(each).toISOString(),
      })),
    unset_reminders: [...rules.filter(isPast), ...same].map(unset),
  };
}

function dueOf({ due_date: at, due_on: on }: TaskRow): Due | null {
  if (at !== null) return { kind: "instant", at };
  return on === null ? null : { kind: "day", on };
}
