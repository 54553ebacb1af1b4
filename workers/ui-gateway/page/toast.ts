import { byId, element } from "../../../shared/page/element.ts";
import type { SnoozePreset } from "./api.ts";
import { dueInWords } from "./due-words.ts";
import { button } from "./fields.ts";
import type { Fired } from "./store.ts";

export type ToastActions = Readonly<{ dismiss: () => Promise<void>; snooze: (preset: SnoozePreset) => Promise<void> }>;

const presets: readonly (readonly [preset: SnoozePreset, words: string])[] = [
  ["10m", "10 minutes"],
  ["1h", "1 hour"],
  ["tonight", "This evening"],
  ["tomorrow", "Tomorrow"],
];

/**
 * Shows a fired reminder until it is dismissed or snoozed here or elsewhere. One toast per reminder, however often it is told; it
 * comes back when that could not be done.
 */
export function showToast({ task, reminder }: Fired, { dismiss, snooze }: ToastActions): void {
  if (document.querySelector(`[data-reminder="${reminder.id}"]`)) return;
  const now = new Date();
  const due = dueInWords(task, now);
  const act = (made: HTMLButtonElement, work: () => Promise<void>) => {
    made.addEventListener("click", () => {
      for (const each of toast.querySelectorAll("button")) each.disabled = true;
      void work().finally(() => {
        for (const each of toast.querySelectorAll("button")) each.disabled = false;
      });
    });
    return made;
  };
  const offered = presets.filter(([preset]) => preset !== "tonight" || now.getHours() < 20);
  const toast = element(
    "div",
    { class: "toast", "data-reminder": reminder.id },
    element(
      "div",
      { class: "told" },
      element("p", {}, `Reminder: ${task.title}`),
      ...(due ? [element("p", { class: "small" }, `Due ${due}`)] : []),
    ),
    act(button("Dismiss", { "aria-label": `Dismiss reminder: ${task.title}` }), dismiss),
    element(
      "div",
      { class: "snooze", role: "group", "aria-label": `Snooze reminder: ${task.title}` },
      element("span", { class: "small", "aria-hidden": "true" }, "Snooze"),
      ...offered.map(([preset, words]) => act(button(words), () => snooze(preset))),
    ),
  );
  byId("toasts").append(toast);
}

/** Takes the toasts away that are not to be shown any more. */
export function clearToasts(isShown: (reminderId: string) => boolean): void {
  for (const toast of document.querySelectorAll<HTMLElement>("[data-reminder]"))
    if (!isShown(toast.dataset["reminder"] ?? "")) toast.remove();
}
