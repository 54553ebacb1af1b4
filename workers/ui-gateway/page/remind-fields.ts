import { parseRelativeReminder } from "../../../shared/tasks/relative-reminder.ts";
import { element } from "../../../shared/page/element.ts";
import { button, choice, labelled, showPart, tick } from "./fields.ts";
import { offeredReminders, remindersInWords, remindInWords } from "./remind-words.ts";

type TickBoxes = Readonly<{
  root: HTMLElement;
  read: () => readonly string[];
  show: (rules: readonly string[]) => void;
}>;

/** Several reminders to choose from; those that are asked for and not offered are boxes too, so nothing is lost. */
export function reminderTicks(legend: string): TickBoxes {
  const list = element("div", { class: "ticks" });
  const put = (rule: string, isOn: boolean) => {
    const { root: label, box } = tick(capital(remindInWords(rule)), { value: rule });
    box.checked = isOn;
    list.append(label);
  };
  const another = anotherReminder((rule) => {
    const known = [...list.querySelectorAll("input")].find(({ value }) => value === rule);
    if (known) known.checked = true;
    else put(rule, true);
  });
  const show = (rules: readonly string[]) => {
    list.replaceChildren();
    const others = rules.filter((rule) => !offeredReminders.includes(rule));
    for (const rule of [...offeredReminders, ...others]) put(rule, rules.includes(rule));
  };
  show([]);
  return {
    root: element("fieldset", {}, element("legend", {}, legend), list, another.root),
    read: () => {
      const ticked = [...list.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value);
      return [...new Set([...ticked, another.read() ?? []].flat())];
    },
    show,
  };
}

/**
 * Asks for a span before the due time that is not offered. `read`: what stands there and was not added; `null` for no
 * reminder.
 */
function anotherReminder(add: (rule: string) => void): Readonly<{ root: HTMLElement; read: () => string | null }> {
  const number = element("input", { type: "number", min: "1", max: "999", class: "number", "aria-label": "How many" });
  const unit = choice({ "aria-label": "Unit" }, [
    ["M", "minutes"],
    ["H", "hours"],
    ["D", "days"],
    ["W", "weeks"],
  ]);
  const read = () => {
    const time = unit.value === "M" || unit.value === "H" ? "T" : "";
    return parseRelativeReminder(`P${time}${number.value}${unit.value}`)?.text ?? null;
  };
  const addIt = () => {
    const rule = read();
    if (rule !== null) add(rule);
    number.value = "";
    number.focus();
  };
  const made = button("Add", { "aria-label": "Add this reminder" });
  made.addEventListener("click", addIt);
  // Enter would send the whole form.
  number.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    addIt();
  });
  return { root: element("div", { class: "pair another" }, number, unit, "before", made), read };
}

type RemindFields = Readonly<{
  root: HTMLElement;
  /** `null` for the person's usual reminders. */
  read: () => readonly string[] | null;
  show: (remind: readonly string[] | null) => void;
  /** Whether there is a due date: a reminder before none would never come, and is complained about. */
  know: (hasDue: boolean) => void;
  /** Says what the usual ones are. */
  tellUsual: (rules: readonly string[]) => void;
}>;

/** The reminders of a task: the usual ones, none, one, or several. */
export function remindFields(): RemindFields {
  const select = choice({ name: "remind" }, [
    ["usual", "my usual"],
    ["none", "none"],
    ...offeredReminders.map((rule) => [rule, remindInWords(rule)] as const),
    ["several", "several…"],
  ]);
  const several = reminderTicks("Remind me");
  const root = element("div", { class: "part" }, labelled("Reminder", select), several.root);
  let hasDue = true;
  let before = select.value;
  const complain = () => {
    const isOwn = select.value !== "usual" && select.value !== "none";
    select.setCustomValidity(isOwn && !hasDue ? "Say when it is due: the reminder counts from there." : "");
  };
  const refresh = () => {
    showPart(several.root, select.value === "several");
    before = select.value;
    complain();
  };
  select.addEventListener("change", () => {
    // The one that was chosen is among the several.
    if (select.value === "several" && offeredReminders.includes(before)) several.show([before]);
    refresh();
  });
  const show = (remind: readonly string[] | null) => {
    const [first, ...more] = remind ?? [];
    const isOffered = first !== undefined && more.length === 0 && offeredReminders.includes(first);
    select.value = remind === null ? "usual" : first === undefined ? "none" : isOffered ? first : "several";
    several.show(remind ?? []);
    refresh();
  };
  show(null);
  return {
    root,
    read: () => {
      if (select.value === "usual") return null;
      if (select.value === "none") return [];
      return select.value === "several" ? several.read() : [select.value];
    },
    show,
    know: (is) => {
      hasDue = is;
      complain();
    },
    tellUsual: (rules) => {
      const option = select.options[0];
      if (option) option.textContent = `my usual: ${remindersInWords(rules)}`;
    },
  };
}

function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
