import type { Preferences } from "../../shared/preferences/preferences.ts";
import { knownZone } from "../../shared/recurrence/recurrence-pattern.ts";
import type { ReminderRule } from "../../shared/records.ts";
import { fieldValue, type FoldedFields } from "../../shared/tasks/fold-fields.ts";
import {
  dueInstant,
  parseRelativeReminder,
  remindAt,
  type Clock,
  type Due,
} from "../../shared/tasks/relative-reminder.ts";

export type WantedReminders = Readonly<{
  /** The instant the task counts as due; `null` when it is not due at all. */
  due: Date | null;
  /** The version of the task that last set its due time or day. */
  dueVersion: number;
  /** When what decides the instant was last set. */
  dueTime: Date;
  /** By name. The offsets are those at this very due instant: a day before it may be 23 hours, and 18:00 on a whole day comes after it. */
  rules: readonly ReminderRule[];
}>;

/**
 * What the fields of a task and its user's choices say: its own reminders, else the usual ones, at the wall clock of its own zone,
 * else the user's. Pure. A rule of a newer build is left out, a zone this platform does not know is as good as none.
 */
export function wantedReminders(
  task: FoldedFields,
  { tz, all_day_at, default_reminders }: Pick<Preferences, "tz" | "all_day_at" | "default_reminders">,
): WantedReminders {
  const own = fieldValue(task, "remind");
  const zone = fieldValue(task, "due_tz");
  const clock: Clock = { tz: (typeof zone === "string" ? knownZone(zone) : null) ?? tz, allDayAt: all_day_at };
  const due = dueOf(task);
  const field = (name: string) => task[name] ?? { version: 0, time: 0 };
  const [date, day] = [field("due_date"), field("due_on")];
  return {
    due: due && dueInstant(due, clock),
    dueVersion: Math.max(date.version, day.version),
    dueTime: new Date(Math.max(date.time, day.time, field("due_tz").time)),
    rules: due === null ? [] : rulesOf(Array.isArray(own) ? own : default_reminders, due, clock),
  };
}

/** Where both are known for a moment, because an event between has not come yet, the one set last counts. */
function dueOf(task: FoldedFields): Due | null {
  const [date, day] = [fieldValue(task, "due_date"), fieldValue(task, "due_on")];
  const isDayNewer = (task["due_on"]?.version ?? 0) > (task["due_date"]?.version ?? 0);
  if (typeof day === "string" && (date === null || isDayNewer)) return { kind: "day", on: day };
  return typeof date === "string" ? { kind: "instant", at: new Date(date) } : null;
}

function rulesOf(texts: readonly string[], due: Due, clock: Clock): readonly ReminderRule[] {
  const dueAt = dueInstant(due, clock).getTime();
  return texts
    .flatMap((text): ReminderRule[] => {
      const rule = parseRelativeReminder(text);
      return rule === null ? [] : [{ rule: rule.text, offset_ms: remindAt(rule, due, clock).getTime() - dueAt }];
    })
    .toSorted((a, b) => (a.rule < b.rule ? -1 : 1));
}
