import { fieldValue, foldFields, type FieldValue, type FoldedFields } from "../../shared/tasks/fold-fields.ts";
import type { ReceivedOf } from "../../shared/messages/message.ts";
import type { ReminderView } from "../../shared/reminders/reminder-schema.ts";

export type ReminderEvent = {
  [T in "ReminderScheduled" | "ReminderTriggered" | "ReminderDismissed"]: Pick<
    ReceivedOf<T>,
    "type" | "subject" | "sequence" | "data"
  >;
}["ReminderScheduled" | "ReminderTriggered" | "ReminderDismissed"];

/**
 * A reminder as its events tell it, per field like a task. `user_id` is checked against the task's before anything is
 * shown.
 */
export type FoldedReminder = Readonly<{ user_id: string; version: number; fields: FoldedFields }>;
export type FoldedReminders = Readonly<Record<string, FoldedReminder>>;

/**
 * Folds an event into a task's reminders; pure, any order, repetition changes nothing: then the same object comes back.
 */
export function foldReminder(reminders: FoldedReminders, event: ReminderEvent): FoldedReminders {
  const { user_id } = event.data;
  const base = Object.hasOwn(reminders, event.subject) ? reminders[event.subject] : undefined;
  if (base !== undefined && base.user_id !== user_id) return reminders;
  const { set, time } = told(event);
  const before = base?.fields ?? {};
  const fields = foldFields(before, set, event.sequence, time);
  if (fields === before) return reminders;
  const folded = { user_id, fields, version: Math.max(base?.version ?? 0, event.sequence) };
  return withoutOldest({ ...reminders, [event.subject]: folded });
}

/**
 * A view is written whole at every event of its task: beyond so many, what is over is forgotten, dismissed ones first,
 * the oldest first.
 */
const mostKept = 100;

function withoutOldest(reminders: FoldedReminders): FoldedReminders {
  const all = Object.entries(reminders);
  if (all.length <= mostKept) return reminders;
  const rank = ({ fields }: FoldedReminder) => ["dismissed", "triggered"].indexOf(String(fieldValue(fields, "status")));
  const over = all
    .filter(([, reminder]) => rank(reminder) !== -1)
    .sort(
      ([idA, a], [idB, b]) =>
        rank(a) - rank(b) || (a.fields["status"]?.time ?? 0) - (b.fields["status"]?.time ?? 0) || compare(idA, idB),
    );
  const forgotten = new Set(over.slice(0, all.length - mostKept).map(([id]) => id));
  return Object.fromEntries(all.filter(([id]) => !forgotten.has(id)));
}

/**
 * The newest `most` reminders of the task's own user as HTTP shows them, by time; a view has to fit into one record.
 * One that was heard of out of turn has no `remind_at` yet: it is shown with the time it fired or was dismissed, until
 * its scheduling comes.
 */
export function reminderViews(
  reminders: FoldedReminders,
  task: Readonly<{ id: string; user_id: string }>,
  most = 100,
): readonly ReminderView[] {
  return (
    Object.entries(reminders)
      .filter(([, reminder]) => reminder.user_id === task.user_id)
      .map(([id, { version, fields }]): ReminderView => {
        const text = (name: string): string | null => {
          const value = fieldValue(fields, name);
          return typeof value === "string" ? value : null;
        };
        const generation = fieldValue(fields, "generation");
        const status = text("status");
        return {
          id,
          task_id: task.id,
          rule: text("rule"),
          remind_at: text("remind_at") ?? text("triggered_at") ?? text("dismissed_at") ?? "",
          snoozed_from: text("snoozed_from"),
          drop_after: text("drop_after"),
          status: status === "triggered" || status === "dismissed" ? status : "pending",
          triggered_at: text("triggered_at"),
          dismissed_at: text("dismissed_at"),
          reason: text("reason"),
          generation: typeof generation === "number" ? generation : 0,
          version,
        };
      })
      // Deleted by its person: no list has it any more.
      .filter(({ reason }) => reason !== "removed")
      .sort((a, b) => compare(a.remind_at, b.remind_at) || compare(a.id, b.id))
      .slice(-most)
  );
}

function told(event: ReminderEvent): { set: Readonly<Record<string, FieldValue>>; time: number } {
  switch (event.type) {
    case "ReminderScheduled": {
      const remind_at = event.data.remind_at.toISOString();
      // The event does not say when it was made; its version alone decides, and the time only has to be the same each
      // time.
      const { rule, drop_after } = event.data;
      const snoozed_from = event.data.snoozed_from?.toISOString() ?? null;
      const over = { triggered_at: null, dismissed_at: null, reason: null };
      return {
        set: { rule, remind_at, snoozed_from, drop_after, status: "pending", ...over, ...generationOf(event.data) },
        time: 0,
      };
    }
    case "ReminderTriggered": {
      const { triggered_at, remind_at, rule } = event.data;
      return {
        set: {
          status: "triggered",
          triggered_at: triggered_at.toISOString(),
          ...generationOf(event.data),
          ...(rule === null ? {} : { rule }),
          ...(remind_at === null ? {} : { remind_at: remind_at.toISOString() }),
        },
        time: triggered_at.getTime(),
      };
    }
    case "ReminderDismissed": {
      const { dismissed_at, reason } = event.data;
      const set = { dismissed_at: dismissed_at.toISOString(), reason, ...generationOf(event.data) };
      return { set: { status: "dismissed", ...set }, time: dismissed_at.getTime() };
    }
  }
}

/** Events of an older build do not say it. */
function generationOf({ generation }: Readonly<{ generation: number | null }>): Readonly<Record<string, FieldValue>> {
  return generation === null ? {} : { generation };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
