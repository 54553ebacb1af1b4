import { element } from "../../../shared/page/element.ts";
import { busy } from "./busy.ts";
import { button } from "./fields.ts";
import { keyedRows } from "./keyed-rows.ts";
import { withChanged, withNewest, withOlder, type NotificationPage } from "./notification-list.ts";
import { notificationRow } from "./notification-row.ts";
import { fateInWords, isToPerson } from "./notification-words.ts";
import type { NotificationJson, ListPage, PreferencesJson } from "./shapes.ts";

type NotificationsDeps = Readonly<{
  /** A page of them, newest first, from a cursor on. */
  read: (cursor: string | null) => Promise<ListPage<NotificationJson>>;
  /** Those in the app count as read from now on. */
  markRead: () => Promise<unknown>;
  resend: (id: string) => Promise<NotificationJson>;
  /** `null` while they are not known. */
  preferences: () => PreferencesJson | null;
  /** The sentence for what went wrong; `null` where it is told elsewhere. */
  explain: (error: unknown) => string | null;
}>;

export type NotificationsDialog = Readonly<{
  /** Reads the newest again, where it is open: something was told meanwhile. */
  refresh: () => void;
}>;

/** What is sent again is told within a moment, or has failed. */
const settledMs = 2_000;

/**
 * Shows what was told, where, and what became of it. Resolves when the first page is there; rejects when it cannot be
 * read.
 */
export async function openNotifications(deps: NotificationsDeps): Promise<NotificationsDialog> {
  const list = element("ul", { class: "told-list", "aria-label": "Notifications, newest first" });
  const none = element("p", { class: "empty", hidden: true }, "Nothing has been told yet.");
  const problem = element("p", { class: "error", role: "alert", hidden: true });
  const more = button("Show more", { hidden: true });
  const close = button("Close", { class: "quiet", autofocus: true });
  const dialog = element(
    "dialog",
    { class: "card notifications", "aria-labelledby": "notifications-title" },
    element("h2", { id: "notifications-title" }, "Notifications"),
    list,
    none,
    problem,
    element("div", { class: "actions" }, more, close),
  );
  let known: NotificationPage = { items: [], next_cursor: null };
  let focused: string | null = null;
  const showRows = keyedRows(list);

  const show = (now: NotificationPage) => {
    known = now;
    const drawn = known.items.filter(isToPerson).map((told) => {
      const fate = fateInWords(told, new Date(), deps.preferences());
      const make = () => notificationRow(told, fate, () => sendAgain(told));
      return { key: told.id, shows: JSON.stringify([told, fate]), make };
    });
    showRows(drawn);
    more.hidden = known.next_cursor === null;
    none.hidden = drawn.length > 0 || known.next_cursor !== null;
    if (focused !== null && !list.contains(document.activeElement))
      (list.querySelector<HTMLElement>(`[data-notification="${focused}"] button`) ?? close).focus();
  };
  let turn = Promise.resolve();
  /** One after the other: each answer is put to what those before it have left. */
  const attempt = (work: () => Promise<void>): Promise<void> => {
    turn = turn.then(work).then(
      () => void (problem.hidden = true),
      (error: unknown) => {
        problem.textContent = deps.explain(error);
        problem.hidden = problem.textContent === "";
      },
    );
    return turn;
  };
  const readNewest = async () => {
    show(withNewest(known, await deps.read(null)));
    // Once they were shown as new, they are not.
    await deps.markRead();
  };
  const refresh = () => void (dialog.open && attempt(readNewest));
  const sendAgain = ({ id }: NotificationJson) =>
    attempt(async () => {
      show(withChanged(known, await deps.resend(id)));
      setTimeout(refresh, settledMs);
    });

  // A control that is switched off while it works loses the focus without another getting it.
  dialog.addEventListener("focusin", ({ target }) => {
    const row = target instanceof Element ? target.closest<HTMLElement>("[data-notification]") : null;
    focused = row?.dataset["notification"] ?? null;
  });
  more.addEventListener(
    "click",
    () => void busy([more], () => attempt(async () => show(withOlder(known, await deps.read(known.next_cursor))))),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  await readNewest();
  document.body.append(dialog);
  dialog.showModal();
  return { refresh };
}
