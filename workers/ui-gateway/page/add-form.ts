import { byId, element } from "../../../shared/page/element.ts";
import type { TaskFields } from "./api.ts";
import { askFirstDue, dueFields, dueOf } from "./due-fields.ts";
import { dateInWords } from "./due-words.ts";
import { priorityField } from "./priority-field.ts";
import { remindFields } from "./remind-fields.ts";
import { repeatFields } from "./repeat-fields.ts";
import { previewDates } from "./repeat-preview.ts";
import { neverRepeats, repeatPattern } from "./repeat-rule.ts";
import { repeatInWords, zoneHere } from "./repeat-words.ts";

export type AddForm = Readonly<{
  read: () => TaskFields;
  clear: () => void;
  tellUsual: (rules: readonly string[]) => void;
}>;

/** Fills the form that adds a task with its fields, and says below them what a repetition comes to before it is saved. */
export function addForm(): AddForm {
  const form = byId<HTMLFormElement>("add");
  const title = form.querySelector<HTMLInputElement>("[name=title]");
  const [due, remind, repeat, priority] = [dueFields(), remindFields(), repeatFields(), priorityField()];
  byId("add-fields").append(due.root, remind.root, repeat.root, priority.root);
  byId("add-more").append(repeat.more);
  const line = byId("add-line");

  const pattern = () => repeatPattern(repeat.read(), { start: due.read(), tz: zoneHere() });
  const refresh = () => {
    const repeats = repeat.read().every !== "never";
    due.ask(repeats ? askFirstDue : null);
    repeat.follow(due.read());
    line.replaceChildren(...(repeats && due.read() !== "" ? lineOf() : []));
  };
  const lineOf = (): readonly Node[] => {
    const made = pattern();
    if (made === null) return [];
    const now = new Date();
    const dates = previewDates(made).map((local) => element("li", {}, dateInWords(dueOf(local), now)));
    const words = element("p", {}, `Repeats ${repeatInWords(made)}`);
    if (dates.length === 0 && made.anchor === "schedule") return [words, element("p", {}, "That never comes.")];
    return [words, ...(dates.length > 0 ? [element("ol", { "aria-label": "First dates" }, ...dates)] : [])];
  };
  due.onChange(refresh);
  repeat.onChange(refresh);
  refresh();
  return {
    read: () => ({
      title: title?.value.trim() ?? "",
      ...dueOf(due.read()),
      remind: remind.read(),
      priority: priority.read(),
      recurrence_pattern: pattern(),
    }),
    clear: () => {
      form.reset();
      due.show("");
      remind.show(null);
      priority.show(null);
      repeat.show(neverRepeats);
      refresh();
      title?.focus();
    },
    tellUsual: remind.tellUsual,
  };
}
