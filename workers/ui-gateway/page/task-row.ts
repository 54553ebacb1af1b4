import { element } from "../../../shared/page/element.ts";
import { busy } from "./busy.ts";
import { clockInWords, dueInWords, isOverdue, timeInWords } from "./due-words.ts";
import { button } from "./fields.ts";
import type { ReminderJson, Task } from "./shapes.ts";
import type { TaskItem } from "./store.ts";

type RowActions = Readonly<{
  toggle: (task: Task) => Promise<void>;
  edit: (task: Task) => void;
  remove: (task: Task) => Promise<void>;
  /** Shows a reminder that has fired, to be dismissed or snoozed. */
  remind: (task: Task, reminder: ReminderJson) => void;
}>;

export type TaskRowElement = Readonly<{
  root: HTMLLIElement;
  /** Shows the task as it is now. Only what differs is touched: focus, selection and a click half done stay. */
  show: (item: TaskItem, now: Date) => void;
}>;

/** A word about a task; with `reminder` it is a button that shows the reminder. */
type Fact = Readonly<{ text: string; kind: "" | "late" | "snoozed"; reminder?: ReminderJson }>;

/** The row of one task, made once for as long as it is in the list. Controls are off while their request runs. */
export function taskRow(first: TaskItem, actions: RowActions): TaskRowElement {
  let item = first;
  let minute = -1;
  let shownFacts = "";
  let isBusy = false;
  const { id } = first.task;
  const titleId = `title-${id}`;
  const check = element("input", { type: "checkbox", "aria-labelledby": titleId, "data-focus": `check ${id}` });
  const edit = button("Edit", { class: "quiet", "data-focus": `edit ${id}` });
  const remove = button("Delete", { class: "quiet", "data-focus": `delete ${id}` });
  const title = element("p", { class: "title", id: titleId, dir: "auto" });
  const facts = element("p", { class: "facts" });
  const root = element(
    "li",
    { class: "card task", "data-task": id },
    check,
    element("div", { class: "what" }, title, facts),
    edit,
    remove,
  );

  const isDone = () => item.task.status === "completed";
  const run = async (work: (task: Task) => Promise<void>) => {
    isBusy = true;
    await busy([check, edit, remove], () => work(item.task));
    isBusy = false;
    check.checked = isDone();
  };
  check.addEventListener("change", () => void run(actions.toggle));
  edit.addEventListener("click", () => actions.edit(item.task));
  remove.addEventListener("click", () => void run(actions.remove));

  const showFacts = (now: Date) => {
    const found = factsOf(item, now);
    const key = JSON.stringify(found);
    if (key === shownFacts) return;
    shownFacts = key;
    facts.replaceChildren(
      ...found.map(({ text, kind, reminder }) => {
        if (!reminder) return element("span", { class: kind }, text);
        const told = button(text, {
          class: "link",
          "aria-label": `Reminded of ${item.task.title}: dismiss or snooze`,
          "data-focus": `reminded ${reminder.id}`,
        });
        told.addEventListener("click", () => actions.remind(item.task, reminder));
        return told;
      }),
    );
    facts.hidden = found.length === 0;
  };
  return {
    root,
    show: (shown, now) => {
      const at = Math.floor(now.getTime() / 60_000);
      if (shown === item && at === minute) return;
      [item, minute] = [shown, at];
      const { title: words } = item.task;
      if (title.textContent !== words) {
        title.textContent = words;
        edit.setAttribute("aria-label", `Edit ${words}`);
        remove.setAttribute("aria-label", `Delete ${words}`);
        shownFacts = "";
      }
      root.classList.toggle("completed", isDone());
      // While its request runs, it stays as it was clicked.
      if (!isBusy) check.checked = isDone();
      edit.hidden = isDone();
      showFacts(now);
    },
  };
}

function factsOf({ task, reminders }: TaskItem, now: Date): readonly Fact[] {
  const facts: Fact[] = [];
  const isOpen = task.status === "open";
  const due = dueInWords(task, now);
  const late = isOpen && isOverdue(task, now);
  if (due) facts.push({ text: `${late ? "Overdue: " : "Due "}${due}`, kind: late ? "late" : "" });
  if (task.priority === "High" && isOpen) facts.push({ text: "High priority", kind: "late" });
  if (task.template_id) facts.push({ text: "Repeats", kind: "" });
  const open = isOpen ? [...reminders.values()] : [];
  for (const reminder of open.toSorted((a, b) => (a.remind_at < b.remind_at ? -1 : 1))) {
    const { status, remind_at, snoozed_from } = reminder;
    if (status === "pending" && snoozed_from)
      facts.push({ text: `Snoozed until ${clockInWords(remind_at, now)}`, kind: "snoozed" });
    else if (status === "pending") facts.push({ text: `Reminder ${timeInWords(remind_at, now)}`, kind: "" });
    else if (status === "triggered") facts.push({ text: "Reminded", kind: "", reminder });
  }
  return facts;
}
