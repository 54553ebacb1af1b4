import type { Handler } from "../../shared/consume/handler.ts";
import type { Received } from "../../shared/message.ts";
import { applyChanges } from "./apply-changes.ts";
import { decideReminders } from "./decide-reminders.ts";
import { foldGuard, type GuardMessage } from "./guard.ts";
import { lockOrMakeGuard, lockReminders, saveGuard, saveReminders } from "./store-reminders.ts";

/**
 * Folds a task event or a command into the guard of its task, then makes the task's reminders what the guard wants.
 * Replay is safe because folding what is folded changes nothing and a reminder's id is (task, rule). A message whose user
 * is not the guard's merges nothing and is told to `countForeign`.
 */
export function makeHandleMessage(options: Readonly<{ countForeign: (type: string) => void }>): Handler {
  return async (message, { tx, log, now }) => {
    if (!isGuardMessage(message)) return [];
    const guard = await lockOrMakeGuard(tx, message.subject, message.data.user_id);
    if (guard.userId !== message.data.user_id) {
      options.countForeign(message.type);
      log.warn("user_differs", { id: message.id, type: message.type, subject: message.subject });
      return [];
    }
    const folded = foldGuard(guard, message);
    if (folded === guard) return [];
    await saveGuard(tx, folded);
    const existing = await lockReminders(tx, folded.taskId);
    const { reminders, messages } = applyChanges(folded, existing, decideReminders(folded, existing), now);
    await saveReminders(tx, reminders);
    return messages;
  };
}

function isGuardMessage(message: Received): message is Received & GuardMessage {
  switch (message.type) {
    case "TaskCreated":
    case "TaskUpdated":
    case "TaskCompleted":
    case "TaskDeleted":
    case "SetTaskReminders":
      return true;
    case "ReminderScheduled":
    case "ReminderTriggered":
    case "ReminderDismissed":
    case "TaskChanged":
    case "CreateOccurrence":
      return false;
  }
}
