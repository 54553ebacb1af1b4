import type { Message } from "../../shared/messages/message.ts";
import type { ReminderChange } from "./decide-reminders.ts";
import type { GuardRow } from "./guard.ts";
import { instantOf, type DismissReason, type Reminder } from "./reminder.ts";

type AppliedChanges = Readonly<{ reminders: readonly Reminder[]; messages: readonly Message[] }>;

/**
 * The rows after the changes and the messages that tell them, in order; pure. Each message raises the version of its
 * reminder by one. Only changed rows are returned.
 */
export function applyChanges(
  guard: GuardRow,
  existing: readonly Reminder[],
  changes: readonly ReminderChange[],
  now: Date,
): AppliedChanges {
  const applied = changes.map((change): { reminder: Reminder; messages: readonly Message[] } => {
    const before = existing.find(({ id }) => id === change.id);
    if (change.change === "dismiss") {
      if (before === undefined) throw new Error(`there is no reminder ${change.id} to dismiss`);
      const reminder = dismissed(before, change.reason, now);
      return { reminder, messages: [dismissedMessage(reminder)] };
    }
    const because = change.snooze === null ? "moved" : "snoozed";
    const moved = before?.status === "pending" ? dismissed(before, because, now) : null;
    const last = moved ?? before;
    const reminder: Reminder = {
      id: change.id,
      taskId: guard.taskId,
      userId: guard.userId,
      rule: change.rule,
      remindAt: change.remindAt,
      // The id of a firing is made of it: one from before the database went back must not come again for another.
      generation: Math.max(last?.generation ?? 0, guard.floor ?? 0) + 1,
      status: "pending",
      version: (last?.version ?? guard.floor ?? 0) + 1,
      triggeredAt: null,
      dismissedAt: null,
      reason: null,
      dismissedFor: last?.dismissedFor ?? null,
      snoozedFrom: change.snooze?.from ?? null,
      snoozedFor: change.snooze?.for ?? null,
      dropAfter: change.dropAfter === undefined ? (last?.dropAfter ?? null) : change.dropAfter,
    };
    return { reminder, messages: [...(moved ? [dismissedMessage(moved)] : []), scheduledMessage(reminder)] };
  });
  return {
    reminders: applied.map(({ reminder }) => reminder),
    messages: applied.flatMap(({ messages }) => messages),
  };
}

/** A person dismissing or deleting it also remembers for which instant. */
export function dismissed(reminder: Reminder, reason: DismissReason, now: Date): Reminder {
  return {
    ...reminder,
    status: "dismissed",
    version: reminder.version + 1,
    dismissedAt: now,
    reason,
    dismissedFor: reason === "user" || reason === "removed" ? instantOf(reminder) : reminder.dismissedFor,
  };
}

/** That it waits for this time, in this generation; also told anew when something else of it changed. */
export function scheduledMessage(reminder: Reminder): Message {
  const { id, taskId, userId, rule, remindAt, generation, version, snoozedFrom, dropAfter } = reminder;
  return {
    type: "ReminderScheduled",
    key: taskId,
    subject: id,
    sequence: version,
    data: {
      id,
      task_id: taskId,
      user_id: userId,
      remind_at: remindAt,
      status: "pending",
      generation,
      rule,
      snoozed_from: snoozedFrom,
      drop_after: dropAfter,
    },
  };
}

export function dismissedMessage({ id, taskId, userId, dismissedAt, generation, version, reason }: Reminder): Message {
  if (dismissedAt === null) throw new Error(`reminder ${id} is not dismissed`);
  return {
    type: "ReminderDismissed",
    key: taskId,
    subject: id,
    sequence: version,
    data: { id, task_id: taskId, user_id: userId, dismissed_at: dismissedAt, generation, reason },
  };
}
