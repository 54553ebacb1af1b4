import { element } from "../../../shared/page/element.ts";
import { choice, labelled, showPart, tick } from "./fields.ts";
import { offeredReminders, remindersInWords, remindInWords } from "./remind-words.ts";

export type Ticks = Readonly<{
  root: HTMLElement;
  read: () => readonly string[];
  show: (rules: readonly string[]) => void;
}>;

/** Several reminders to choose from; those that are asked for and not offered are boxes too, so nothing is lost. */
export function reminderTicks(legend: string): Ticks {
  const list = element("div", { class: "ticks" });
  const root = element("fieldset", {}, element("legend", {}, legend), list);
  const show = (rules: readonly string[]) => {
    const all = [...offeredReminders, ...rules.filter((rule) => !offeredReminders.includes(rule))];
    list.replaceChildren(
      ...all.map((rule) => {
        const { root: label, box } = tick(capital(remindInWords(rule)), { value: rule });
        box.checked = rules.includes(rule);
        return label;
      }),
    );
  };
  show([]);
  return {
    root,
    read: () => [...list.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value),
    show,
  };
}

export type RemindFields = Readonly<{
  root: HTMLElement;
  /** `null` for the person's usual reminders. */
  read: () => readonly string[] | null;
  show: (remind: readonly string[] | null) => void;
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
  const refresh = () => showPart(several.root, select.value === "several");
  select.addEventListener("change", refresh);
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
    tellUsual: (rules) => {
      const option = select.options[0];
      if (option) option.textContent = `my usual: ${remindersInWords(rules)}`;
    },
  };
}

function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
