import { byId } from "../../../shared/page/element.ts";
import { addForm, type AddDraft, type AddForm } from "./add-form.ts";
import { makeAddQueue } from "./add-queue.ts";
import * as api from "./api.ts";
import { openDrafts } from "./drafts.ts";
import { notify, type Notice } from "./notices.ts";
import type { Task } from "./shapes.ts";

type AddingDeps = Readonly<{
  onAdded: (task: Task) => void;
  onFailed: (text: string) => void;
  /** The sentence for what went wrong; `null` where it is told elsewhere. */
  explain: (error: unknown) => string | null;
  /** Something else is tried: what went wrong before need not be told any more. */
  onSubmit: () => void;
}>;

type TaskAdder = Readonly<{
  tellUsual: AddForm["tellUsual"];
  /** Whether there are tasks that are written and not yet on the server. */
  hasUnsent: () => boolean;
  /** Puts what the person before has written away: nobody else sees it, and it is there again for them. */
  handOver: (userId: string) => void;
}>;

/** What takes longer than this is told. */
const noticeableMs = 1_000;

/**
 * The form that adds tasks, and what becomes of them until the server has them. Nothing that was written gets lost on
 * the way.
 */
export function makeAdding({ onAdded, onFailed, explain, onSubmit }: AddingDeps): TaskAdder {
  const form = addForm();
  const drafts = openDrafts();
  let owner: string | null = null;
  const offered = new Set<Notice>();
  let slow: ReturnType<typeof setTimeout> | undefined;
  let sending: Notice | null = null;

  const offer = (text: string, again: () => void) => {
    const settle = () => void offered.delete(notice);
    const notice = notify({
      text,
      kind: "error",
      key: crypto.randomUUID(),
      isKept: true,
      actions: [
        ["Try again", () => (settle(), again())],
        ["Discard", settle],
      ],
    });
    offered.add(notice);
  };
  const queue = makeAddQueue<AddDraft>({
    send: async (fields, key) => onAdded(await api.createTask(fields, key)),
    onFailed: ({ draft, fields, error, again }) => {
      const why = explain(error);
      // What is being typed now is not written over.
      if (!form.isUntouched()) return offer(`“${fields.title}” was not added. ${why ?? "You are signed out."}`, again);
      form.show(draft);
      if (why !== null) onFailed(why);
    },
    onWaiting: (count) => {
      clearTimeout(slow);
      sending?.close();
      sending = null;
      const text = count === 1 ? "Adding a task…" : `Adding ${count} tasks…`;
      if (count > 0) slow = setTimeout(() => (sending = notify({ text, kind: "info", key: "adding" })), noticeableMs);
    },
  });

  // Read and emptied at once: what is typed from now on is the next task.
  byId("add").addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit();
    queue.add(form.draft(), form.read());
    form.clear();
  });
  const keep = () => {
    if (owner !== null) drafts.put(owner, form.isUntouched() ? null : form.draft());
  };
  window.addEventListener("pagehide", () => {
    queue.flush();
    keep();
  });
  return {
    tellUsual: form.tellUsual,
    hasUnsent: () => queue.waiting() > 0 || offered.size > 0,
    handOver: (userId) => {
      keep();
      owner = userId;
      for (const notice of offered) notice.close();
      offered.clear();
      const own = drafts.get(userId);
      if (own) form.show(own);
      else form.clear();
    },
  };
}
