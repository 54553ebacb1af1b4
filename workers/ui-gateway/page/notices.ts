import { byId, element } from "../../../shared/page/element.ts";
import { button } from "./fields.ts";

type NoticeOptions = Readonly<{
  text: string;
  /** An error is read out at once and stays; the rest waits for its turn. */
  kind: "error" | "info";
  /** Another notice of the same key is replaced. */
  key?: string;
  actions?: readonly (readonly [words: string, act: () => void])[];
  /** Closes by itself after so many seconds; not while the pointer or the focus is in it. */
  seconds?: number;
  /** It was closed by its button or by time, not by an action. */
  onEnd?: () => void;
  /** It has no button that closes it: one of the actions has to be chosen. */
  isKept?: boolean;
}>;

export type Notice = Readonly<{ close: () => void }>;

const open = new Map<string, Notice>();

/** Says something at the lower edge of the window, where it is seen and moves nothing. */
export function notify({
  text,
  kind,
  key = text,
  actions = [],
  seconds,
  onEnd,
  isKept = false,
}: NoticeOptions): Notice {
  open.get(key)?.close();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const close = () => {
    clearTimeout(timer);
    if (open.get(key) === notice) open.delete(key);
    const hadFocus = root.contains(document.activeElement);
    root.remove();
    if (hadFocus) byId("tasks").focus({ preventScroll: true });
  };
  const end = () => {
    close();
    onEnd?.();
  };
  const buttons = actions.map(([words, act]) => {
    const made = button(words);
    made.addEventListener("click", () => {
      close();
      act();
    });
    return made;
  });
  const dismiss = button("×", { class: "close", "aria-label": "Close this message" });
  dismiss.addEventListener("click", end);
  const root = element(
    "div",
    { class: `notice ${kind}`, role: kind === "error" ? "alert" : "status" },
    element("p", {}, text),
    ...buttons,
    ...(isKept ? [] : [dismiss]),
  );
  const start = () => {
    if (seconds !== undefined) timer = setTimeout(end, seconds * 1000);
  };
  for (const event of ["pointerenter", "focusin"]) root.addEventListener(event, () => clearTimeout(timer));
  for (const event of ["pointerleave", "focusout"])
    root.addEventListener(event, () => {
      clearTimeout(timer);
      if (!root.matches(":hover") && !root.contains(document.activeElement)) start();
    });
  const notice: Notice = { close };
  open.set(key, notice);
  byId("notices").append(root);
  start();
  return notice;
}

/** Closes all there are, as if nobody had seen them: they are meant for somebody who has left. */
export function clearNotices(): void {
  for (const notice of open.values()) notice.close();
}
