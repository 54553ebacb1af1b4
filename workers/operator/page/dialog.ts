import { byId, element } from "../../../shared/page/element.ts";
import { call } from "./api.ts";
import type { RouteInput, Route } from "./shapes.ts";

/** What a dialog asks: its button does `act`; what that rejects with is shown and it can be tried again. */
type DialogOptions = Readonly<{
  title: string;
  content: readonly Node[];
  /** Without it the dialog only shows. */
  confirm?: string;
  /** Asks why, for the audit. */
  act?: (reason: string | null) => Promise<void>;
}>;

/** Shows a dialog over the page; resolves when it is closed. */
export function openDialog({ title, content, confirm, act }: DialogOptions): Promise<void> {
  const dialog = byId<HTMLDialogElement>("dialog");
  const error = element("p", { class: "error", role: "alert", hidden: true });
  const close = element("button", { type: "button" }, confirm === undefined ? "Close" : "Cancel");
  close.addEventListener("click", () => dialog.close());
  const form = element("form", { class: "end" });
  if (confirm === undefined || act === undefined) form.append(close);
  else {
    const reason = element("input", { name: "reason", maxlength: "500", autocomplete: "off" });
    const submit = element("button", { type: "submit" }, confirm);
    form.append(element("label", {}, "Why, for the audit", reason), close, submit);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit.disabled = true;
      error.hidden = true;
      void act(reason.value.trim() || null)
        .then(() => dialog.close())
        .catch((cause: unknown) => {
          error.textContent = cause instanceof Error ? cause.message : String(cause);
          error.hidden = false;
          submit.disabled = false;
        });
    });
  }
  dialog.replaceChildren(element("h2", { id: "dialog-title" }, title), ...content, error, form);
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(), { once: true }));
}

/** Asks whether an action is meant, and calls it with the reason that is given; `changed` is told when it is done. */
export function confirmCall<R extends Route>(
  [route, asked]: readonly [R, RouteInput<R>],
  {
    changed,
    ...ask
  }: Pick<DialogOptions, "title" | "content" | "confirm"> & Readonly<{ confirm: string; changed: () => void }>,
): Promise<void> {
  const act = async (reason: string | null) => {
    await call(route, { ...asked, reason });
    changed();
  };
  return openDialog({ ...ask, act });
}
