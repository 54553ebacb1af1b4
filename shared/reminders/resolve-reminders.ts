import type { Preferences } from "../preferences/preferences.ts";
import { knownZone } from "../recurrence/recurrence-pattern.ts";
import type { ReminderRule } from "../messages/records.ts";
import { parseRelativeReminder, type Clock, type Due } from "../tasks/relative-reminder.ts";
import { dueInstant, remindAt } from "../tasks/remind-at.ts";

/** What a person's preferences say about when to remind. */
export type ReminderChoices = Pick<Preferences, "tz" | "all_day_at" | "default_reminders">;

/** What a task says about it. `remind` null: its user's usual ones. */
type RemindedTask = Readonly<{ due: Due | null; dueTz: string | null; remind: readonly string[] | null }>;

export type ResolvedReminders = Readonly<{
  /** The instant the task counts as due; `null` when it is not due at all. */
  due: Date | null;
  /**
   * By name, one for each instant. The offsets are those at this very due instant: a day before it may be 23 hours, and
   * 18:00 on a whole day comes after it.
   */
  rules: readonly ReminderRule[];
  /**
   * Those that come to the instant of one of `rules` at this due: P1D and PT24H, but for nights on which the clocks
   * change.
   */
  same: readonly ReminderRule[];
}>;

/**
 * The rules that hold for a task, each instant once, each with its offset: its own, else the usual ones, at the wall
 * clock of its own zone, else the user's. Pure. A rule of a newer build is left out, a zone this platform does not know
 * is as good as none.
 */
export function resolveReminders(task: RemindedTask, choices: ReminderChoices): ResolvedReminders {
  const { due, dueTz, remind } = task;
  if (due === null) return { due: null, rules: [], same: [] };
  const clock: Clock = { tz: (dueTz === null ? null : knownZone(dueTz)) ?? choices.tz, allDayAt: choices.all_day_at };
  const dueAt = dueInstant(due, clock);
  const all = (remind ?? choices.default_reminders).flatMap((text): readonly ReminderRule[] => {
    const rule = parseRelativeReminder(text);
    return rule === null
      ? []
      : [{ rule: rule.text, offset_ms: remindAt(rule, due, clock).getTime() - dueAt.getTime() }];
  });
  const named = [...new Map(all.map((each) => [each.rule, each])).values()].toSorted((a, b) =>
    a.rule < b.rule ? -1 : 1,
  );
  const first = new Map(named.toReversed().map((each) => [each.offset_ms, each]));
  const isFirst = (each: ReminderRule) => first.get(each.offset_ms) === each;
  return { due: dueAt, rules: named.filter(isFirst), same: named.filter((each) => !isFirst(each)) };
}
