import { element } from "../../../shared/page/element.ts";
import { busy } from "./busy.ts";
import { button } from "./fields.ts";
import { canBeSentAgain, fateInWords, isToPerson, wayInWords, whatInWords } from "./notification-words.ts";
import type { Notification, Page } from "./shapes.ts";

export type NotificationsDeps = Readonly<{
  /** A page of them, newest first, from a cursor on. */
  read: (cursor: string | null) => Promise<Page<Notification>>;
  /** Those in the app count as read from now on. */
  markRead: () => Promise<unknown>;
  resend: (id: string) => Promise<Notification>;
  /** The sentence for what went wrong; `null` where it is told elsewhere. */
  explain: (error: unknown) => string | null;
}>;

export type NotificationsDialog = Readonly<{
  /** Reads the newest again, where it is open: something was told meanwhile. */
  refresh: () => void;
}>;

/** Shows what was told, where, and what became of it. Resolves when the first page is there; rejects when it cannot be read. */
export async function openNotifications(deps: NotificationsDeps): Promise<NotificationsDialog> {
  const list = element("ul", { class: "told-list", "aria-label": "Notifications, newest first" });
  const none = element("p", { class: "empty", hidden: true }, "Nothing has been told yet.");
  const problem = element("p", { class: "error", role: "alert", hidden: true });
  const more = button("Show more", { hidden: true });
  const close = button("Close", { class: "quiet", autofocus: true });
  let cursor: string | null = null;

  const attempt = async (work: () => Promise<void>) => {
    problem.hidden = true;
    try {
      await work();
    } catch (error) {
      problem.textContent = deps.explain(error);
      problem.hidden = problem.textContent === "";
    }
  };
  const row = (told: Notification): HTMLLIElement => {
    const what = whatInWords(told);
    const again = button("Send again", { class: "quiet", "aria-label": `Send again ${wayInWords(told)}: ${what}` });
    again.addEventListener(
      "click",
      () => void busy([again], () => attempt(async () => made.replaceWith(row(await deps.resend(told.id))))),
    );
    const isNew = told.channel === "in-app" && told.status === "delivered" && told.read_at === null;
    const made = element(
      "li",
      {},
      element(
        "div",
        { class: "what" },
        element("p", { class: "title" }, what, ...(isNew ? [element("span", { class: "tag" }, "new")] : [])),
        element(
          "p",
          { class: "facts" },
          ...[wayInWords(told), fateInWords(told, new Date())].map((fact) => element("span", {}, fact)),
        ),
      ),
      ...(canBeSentAgain(told) ? [again] : []),
    );
    return made;
  };
  const show = (page: Page<Notification>, isFirst: boolean) => {
    const rows = page.items.filter(isToPerson).map(row);
    if (isFirst) list.replaceChildren(...rows);
    else list.append(...rows);
    cursor = page.next_cursor;
    more.hidden = cursor === null;
    none.hidden = list.children.length > 0 || cursor !== null;
  };
  const readNewest = async () => {
    show(await deps.read(null), true);
    // Once they were shown as new, they are not.
    await deps.markRead();
  };

  more.addEventListener(
    "click",
    () => void busy([more], () => attempt(async () => show(await deps.read(cursor), false))),
  );
  await readNewest();
  const dialog = element(
    "dialog",
    { class: "card notifications", "aria-labelledby": "notifications-title" },
    element("h2", { id: "notifications-title" }, "Notifications"),
    list,
    none,
    problem,
    element("div", { class: "actions" }, more, close),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return { refresh: () => void (dialog.open && attempt(readNewest)) };
}
