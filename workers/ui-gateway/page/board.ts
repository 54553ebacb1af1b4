import { byId } from "../../../shared/page/element.ts";
import * as api from "./api.ts";
import { askDeletion, askStopAfter } from "./ask-scope.ts";
import { deletionInWords, doneInWords, reachOf } from "./deletion.ts";
import { makeDrawing } from "./draw-soon.ts";
import { makeEditors } from "./editors.ts";
import { watchFocus } from "./keep-focus.ts";
import { openLive, type Live } from "./live.ts";
import { notify } from "./notices.ts";
import { placeRows } from "./place-rows.ts";
import { reminderCards } from "./reminder-cards.ts";
import { isGone, isPassing, isSignedOut } from "./request.ts";
import { seriesActions } from "./series-actions.ts";
import { seriesCard, type SeriesCard } from "./series-card.ts";
import { makeSeriesReader } from "./series-reader.ts";
import type { PreferencesJson, ReminderJson, Task } from "./shapes.ts";
import {
  applyAnswer,
  applyReminder,
  applyView,
  fromSnapshot,
  isShown,
  visible,
  withoutTask,
  type TaskFilter,
  type ReminderAlert,
  type State,
} from "./store.ts";
import { keepOutside, tellOutside } from "./system-notices.ts";
import { taskRow, type TaskRowElement } from "./task-row.ts";
import type { UndoLater } from "./undo-later.ts";
import { waitForNetwork } from "./wait-for-network.ts";
import { wantsTold } from "./wants-told.ts";

type BoardDeps = Readonly<{
  /** Runs what a person asked for, and tells what went wrong. */
  attempt: (work: () => Promise<void>) => Promise<void>;
  /** The sentence for what went wrong; `null` where it is told elsewhere. */
  explain: (error: unknown) => string | null;
  undo: UndoLater;
  onSignedOut: () => void;
  /** A reminder has fired, or one that had is over. */
  onTold: () => void;
  /** So many reminders are shown. */
  onReminders: (count: number) => void;
  /** The stream is open again. */
  onLive: () => void;
  /** `null` while they are not known. */
  preferences: () => PreferencesJson | null;
}>;

type Board = Readonly<{
  /** Reads everything and follows the stream from there. */
  follow: () => Promise<void>;
  /** Stops following. What is being edited stays for the same person. */
  close: () => void;
  /** The server was not reached: what is shown may be old. */
  doubt: () => void;
  /** Forgets what is being edited: another person is here. */
  forget: () => void;
  hasUnsaved: () => boolean;
  draw: () => void;
  show: (filter: TaskFilter) => void;
  /** Reads again what is not streamed; where that fails, it stays as it is. */
  lookAgain: () => void;
  /** A task this page has made. */
  add: (task: Task) => void;
}>;

const retryMs = 3_000;

const emptyText: Readonly<Record<TaskFilter, string>> = {
  open: "Nothing to do. Add a task above.",
  completed: "Nothing completed yet.",
  repeating: "No repeating tasks yet. Choose “Repeat” when you add one.",
};

