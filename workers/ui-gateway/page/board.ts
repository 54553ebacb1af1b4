import { byId } from "../../../shared/page/element.ts";
import * as api from "./api.ts";
import { askDeletion } from "./ask-scope.ts";
import { watchFocus } from "./keep-focus.ts";
import { openLive, type Live } from "./live.ts";
import { placeRows } from "./place-rows.ts";
import { seriesActions } from "./series-actions.ts";
import { seriesCard } from "./series-card.ts";
import { makeSeriesReader } from "./series-reader.ts";
import type { Preferences, Reminder, Task } from "./shapes.ts";
import {
  applyAnswer,
  applyReminder,
  applyView,
  fromSnapshot,
  isShown,
  visible,
  withoutTask,
  type Filter,
  type Fired,
  type State,
} from "./store.ts";
import { taskEditor } from "./task-editor.ts";
import { taskRow } from "./task-row.ts";
import { clearToasts, showToast } from "./toast.ts";
import { wantsTold } from "./wants-told.ts";

export type BoardDeps = Readonly<{
  /** Runs what a person asked for, and tells what went wrong. */
  attempt: (work: () => Promise<void>) => Promise<void>;
  /** The sentence for what went wrong; `null` where it is told elsewhere. */
  explain: (error: unknown) => string | null;
  onSignedOut: () => void;
  /** A reminder has fired. */
  onFired: () => void;
  /** `null` while they are not known. */
  preferences: () => Preferences | null;
}>;

export type Board = Readonly<{
  /** Reads everything and follows the stream from there. */
  follow: () => Promise<void>;
  close: () => void;
  draw: () => void;
  show: (filter: Filter) => void;
  /** Reads again what is not streamed; where that fails, it stays as it is. */
  lookAgain: () => void;
  /** A task this page has made. */
  add: (task: Task) => void;
}>;

const emptyText: Readonly<Record<Filter, string>> = {
  open: "Nothing to do. Add a task above.",
  completed: "Nothing completed yet.",
  repeating: "No repeating tasks yet. Choose “Repeat” when you add one.",
};

/** What a signed-in person sees: their tasks, drawn from what is known, and the reminders that fire. */
export function makeBoard({ attempt, explain, onSignedOut, onFired, preferences }: BoardDeps): Board {
  let state: State = new Map();
  let filter: Filter = "open";
  let live: Live | null = null;
  let editor: Readonly<{ id: string; row: HTMLLIElement }> | null = null;
  /** Reminders that fired while the person wants to hear of none; they pop up once that is over. */
  let waiting: readonly Fired[] = [];
  const list = byId("tasks");
  const keepFocus = watchFocus(list);
  // What is read in the background fails in silence: it is read again with the next change, or when the tab is opened.
  const series = makeSeriesReader(api, { onChange: () => draw(), onError: () => {} });
  const forget = (id: string) => set(withoutTask(state, id));
  const ofSeries = seriesActions({ attempt, series, forget });

  const draw = () => {
    const now = new Date();
    const items = visible(state, filter);
    const rows = items.map((item) => {
      if (editor?.id === item.task.id) return editor.row;
      if (filter !== "repeating") return taskRow(item, now, { toggle, edit, remove, remind });
      return seriesCard(item.task, series.find(item.task.id), { now, actions: { ...ofSeries, edit, remove } });
    });
    // Completed or deleted elsewhere, it has no row of its own any more; what was typed stays until it is saved or left.
    if (editor !== null && !rows.includes(editor.row)) rows.unshift(editor.row);
    keepFocus(() => placeRows(list, rows));
    byId("empty").hidden = rows.length > 0;
    byId("empty").textContent = emptyText[filter];
    clearToasts((id) => isShown(state, id));
    waiting = waiting.filter((fired) => isShown(state, fired.reminder.id));
    waiting.filter(isTold).forEach(toast);
    waiting = waiting.filter((fired) => !isTold(fired));
  };
  const isTold = ({ task }: Fired) => {
    const wanted = preferences();
    return wanted === null || wantsTold(wanted, task.priority, new Date());
  };
  const set = (next: State) => {
    state = next;
    draw();
  };

  const toggle = (task: Task) =>
    attempt(async () =>
      set(applyAnswer(state, await (task.status === "open" ? api.completeTask(task.id) : api.reopenTask(task.id)))),
    );

  const remove = (task: Task) =>
    attempt(async () => {
      const scope = await askDeletion(task);
      if (scope === null) return;
      await api.deleteTask(task.id, scope);
      forget(task.id);
    });

  const closeEditor = () => {
    // A button that is off while it works has no focus.
    const wasIn = document.activeElement === document.body || editor?.row.contains(document.activeElement);
    const key = `edit ${editor?.id}`;
    editor = null;
    draw();
    if (wasIn) list.querySelector<HTMLElement>(`[data-focus="${key}"]`)?.focus();
  };
  const edit = (task: Task) => {
    const row = taskEditor(task, {
      usual: preferences()?.default_reminders ?? ["PT0S"],
      template: state.get(task.template_id ?? "")?.task ?? null,
      save: async (base, patch, scope) => {
        const answer = await api.changeTask(base, patch, scope);
        // Split off, it is another task, of another series.
        if (answer.id !== task.id) state = withoutTask(state, task.id);
        state = applyAnswer(state, answer);
        if (task.is_recurring_template) series.refreshSoon(task.id);
      },
      stopAfter: async (base) => {
        state = applyAnswer(state, await api.stopAfter(base.id));
      },
      close: closeEditor,
      explain,
    });
    editor = { id: task.id, row };
    draw();
    row.querySelector<HTMLInputElement>("[name=title]")?.focus();
  };

  const remind = (task: Task, reminder: Reminder) => {
    toast({ task, reminder });
    byId("toasts").querySelector<HTMLElement>(`[data-reminder="${reminder.id}"] button`)?.focus();
  };
  const toast = (fired: Fired) => {
    const { id } = fired.reminder;
    showToast(fired, {
      dismiss: () => attempt(async () => set(applyReminder(state, await api.dismissReminder(id)))),
      snooze: (preset) => attempt(async () => set(applyReminder(state, await api.snoozeReminder(id, preset)))),
    });
  };

  const showLive = (now: "live" | "waiting") => {
    byId("state").textContent = now === "live" ? "Live" : "Connecting…";
    byId("state").classList.toggle("live", now === "live");
  };

  const follow = async (): Promise<void> => {
    live?.close();
    showLive("waiting");
    const snapshot = await api.readSnapshot();
    set(fromSnapshot(snapshot.tasks, snapshot.reminders));
    live = openLive(snapshot.cursor, {
      onChange: ({ payload }) => {
        const merged = applyView(state, payload);
        waiting = [...waiting, ...merged.fired];
        if (merged.fired.length > 0) onFired();
        set(merged.state);
        const changed = payload.is_recurring_template ? payload.id : payload.template_id;
        if (changed && filter === "repeating" && !state.get(changed)?.task.deleted_at) series.refreshSoon(changed);
      },
      onReset: () => void attempt(follow),
      onSignedOut,
      onState: showLive,
    });
    if (filter === "repeating") void attempt(series.refreshAll);
  };

  return {
    follow,
    close: () => {
      live?.close();
      live = null;
      state = new Map();
      editor = null;
      waiting = [];
      series.clear();
      byId("toasts").replaceChildren();
    },
    draw,
    show: (wanted) => {
      filter = wanted;
      editor = null;
      draw();
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
