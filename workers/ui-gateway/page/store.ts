import { dueOrder } from "./due-words.ts";
import type { ReminderJson, Task, TaskViewJson } from "./shapes.ts";

/** What the page knows of one task. `viewVersion` is -1 while it is known from a snapshot only. */
export type TaskItem = Readonly<{ task: Task; reminders: ReadonlyMap<string, ReminderJson>; viewVersion: number }>;
export type State = ReadonlyMap<string, TaskItem>;

export type ReminderAlert = Readonly<{ task: Task; reminder: ReminderJson }>;

/**
 * Merges one streamed view. Against another view, `view_version` decides; against a snapshot, which has none, the
 * task's own version does, and each reminder's: a snapshot read after the change was made must not be undone by the
 * change arriving late. Replaying an event changes nothing. `fired` lists the reminders that went from pending to
 * triggered and are to be shown.
 */
export function applyView(state: State, view: TaskViewJson): { state: State; fired: readonly ReminderAlert[] } {
  const known = state.get(view.id);
  if (known && known.viewVersion >= view.view_version) return { state, fired: [] };
  const task = known && known.viewVersion < 0 && known.task.version > view.version ? known.task : view;
  const reminders = newer(known?.reminders ?? new Map(), view.reminders);
  const fired = [...reminders.values()]
    .filter((reminder) => asksFor(task, reminder) && known?.reminders.get(reminder.id)?.status === "pending")
    .map((reminder) => ({ task, reminder }));
  return { state: new Map(state).set(view.id, { task, reminders, viewVersion: view.view_version }), fired };
}

/**
 * Whether a reminder is to be shown: it has fired, nobody dismissed it, and its task is still to be done and not among
 * `leaving`.
 */
export function isShown(state: State, reminderId: string, leaving: ReadonlySet<string> = new Set()): boolean {
  return [...state.values()].some(({ task, reminders }) => {
    const reminder = reminders.get(reminderId);
    return reminder !== undefined && asksFor(task, reminder) && !leaving.has(task.id);
  });
}

/** A fired reminder stays triggered, as history, when its task is completed or deleted. */
function asksFor(task: Task, reminder: ReminderJson): boolean {
  return reminder.status === "triggered" && task.status === "open" && !task.deleted_at;
}

/** Puts in the answer of a request: it is newer than what is known exactly when its version is. */
export function applyAnswer(state: State, task: Task): State {
  const known = state.get(task.id);
  if (known && known.task.version >= task.version) return state;
  return new Map(state).set(task.id, {
    task: { ...known?.task, ...task },
    reminders: known?.reminders ?? new Map(),
    viewVersion: known?.viewVersion ?? -1,
  });
}

/** Takes a task out that this page itself has deleted. */
export function withoutTask(state: State, id: string): State {
  return new Map([...state].filter(([known]) => known !== id));
}

/** A reminder changed by this page itself. */
export function applyReminder(state: State, reminder: ReminderJson): State {
  const known = state.get(reminder.task_id);
  if (!known) return state;
  return new Map(state).set(reminder.task_id, { ...known, reminders: newer(known.reminders, [reminder]) });
}

/** The state of a fresh page: what the lists answered, before any event. */
export function fromSnapshot(tasks: readonly Task[], reminders: readonly ReminderJson[]): State {
  return new Map(
    tasks.map((task) => [
      task.id,
      {
        task,
        reminders: newer(
          new Map(),
          reminders.filter((reminder) => reminder.task_id === task.id),
        ),
        viewVersion: -1,
      },
    ]),
  );
}

export type TaskFilter = "open" | "completed" | "repeating";

/** The tasks of a tab: dated ones first, soonest first, then the undated, newest first; completed ones newest first. */
export function visible(state: State, filter: TaskFilter): readonly TaskItem[] {
  return [...state.values()]
    .filter(({ task }) => !task.deleted_at)
    .filter(({ task }) =>
      filter === "repeating" ? task.is_recurring_template : !task.is_recurring_template && task.status === filter,
    )
    .map((item) => {
      const due = filter === "completed" ? 0 : (dueOrder(item.task) ?? Infinity);
      return { item, due, made: Date.parse(item.task.created_at) };
    })
    .sort((a, b) => (a.due === b.due ? b.made - a.made || (a.item.task.id < b.item.task.id ? -1 : 1) : a.due - b.due))
    .map(({ item }) => item);
}

function newer(
  known: ReadonlyMap<string, ReminderJson>,
  found: readonly ReminderJson[],
): ReadonlyMap<string, ReminderJson> {
  const merged = new Map(known);
  for (const reminder of found) {
    const held = merged.get(reminder.id);
    if (!held || held.version < reminder.version) merged.set(reminder.id, reminder);
  }
  return merged;
}
