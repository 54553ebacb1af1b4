import { element } from "../../../shared/page/element.ts";
import { dueFields } from "./due-fields.ts";
import { button } from "./fields.ts";

/**
 * Asks for another due, beginning with `local`; `null` when a person leaves it as it is. `problem` is why it is asked
 * again.
 */
export function askDate(title: string, local: string, problem: string | null = null): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const due = dueFields();
  due.show(local);
  due.ask("Say when it is to be instead.");
  const cancel = button("Cancel", { class: "quiet" });
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", {}, title),
    due.root,
    ...(problem === null ? [] : [element("p", { class: "error", role: "alert" }, problem)]),
    element("div", { class: "actions" }, cancel, element("button", { type: "submit" }, "Move")),
  );
  const dialog = element("dialog", { class: "card ask", "aria-label": title }, form);
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", () => resolve(due.read()));
  dialog.addEventListener("close", () => {
    resolve(null);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
