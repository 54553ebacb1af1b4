import { fieldValue, foldFields, type FieldValue, type FoldedFields } from "../../shared/tasks/fold-fields.ts";
import type { ReceivedOf } from "../../shared/message.ts";

export type ReminderEvent = {
  [T in "ReminderScheduled" | "ReminderTriggered" | "ReminderDismissed"]: Pick<
    ReceivedOf<T>,
    "type" | "subject" | "sequence" | "data"
  >;
}["ReminderScheduled" | "ReminderTriggered" | "ReminderDismissed"];

/** A reminder as its events tell it, per field like a task. `user_id` is checked against the task's before anything is shown. */
export type FoldedReminder = Readonly<{ user_id: string; version: number; fields: FoldedFields }>;
export type FoldedReminders = Readonly<Record<string, FoldedReminder>>;

/** A reminder inside a task view. `version` counts the reminder's own changes. */
export type ReminderView = Readonly<{
  id: string;
  task_id: string;
  /** Such as PT15M; null for one a person set, or where the events of an older build did not say. */
  rule: string | null;
  remind_at: string | null;
  /** The time it had before it was snoozed. */
  snoozed_from: string | null;
  status: "pending" | "triggered" | "dismissed";
  triggered_at: string | null;
  dismissed_at: string | null;
  version: number;
}>;

/** Folds an event into a task's reminders; pure, any order, repetition changes nothing: then the same object comes back. */
export function foldReminder(reminders: FoldedReminders, event: ReminderEvent): FoldedReminders {
  const { user_id } = event.data;
  const base = Object.hasOwn(reminders, event.subject) ? reminders[event.subject] : undefined;
  if (base !== undefined && base.user_id !== user_id) return reminders;
  const { set, time } = told(event);
  const before = base?.fields ?? {};
  const fields = foldFields(before, set, event.sequence, time);
  if (fields === before) return reminders;
  return { ...reminders, [event.subject]: { user_id, fields, version: Math.max(base?.version ?? 0, event.sequence) } };
}

/** The newest `most` reminders of the task's own user, by time; a view has to fit into one record. */
export function reminderViews(
  reminders: FoldedReminders,
  task: Readonly<{ id: string; user_id: string }>,
  most = 100,
): readonly ReminderView[] {
  return Object.entries(reminders)
    .filter(([, reminder]) => reminder.user_id === task.user_id)
    .map(([id, { version, fields }]): ReminderView => {
      const text = (name: string): string | null => {
        const value = fieldValue(fields, name);
        return typeof value === "string" ? value : null;
      };
      const status = text("status");
      return {
        id,
        task_id: task.id,
        rule: text("rule"),
        remind_at: text("remind_at"),
        snoozed_from: text("snoozed_from"),
        status: status === "triggered" || status === "dismissed" ? status : "pending",
        triggered_at: text("triggered_at"),
        dismissed_at: text("dismissed_at"),
        version,
      };
    })
    .sort((a, b) => compare(a.remind_at ?? "", b.remind_at ?? "") || compare(a.id, b.id))
    .slice(-most);
}

function told(event: ReminderEvent): { set: Readonly<Record<string, FieldValue>>; time: number } {
  switch (event.type) {
    case "ReminderScheduled": {
      const remind_at = event.data.remind_at.toISOString();
      // The event does not say when it was made; its version alone decides, and the time only has to be the same each time.
      const { rule } = event.data;
      const snoozed_from = event.data.snoozed_from?.toISOString() ?? null;
      return {
        set: { rule, remind_at, snoozed_from, status: "pending", triggered_at: null, dismissed_at: null },
        time: 0,
      };
    }
    case "ReminderTriggered": {
      const { triggered_at, remind_at, rule } = event.data;
      return {
        set: {
          status: "triggered",
          triggered_at: triggered_at.toISOString(),
          ...(rule === null ? {} : { rule }),
          ...(remind_at === null ? {} : { remind_at: remind_at.toISOString() }),
        },
        time: triggered_at.getTime(),
      };
    }
    case "ReminderDismissed": {
      const { dismissed_at } = event.data;
      return { set: { status: "dismissed", dismissed_at: dismissed_at.toISOString() }, time: dismissed_at.getTime() };
    }
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
