import type { BatchHandler } from "../../shared/consume/handler.ts";
import type { Message } from "../../shared/messages/message.ts";
import { defaultPreferences } from "../../shared/preferences/preferences.ts";
import type { SetTaskReminders } from "../../shared/messages/records.ts";
import { isTaskEvent } from "../../shared/tasks/task-event.ts";
import { decideWanted, nothingKnown, type WantedState } from "./decide-wanted.ts";
import { loadStanding } from "./load-standing.ts";
import { loadWanted, saveWanted } from "./store-wanted.ts";

/**
 * Sends the reminder service the reminders that each task wants, when they have changed. Replay is safe because the row
 * stores, per field, the version that set it and, per task, the last command: an event folded before changes neither.
 * An event whose user is not the task's is merged nowhere, and counted by `countForeign`.
 */
export function makeWantReminders({ countForeign }: Readonly<{ countForeign: (type: string) => void }>): BatchHandler {
  return async (messages, { tx, log }) => {
    const events = messages.filter(isTaskEvent);
    // The first who names a task unknown so far; whose it is, the row says.
    const tasks = new Map(events.toReversed().map((event) => [event.subject, { userId: event.data.user_id }]));
    const { states: loaded, owners } = await loadWanted(tx, tasks);
    const standing = await loadStanding(tx, owners.values());
    const states = new Map(loaded);
    const answers = messages.map((message): readonly Message[] => {
      if (!isTaskEvent(message)) return [];
      const { subject, data } = message;
      if (owners.get(subject) !== data.user_id) {
        countForeign(message.type);
        log.warn("user_differs", { id: message.id, type: message.type, subject });
        return [];
      }
      const choices = standing.get(data.user_id)?.settings ?? defaultPreferences;
      const { state, command } = decideWanted(states.get(subject) ?? nothingKnown, message, choices);
      states.set(subject, state);
      return command === null ? [] : [askFor(command, state)];
    });
    await saveWanted(tx, new Map([...states].filter(([id, state]) => loaded.get(id) !== state)));
    return answers;
  };
}

/** The message of a command, with the count of the state it led to as its sequence. */
export function askFor(command: SetTaskReminders, { commands }: WantedState): Message {
  const { task_id } = command;
  return { type: "SetTaskReminders", key: task_id, subject: task_id, sequence: commands, data: command };
}
