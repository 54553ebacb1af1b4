import type { ReminderView } from "../../shared/reminders/reminder-schema.ts";
import { expandedTask } from "../../shared/reminders/reminder-task.ts";
import type { ListedReminder } from "./list-reminders.ts";
import type { Reminder } from "./reminder.ts";

export function reminderView(reminder: Reminder): ReminderView {
  return {
    id: reminder.id,
    task_id: reminder.taskId,
    rule: reminder.rule,
    remind_at: reminder.remindAt.toISOString(),
    snoozed_from: reminder.snoozedFrom?.toISOString() ?? null,
    drop_after: reminder.dropAfter,
    status: reminder.status,
    triggered_at: reminder.triggeredAt?.toISOString() ?? null,
    dismissed_at: reminder.dismissedAt?.toISOString() ?? null,
    reason: reminder.reason,
    generation: reminder.generation,
    version: reminder.version,
  };
}

/** The same with its task, where that was asked for. */
export function listedView({ task, ...reminder }: ListedReminder) {
  return { ...reminderView(reminder), ...expandedTask(task) };
}
