import type { BatchHandler } from "../../shared/consume/handler.ts";
import type { Message, Received, ReceivedOf } from "../../shared/message.ts";
import { defaultPreferences } from "../../shared/preferences/preferences.ts";
import type { SetTaskReminders } from "../../shared/records.ts";
import { decideWanted, nothingKnown, type WantedState } from "./decide-wanted.ts";
import { loadStanding } from "./load-standing.ts";
import { loadWanted, saveWanted } from "./store-wanted.ts";

type Event = ReceivedOf<"TaskCreated" | "TaskUpdated" | "TaskCompleted" | "TaskDeleted">;

/**
 * Asks the reminder service for what each task wants, when that has changed. Replay is safe because the row remembers, per field,
 * the version that set it and, per task, what was last asked for: an event folded before changes neither.
 */
export const wantReminders: BatchHandler = async (messages, { tx }) => {
  const events = messages.filter(isTaskEvent);
  const tasks = new Map(events.map((event) => [event.subject, { userId: event.data.user_id }]));
  const loaded = await loadWanted(tx, tasks);
  const userOf = ({ subject, data }: Event) => loaded.get(subject)?.folded?.user_id ?? data.user_id;
  const standing = await loadStanding(tx, events.map(userOf));
  const states = new Map(loaded);
  const answers = messages.map((message): readonly Message[] => {
    if (!isTaskEvent(message)) return [];
    const before = states.get(message.subject) ?? nothingKnown;
    const choices = standing.get(userOf(message))?.settings ?? defaultPreferences;
    const { state, command } = decideWanted(before, message, choices);
    states.set(message.subject, state);
    return command === null ? [] : [askFor(command, state)];
  });
  await saveWanted(tx, new Map([...states].filter(([id, state]) => loaded.get(id) !== state)));
  return answers;
};

/** The message of a command, with the count of the state it led to as its sequence. */
export function askFor(command: SetTaskReminders, { commands }: WantedState): Message {
  const { task_id } = command;
  return { type: "SetTaskReminders", key: task_id, subject: task_id, sequence: commands, data: command };
}

function isTaskEvent(message: Received): message is Event & Received {
  return message.topic === "task-events";
}
