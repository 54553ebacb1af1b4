import type { BatchHandler } from "../../shared/consume/handler.ts";
import type { Message, Origin, ReceivedMessage } from "../../shared/messages/message.ts";
import { idCausedBy } from "../../shared/outbox/outbox.ts";
import { isTaskEvent } from "../../shared/tasks/task-event.ts";
import { applyChanges } from "./apply-changes.ts";
import { decidePruned } from "./decide-pruned.ts";
import { decideReminders } from "./decide-reminders.ts";
import { foldGuard, type GuardRow, type GuardMessage } from "./guard.ts";
import type { Reminder } from "./reminder.ts";
import { deleteReminders, lockOrMakeGuards, lockReminders, saveGuards, saveReminders } from "./store-reminders.ts";

/**
 * Folds task events and commands into the guard rows of their tasks, and makes the reminders what those want: two
 * selects and two writes, however long the batch, and one more if rows are pruned. Replay is safe because folding a
 * message again changes nothing, and a reminder's id is (task, rule). A message whose user is not the guard row's is
 * merged nowhere, and counted by `countForeign`.
 */
export function makeKeepReminders(options: Readonly<{ countForeign: (type: string) => void }>): BatchHandler {
  return async (messages, { tx, log, now }) => {
    const users = new Map<string, string>();
    for (const message of messages)
      if (isGuardMessage(message) && !users.has(message.subject)) users.set(message.subject, message.data.user_id);
    const guards = await lockOrMakeGuards(tx, users);
    const reminders = new Map<string, Map<string, Reminder>>();
    for (const reminder of await lockReminders(tx, [...users.keys()]))
      rowsOf(reminders, reminder.taskId).set(reminder.id, reminder);
    const changedGuards = new Map<string, GuardRow>();
    const changedReminders = new Map<string, Reminder>();
    const origins = new Map<string, Origin>();

    const answers = messages.map((message): readonly Message[] => {
      const guard = guards.get(message.subject);
      if (guard === undefined || !isGuardMessage(message)) return [];
      if (guard.userId !== message.data.user_id) {
        options.countForeign(message.type);
        log.warn("user_differs", { id: message.id, type: message.type, subject: message.subject });
        return [];
      }
      const folded = foldGuard(guard, message);
      if (folded === guard) return [];
      guards.set(folded.taskId, folded);
      changedGuards.set(folded.taskId, folded);
      const rows = rowsOf(reminders, folded.taskId);
      const existing = [...rows.values()];
      const applied = applyChanges(folded, existing, decideReminders(folded, existing), now);
      for (const reminder of applied.reminders) {
        rows.set(reminder.id, reminder);
        changedReminders.set(reminder.id, reminder);
      }
      for (const written of applied.messages.filter(({ type }) => type === "ReminderScheduled"))
        origins.set(written.subject, { ...originOf(message), messageId: idCausedBy(message, written) });
      return applied.messages;
    });

    await saveGuards(tx, [...changedGuards.values()]);
    await saveReminders(tx, [...changedReminders.values()], origins);
    const changedTasks = new Set([...changedReminders.values()].map(({ taskId }) => taskId));
    const pruned = [...changedTasks].flatMap((taskId) => {
      const guard = guards.get(taskId);
      return guard === undefined ? [] : decidePruned(guard, [...rowsOf(reminders, taskId).values()], now);
    });
    await deleteReminders(tx, pruned);
    return answers;
  };
}

function originOf({ correlationId, traceparent }: ReceivedMessage): Omit<Origin, "messageId"> {
  return { correlationId, traceparent };
}

function rowsOf(reminders: Map<string, Map<string, Reminder>>, taskId: string): Map<string, Reminder> {
  const rows = reminders.get(taskId) ?? new Map<string, Reminder>();
  reminders.set(taskId, rows);
  return rows;
}

function isGuardMessage(message: ReceivedMessage): message is ReceivedMessage & GuardMessage {
  return isTaskEvent(message) || message.type === "SetTaskReminders";
}
