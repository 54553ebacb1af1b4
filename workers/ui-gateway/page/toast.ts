import { byId, element } from "../../../shared/page/element.ts";
import type { Fired } from "./store.ts";

/** Shows a fired reminder until it is dismissed here or elsewhere. One toast per reminder, however often it is told. */
export function showToast({ task, reminder }: Fired, dismiss: () => Promise<void>): void {
  if (document.querySelector(`[data-reminder="${reminder.id}"]`)) return;
  const button = element("button", { type: "button", "aria-label": `Dismiss reminder: ${task.title}` }, "Dismiss");
  const toast = element(
    "div",
    { class: "toast", "data-reminder": reminder.id },
    element("p", {}, `Reminder: ${task.title}`),
    button,
  );
  button.addEventListener("click", () => {
    toast.remove();
    void dismiss();
  });
  byId("toasts").append(toast);
}

/** Takes the toasts away that are not to be shown any more. */
export function clearToasts(isShown: (reminderId: string) => boolean): void {
  for (const toast of document.querySelectorAll<HTMLElement>("[data-reminder]"))
    if (!isShown(toast.dataset["reminder"] ?? "")) toast.remove();
}