/** What a signed-in person sees: their tasks, drawn from what is known, and the reminders that fire. */
export function makeBoard(deps: BoardDeps): Board {
  const { attempt, explain, undo, preferences } = deps;
  let state: State = new Map();
  let filter: TaskFilter = "open";
  let live: Live | null = null;
  /** Tasks that are deleted and reminders that are dismissed on the page, and not yet on the server. */
  const leaving = new Set<string>();
  /** Reminders that fired while the person wants to hear of none; they pop up once that is over. */
  let waiting: readonly ReminderAlert[] = [];
  let rows = new Map<string, TaskRowElement | SeriesCard>();
  const list = byId("tasks");
  const keepFocus = watchFocus(list);
  // What is read in the background fails in silence: it is read again with the next change, or when the tab is opened.
  const series = makeSeriesReader(api, { onChange: () => drawing.soon(), onError: () => {} });
  const forget = (id: string) => set(withoutTask(state, id));
  const ofSeries = seriesActions({ attempt, explain, series, forget });

  const draw = () => {
    const now = new Date();
    const before = rows;
    rows = new Map();
    const drawn = visible(state, filter)
      .filter(({ task }) => !leaving.has(task.id))
      .map((item) => editors.rowOf(item.task.id) ?? rowOf(item, before, now));
    // Completed or deleted elsewhere, it has no row of its own any more; what was typed stays until it is saved or
    // left.
    const others = editors.rowsIn(filter).filter((row) => !drawn.includes(row));
    const shown = [...others, ...drawn];
    keepFocus(() => placeRows(list, shown));
    byId("empty").hidden = shown.length > 0;
    byId("empty").textContent = emptyText[filter];
    cards.keepOnly(isAsking);
    keepOutside(isAsking);
    waiting = waiting.filter((fired) => isAsking(fired.reminder.id));
    for (const fired of waiting.filter(isTold)) {
      cards.show(fired);
      tellOutside(fired);
    }
    waiting = waiting.filter((fired) => !isTold(fired));
  };
  const rowOf = (item: ReturnType<typeof visible>[number], before: typeof rows, now: Date): HTMLElement => {
    const { task } = item;
    const key = `${filter} ${task.id}`;
    const held = before.get(key);
    if (filter === "repeating") {
      const card = (held as SeriesCard | undefined) ?? seriesCard(task, { ...ofSeries, edit, remove });
      card.show(task, series.find(task.id), now);
      rows.set(key, card);
      return card.root;
    }
    const row = (held as TaskRowElement | undefined) ?? taskRow(item, { toggle, edit, remove, remind });
    row.show(item, now);
    rows.set(key, row);
    return row.root;
  };
  const drawing = makeDrawing([list, byId("below")], draw);
  const isAsking = (reminderId: string) => !leaving.has(reminderId) && isShown(state, reminderId, leaving);
  const isTold = ({ task }: ReminderAlert) => {
    const wanted = preferences();
    return wanted === null || wantsTold(wanted, task.priority, new Date());
  };
  const set = (next: State) => {
    state = next;
    drawing.soon();
  };

  const toggle = (task: Task) =>
    attempt(async () => {
      const isDone = task.status === "completed";
      set(applyAnswer(state, await (isDone ? api.reopenTask(task.id) : api.completeTask(task.id))));
      deps.onTold();
      const undone: Task = { ...task, status: "completed" };
      if (isDone) return;
      notify({
        text: doneInWords(task),
        kind: "info",
        key: "done",
        seconds: 6,
        actions: [["Undo", () => void toggle(undone)]],
      });
    });

  /** Hides what leaves at once, and sends it when it is not undone. Where that fails it is shown again. */
  const leave = (
    ids: readonly string[],
    { text, send, onBack }: Readonly<{ text: string; send: () => Promise<void>; onBack: () => void }>,
  ) => {
    const putBack = () => {
      for (const id of ids) leaving.delete(id);
      drawing.now();
    };
    for (const id of ids) leaving.add(id);
    drawing.soon();
    undo.later({
      text,
      undo: () => {
        putBack();
        onBack();
      },
      commit: () =>
        attempt(async () => {
          try {
            await send();
            deps.onTold();
          } finally {
            putBack();
          }
        }),
    });
  };

  const remove = (task: Task) =>
    attempt(async () => {
      const scope = await askDeletion(task);
      if (scope === null) return;
      const ids = reachOf(state, task, scope);
      leave(ids, {
        text: deletionInWords(task, scope),
        onBack: () => focusOn(`delete ${task.id}`),
        send: async () => {
          await api.deleteTask(task.id, scope).catch(ignoreGone);
          for (const id of ids) state = withoutTask(state, id);
          if (task.template_id !== null && filter === "repeating") series.refreshSoon(task.template_id);
        },
      });
    });

  const focusOn = (key: string) => list.querySelector<HTMLElement>(`[data-focus="${key}"]`)?.focus();
  const editors = makeEditors({
    explain,
    usual: () => preferences()?.default_reminders ?? ["PT0S"],
    templateOf: (task) => state.get(task.template_id ?? "")?.task ?? null,
    save: async (base, patch, scope) => {
      const answer = await api.changeTask(base, patch, scope);
      // Split off, it is another task, of another series.
      if (answer.id !== base.id) state = withoutTask(state, base.id);
      set(applyAnswer(state, answer));
      if (base.is_recurring_template) series.refreshSoon(base.id);
      return answer;
    },
    stopAfter: async (base) => {
      if (!(await askStopAfter(base))) return null;
      const answer = await api.stopAfter(base.id);
      set(applyAnswer(state, answer));
      return answer;
    },
    onChange: () => drawing.now(),
    onClosed: (id) => focusOn(`edit ${id}`),
  });
  const edit = (task: Task) => editors.open(task, filter);

  const remind = (task: Task, reminder: ReminderJson) => {
    cards.show({ task, reminder });
    cards.focus(reminder.id);
  };
  const cards = reminderCards(
    {
      done: ({ task }) => toggle(state.get(task.id)?.task ?? task),
      snooze: ({ reminder }, preset) =>
        attempt(async () => {
          set(applyReminder(state, await api.snoozeReminder(reminder.id, preset)));
          deps.onTold();
        }),
      dismiss: async (fired) => {
        const ids = fired.map(({ reminder }) => reminder.id);
        leave(ids, {
          text: ids.length === 1 ? "The reminder was dismissed." : `${ids.length} reminders were dismissed.`,
          onBack: () => {
            for (const one of fired) if (isAsking(one.reminder.id)) cards.show(one);
          },
          send: async () => {
            const answers = await Promise.allSettled(ids.map((id) => api.dismissReminder(id)));
            for (const answer of answers) if (answer.status === "fulfilled") state = applyReminder(state, answer.value);
            const failed = answers.find((answer) => answer.status === "rejected");
            if (failed) throw failed.reason;
          },
        });
      },
    },
    deps.onReminders,
  );

  const showLive = (now: "live" | "waiting") => {
    byId("state").textContent = now === "live" ? "Live" : "Connecting…";
    byId("state").classList.toggle("live", now === "live");
    if (now === "live") deps.onLive();
  };

  /** What is read is used only where nothing else began to follow meanwhile. */
  let turn = 0;
  const readSnapshot = async (own: number): Promise<api.Snapshot | null> => {
    for (;;)
      try {
        const snapshot = await api.readSnapshot();
        return own === turn ? snapshot : null;
      } catch (error) {
        if (own !== turn) return null;
        if (!isPassing(error)) throw error;
        await waitForNetwork(retryMs);
      }
  };
  const follow = async (): Promise<void> => {
    live?.close();
    showLive("waiting");
    const snapshot = await readSnapshot(++turn);
    if (snapshot === null) return;
    set(fromSnapshot(snapshot.tasks, snapshot.reminders));
    live = openLive(snapshot.cursor, {
      onChange: ({ payload }) => {
        const merged = applyView(state, payload);
        waiting = [...waiting, ...merged.fired];
        if (merged.fired.length > 0 || hasTriggered(state, payload.id)) deps.onTold();
        set(merged.state);
        const changed = payload.is_recurring_template ? payload.id : payload.template_id;
        if (changed && filter === "repeating" && !state.get(changed)?.task.deleted_at) series.refreshSoon(changed);
      },
      onReset: () => void attempt(follow),
      onSignedOut: deps.onSignedOut,
      onRefused: () =>
        void api.whoAmI().catch((error: unknown) => {
          if (isSignedOut(error)) deps.onSignedOut();
        }),
      onState: showLive,
    });
    if (filter === "repeating") void attempt(series.refreshAll);
  };

  return {
    follow,
    close: () => {
      turn++;
      live?.close();
      live = null;
      state = new Map();
      waiting = [];
      leaving.clear();
      series.clear();
      list.replaceChildren();
      cards.keepOnly(() => false);
      keepOutside(() => false);
    },
    doubt: () => live?.doubt(),
    forget: () => editors.clear(),
    hasUnsaved: () => editors.hasUnsaved(),
    draw: drawing.soon,
    show: (wanted) => {
      filter = wanted;
      drawing.now();
      if (filter === "repeating") void attempt(series.refreshAll);
    },
    lookAgain: () => {
      if (filter === "repeating" && live !== null) void series.refreshAll().catch(() => {});
    },
    add: (task) => {
      set(applyAnswer(state, task));
      if (filter === "repeating" && task.is_recurring_template) series.refreshSoon(task.id);
    },
  };
}

function hasTriggered(state: State, taskId: string): boolean {
  return [...(state.get(taskId)?.reminders.values() ?? [])].some(({ status }) => status === "triggered");
}

function ignoreGone(error: unknown): null {
  if (!isGone(error)) throw error;
  return null;
}
