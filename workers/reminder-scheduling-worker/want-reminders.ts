import type { BatchHandler } from "../../shared/consume/handler.ts";
import type { Message, Received, ReceivedOf } from "../../shared/message.ts";
import type { ReminderRule } from "../../shared/records.ts";
import { decideWanted, nothingKnown } from "./decide-wanted.ts";
import { loadWanted, saveWanted } from "./store-wanted.ts";

type Event = ReceivedOf<"TaskCreated" | "TaskUpdated" | "TaskCompleted" | "TaskDeleted">;

/**
 * Asks the reminder service for what each task wants, when that has changed. Replay is safe because the row remembers, per field,
 * the version that set it and, per task, what was last asked for: an event folded before changes neither.
 */
export function makeWantReminders(rules: readonly ReminderRule[]): BatchHandler {
  return async (messages, { tx }) => {
    const tasks = new Map(messages.filter(isTaskEvent).map((event) => [event.subject, { userId: event.data.user_id }]));
    const loaded = await loadWanted(tx, tasks);
    const states = new Map(loaded);
    const answers = messages.map((message): readonly Message[] => {
      if (!isTaskEvent(message)) return [];
      const before = states.get(message.subject) ?? nothingKnown;
      const { state, command } = decideWanted(before, message, rules, message.time);
      states.set(message.subject, state);
      if (command === null) return [];
      return [
        {
          type: "SetTaskReminders",
          key: message.subject,
          subject: message.subject,
          sequence: state.commands,
          data: command,
        },
      ];
    });
    await saveWanted(tx, new Map([...states].filter(([id, state]) => loaded.get(id) !== state)));
    return answers;
  };
}

function isTaskEvent(message: Received): message is Event & Received {
  return message.topic === "task-events";
}
