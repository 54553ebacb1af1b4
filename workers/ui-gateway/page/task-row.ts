import { element } from "../../../shared/page/element.ts";
import type { Item } from "./store.ts";
import { dueInWords, repeatInWords } from "./words.ts";

export type RowActions = Readonly<{
  toggle: (item: Item) => Promise<void>;
  remove: (item: Item) => Promise<void>;
}>;

/** One task of the list. Controls are off while their request runs. */
export function taskRow(item: Item, now: Date, actions: RowActions): HTMLLIElement {
  const { task } = item;
  const done = task.status === "completed";
  const titleId = `title-${task.id}`;
  const check = element("input", { type: "checkbox", "aria-labelledby": titleId });
  check.checked = done;
  const remove = element("button", { type: "button", class: "quiet", "aria-label": `Delete ${task.title}` }, "Delete");
  check.addEventListener("change", () => void busy([check, remove], () => actions.toggle(item)));
  remove.addEventListener("click", () => void busy([check, remove], () => actions.remove(item)));
  return element(
    "li",
    { class: `card task${done ? " completed" : ""}`, "data-task": task.id },
    ...(task.is_recurring_template ? [] : [check]),
    element("div", { class: "what" }, element("p", { class: "title", id: titleId }, task.title), facts(item, now)),
    remove,
  );
}

function facts({ task, reminders }: Item, now: Date): HTMLElement {
  const parts: HTMLElement[] = [];
  if (task.due_date && !task.is_recurring_template) {
    const late = task.status === "open" && Date.parse(task.due_date) < now.getTime();
    parts.push(
      element("span", { class: late ? "late" : "" }, `${late ? "Overdue: " : "Due "}${dueInWords(task.due_date, now)}`),
    );
  }
  if (task.is_recurring_template) parts.push(element("span", {}, `Repeats ${repeatInWords(task.recurrence_pattern)}`));
  else if (task.template_id) parts.push(element("span", {}, "Repeats"));
  for (const reminder of reminders.values()) {
    if (reminder.status === "pending")
      parts.push(element("span", {}, `Reminder ${dueInWords(reminder.remind_at, now)}`));
    if (reminder.status === "triggered" && task.status === "open") parts.push(element("span", {}, "Reminded"));
  }
  return element("p", { class: "facts" }, ...parts);
}

async function busy(
  controls: readonly (HTMLInputElement | HTMLButtonElement)[],
  work: () => Promise<void>,
): Promise<void> {
  for (const control of controls) control.disabled = true;
  try {
    await work();
  } finally {
    for (const control of controls) control.disabled = false;
  }
}
