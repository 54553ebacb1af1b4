import { element } from "../../../shared/page/element.ts";
import { busy } from "./busy.ts";
import { button } from "./fields.ts";
import { canBeSentAgain, wayInWords, whatInWords } from "./notification-words.ts";
import type { NotificationJson } from "./shapes.ts";

/** One notification: what it tells, by which way, and its fate in words; with a button where it can be sent again. */
export function notificationRow(told: NotificationJson, fate: string, sendAgain: () => Promise<void>): HTMLLIElement {
  const what = whatInWords(told);
  const isNew = told.channel === "in-app" && told.status === "delivered" && told.read_at === null;
  const row = element(
    "li",
    { "data-notification": told.id },
    element(
      "div",
      { class: "what" },
      element("p", { class: "title" }, what, ...(isNew ? [element("span", { class: "tag" }, "new")] : [])),
      element("p", { class: "facts" }, ...[wayInWords(told), fate].map((fact) => element("span", {}, fact))),
    ),
  );
  if (!canBeSentAgain(told)) return row;
  const again = button("Send again", { class: "quiet", "aria-label": `Send again ${wayInWords(told)}: ${what}` });
  again.addEventListener("click", () => void busy([again], sendAgain));
  row.append(again);
  return row;
}
