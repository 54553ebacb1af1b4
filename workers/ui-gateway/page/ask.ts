import { element } from "../../../shared/page/element.ts";
import { button } from "./fields.ts";

type DialogQuestion<T extends string> = Readonly<{
  title: string;
  text?: string;
  answers: readonly (readonly [answer: T, words: string])[];
}>;

/** Asks a person to choose; `null` when they leave it (Cancel, Escape). The focus goes back to where it was. */
export function ask<T extends string>({ title, text = "", answers }: DialogQuestion<T>): Promise<T | null> {
  const dialog = element("dialog", { class: "card ask", "aria-label": title });
  const { promise, resolve } = Promise.withResolvers<T | null>();
  const choose = (answer: T | null) => () => {
    resolve(answer);
    dialog.close();
  };
  const buttons = answers.map(([answer, words]) => {
    const made = button(words);
    made.addEventListener("click", choose(answer));
    return made;
  });
  // What cannot be taken back is not what Enter does by itself.
  const cancel = button("Cancel", { class: "quiet", autofocus: true });
  cancel.addEventListener("click", choose(null));
  dialog.append(element("h2", {}, title), ...(text ? [element("p", {}, text)] : []), ...buttons, cancel);
  dialog.addEventListener("close", () => {
    resolve(null);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
