import type { ChangeScope, TaskFields } from "./api.ts";
import { notify } from "./notices.ts";
import type { Task } from "./shapes.ts";
import type { TaskFilter } from "./store.ts";
import { taskEditor, type TaskEditor } from "./task-editor.ts";

type EditorsDeps = Readonly<{
  usual: () => readonly string[];
  templateOf: (task: Task) => Task | null;
  save: (task: Task, patch: Partial<TaskFields>, scope: ChangeScope) => Promise<Task>;
  stopAfter: (task: Task) => Promise<Task | null>;
  explain: (error: unknown) => string | null;
  /** One was opened or closed. */
  onChange: () => void;
  /** One that had the focus was closed. */
  onClosed: (taskId: string) => void;
}>;

type Editors = Readonly<{
  open: (task: Task, tab: TaskFilter) => void;
  rowOf: (taskId: string) => HTMLLIElement | null;
  /** Those that were opened in a tab. */
  rowsIn: (tab: TaskFilter) => readonly HTMLLIElement[];
  hasUnsaved: () => boolean;
  /** Drops all of them, with what is typed there. */
  clear: () => void;
}>;

type OpenEditor = Readonly<{ editor: TaskEditor; tab: TaskFilter }>;

/**
 * The tasks that are being edited, several at a time: opening one or going to another tab closes none. One that is left
 * with changes can be brought back as it was.
 */
export function makeEditors(deps: EditorsDeps): Editors {
  const opened = new Map<string, OpenEditor>();
  const start = (id: string, one: OpenEditor) => {
    opened.set(id, one);
    deps.onChange();
    one.editor.root.querySelector<HTMLInputElement>("[name=title]")?.focus();
  };
  const close = (task: Task, hasUnsaved: boolean) => {
    const one = opened.get(task.id);
    if (one === undefined) return;
    // A button that is off while it works has no focus.
    const hadFocus = document.activeElement === document.body || one.editor.root.contains(document.activeElement);
    opened.delete(task.id);
    deps.onChange();
    if (hadFocus) deps.onClosed(task.id);
    if (hasUnsaved)
      notify({
        text: `Your changes to “${task.title}” were not saved.`,
        kind: "info",
        key: `unsaved ${task.id}`,
        seconds: 12,
        actions: [["Bring back", () => start(task.id, one)]],
      });
  };
  return {
    open: (task, tab) => {
      const editor = taskEditor(task, {
        ...deps,
        usual: deps.usual(),
        template: deps.templateOf(task),
        close: (hasUnsaved) => close(task, hasUnsaved),
      });
      start(task.id, { editor, tab });
    },
    rowOf: (id) => opened.get(id)?.editor.root ?? null,
    rowsIn: (tab) => [...opened.values()].filter((one) => one.tab === tab).map(({ editor }) => editor.root),
    hasUnsaved: () => [...opened.values()].some(({ editor }) => editor.hasUnsaved()),
    clear: () => opened.clear(),
  };
}
