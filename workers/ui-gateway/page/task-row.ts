import { element } from "../../../shared/page/element.ts";
import { busy } from "./busy.ts";
import { clockInWords, dueInWords, isOverdue, timeInWords } from "./due-words.ts";
import { button } from "./fields.ts";
import type { Reminder, Task } from "./shapes.ts";
import type { Item } from "./store.ts";

export type RowActions = Readonly<{
  toggle: (task: Task) => Promise<void>;
  edit: (task: Task) => void;
  remove: (task: Task) => Promise<void>;
  /** Shows a reminder that has fired, to be dismissed or snoozed. */
  remind: (task: Task, reminder: Reminder) => void;
}>;

/** One task of the list. Controls are off while their request runs. */
export function taskRow(item: Item, now: Date, actions: RowActions): HTMLLIElement {
  const { task } = item;
  const done = task.status === "completed";
  const titleId = `title-${task.id}`;
  const check = element("input", { type: "checkbox", "aria-labelledby": titleId, "data-focus": `check ${task.id}` });
  check.checked = done;
  const edit = button("Edit", { class: "quiet", "aria-label": `Edit ${task.title}`, "data-focus": `edit ${task.id}` });
  const remove = button("Delete", {
    class: "quiet",
    "aria-label": `Delete ${task.title}`,
    "data-focus": `delete ${task.id}`,
  });
  const controls = [check, edit, remove];
  check.addEventListener("change", () => void busy(controls, () => actions.toggle(task)));
  edit.addEventListener("click", () => actions.edit(task));
  remove.addEventListener("click", () => void busy(controls, () => actions.remove(task)));
  return element(
    "li",
    { class: `card task${done ? " completed" : ""}`, "data-task": task.id },
    check,
    element(
      "div",
      { class: "what" },
      element("p", { class: "title", id: titleId }, task.title),
      facts(item, now, actions),
    ),
    ...(done ? [] : [edit]),
    remove,
  );
}

function facts({ task, reminders }: Item, now: Date, { remind }: RowActions): HTMLElement {
  const parts: HTMLElement[] = [];
  const due = dueInWords(task, now);
  if (due) {
    const late = task.status === "open" && isOverdue(task, now);
    parts.push(element("span", { class: late ? "late" : "" }, `${late ? "Overdue: " : "Due "}${due}`));
  }
  if (task.priority === "High" && task.status === "open")
    parts.push(element("span", { class: "late" }, "High priority"));
  if (task.template_id) parts.push(element("span", {}, "Repeats"));
  const open = task.status === "open" ? [...reminders.values()] : [];
  for (const reminder of open.toSorted((a, b) => (a.remind_at < b.remind_at ? -1 : 1))) {
    const { status, remind_at, snoozed_from } = reminder;
    if (status === "pending" && snoozed_from)
      parts.push(element("span", { class: "snoozed" }, `Snoozed until ${clockInWords(remind_at, now)}`));
    else if (status === "pending") parts.push(element("span", {}, `Reminder ${timeInWords(remind_at, now)}`));
    if (status !== "triggered") continue;
    const told = button("Reminded", {
      class: "link",
      "aria-label": `Reminded of ${task.title}: dismiss or snooze`,
      "data-focus": `reminded ${reminder.id}`,
    });
    told.addEventListener("click", () => remind(task, reminder));
    parts.push(told);
  }
  return element("p", { class: "facts" }, ...parts);
}
