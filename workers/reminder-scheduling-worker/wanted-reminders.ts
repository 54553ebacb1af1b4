import {
  resolveReminders,
  type ReminderChoices,
  type ResolvedReminders,
} from "../../shared/reminders/resolve-reminders.ts";
import { fieldValue, type FoldedFields } from "../../shared/tasks/fold-fields.ts";
import type { Due } from "../../shared/tasks/relative-reminder.ts";

export type WantedReminders = ResolvedReminders &
  Readonly<{
    /** The version of the task that last set its due time or day. */
    dueVersion: number;
    /** When what decides the instant was last set. */
    dueTime: Date;
  }>;

/** What the folded fields of a task and its user's choices say: see `resolveReminders`. Pure. */
export function wantedReminders(task: FoldedFields, choices: ReminderChoices): WantedReminders {
  const own = fieldValue(task, "remind");
  const zone = fieldValue(task, "due_tz");
  const field = (name: string) => task[name] ?? { version: 0, time: 0 };
  const [date, day] = [field("due_date"), field("due_on")];
  return {
    ...resolveReminders(
      { due: dueOf(task), dueTz: typeof zone === "string" ? zone : null, remind: isTexts(own) ? own : null },
      choices,
    ),
    dueVersion: Math.max(date.version, day.version),
    dueTime: new Date(Math.max(date.time, day.time, field("due_tz").time)),
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value);
}

/** Where both are known for a moment, because an event between has not come yet, the one set last counts. */
function dueOf(task: FoldedFields): Due | null {
  const [date, day] = [fieldValue(task, "due_date"), fieldValue(task, "due_on")];
  const isDayNewer = (task["due_on"]?.version ?? 0) > (task["due_date"]?.version ?? 0);
  if (typeof day === "string" && (date === null || isDayNewer)) return { kind: "day", on: day };
  return typeof date === "string" ? { kind: "instant", at: new Date(date) } : null;
}
