import { dueInWords } from "./due-words.ts";
import { button } from "./fields.ts";
import type { ReminderAlert } from "./store.ts";

const shown = new Map<string, Notification>();

/**
 * Tells a reminder outside the page, where a person has allowed it and is looking elsewhere. Told by several tabs, it
 * is shown once.
 */
export function tellOutside({ task, reminder }: ReminderAlert): void {
  if (!canTell() || Notification.permission !== "granted" || document.hasFocus()) return;
  try {
    const due = dueInWords(task, new Date());
    const notice = new Notification(`Reminder: ${task.title}`, {
      tag: reminder.id,
      ...(due ? { body: `Due ${due}` } : {}),
    });
    notice.addEventListener("click", () => {
      window.focus();
      notice.close();
    });
    shown.set(reminder.id, notice);
  } catch {
    // Chrome on Android allows them to service workers only, and says so by throwing.
  }
}

/** Takes those away that are over. */
export function keepOutside(isShown: (reminderId: string) => boolean): void {
  for (const [id, notice] of shown)
    if (!isShown(id)) {
      notice.close();
      shown.delete(id);
    }
}

/**
 * A button that asks the browser whether it may; hidden once it has answered. A browser asks only when somebody
 * clicked.
 */
export function offerOutside(): HTMLButtonElement {
  const made = button("Tell me outside this tab too");
  const refresh = () => {
    made.hidden = !canTell() || Notification.permission !== "default";
  };
  made.addEventListener("click", () => void Notification.requestPermission().then(refresh));
  refresh();
  return made;
}

function canTell(): boolean {
  return "Notification" in window && window.isSecureContext;
}
