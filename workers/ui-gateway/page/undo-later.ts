import { notify, type Notice } from "./notices.ts";

type UndoableAction = Readonly<{
  /** What was done, as the person sees it already. */
  text: string;
  /** Sends it. Rejections are its own business. */
  commit: () => Promise<void>;
  /** Makes it as it was on the page; nothing was sent. */
  undo: () => void;
}>;

export type UndoLater = Readonly<{
  /** Does something that the server cannot take back, some seconds from now: until then a click or Ctrl+Z undoes it. */
  later: (undoable: UndoableAction) => void;
  /** Sends all that waits, now. */
  flush: () => Promise<void>;
}>;

const seconds = 6;

/** What waits is sent at once when the page is left or hidden: a phone may never run a hidden page again. */
export function makeUndoLater(): UndoLater {
  const waiting = new Map<UndoableAction, Notice>();
  const take = (undoable: UndoableAction): boolean => {
    waiting.get(undoable)?.close();
    return waiting.delete(undoable);
  };
  const commit = async (undoable: UndoableAction) => {
    if (take(undoable)) await undoable.commit();
  };
  const undo = (undoable: UndoableAction) => {
    if (take(undoable)) undoable.undo();
  };
  const flush = async () => {
    await Promise.all([...waiting.keys()].map(commit));
  };
  window.addEventListener("pagehide", () => void flush());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) void flush();
  });
  document.addEventListener("keydown", (event) => {
    const newest = [...waiting.keys()].at(-1);
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
    const isTyping =
      event.target instanceof Element && event.target.matches("input:not([type=checkbox]), select, textarea");
    if (newest === undefined || !isUndo || isTyping) return;
    event.preventDefault();
    undo(newest);
  });
  return {
    later: (undoable) => {
      const notice = notify({
        text: undoable.text,
        kind: "info",
        key: crypto.randomUUID(),
        seconds,
        actions: [["Undo", () => undo(undoable)]],
        onEnd: () => void commit(undoable),
      });
      waiting.set(undoable, notice);
    },
    flush,
  };
}
