import { byId, element } from "../../../shared/page/element.ts";
import type { TaskFields } from "./api.ts";
import { askFirstDue, dueFields, dueOf } from "./due-fields.ts";
import { dateInWords } from "./due-words.ts";
import { plainControls, readControls, showControls, type ControlValues } from "./plain-controls.ts";
import { repeatFields } from "./repeat-fields.ts";
import { previewDates } from "./repeat-preview.ts";
import { neverRepeats, repeatPattern, type RepeatFields } from "./repeat-rule.ts";
import { repeatInWords, zoneHere } from "./repeat-words.ts";
import { checkTitle } from "./title-field.ts";

/** What stands in the form, to be put back as it was typed. */
export type AddDraft = Readonly<{ title: string; due: string; repeat: RepeatFields }> & ControlValues;

export type AddForm = Readonly<{
  read: () => TaskFields;
  draft: () => AddDraft;
  show: (draft: AddDraft) => void;
  /** Empties it and puts the focus into the title. */
  clear: () => void;
  isUntouched: () => boolean;
  tellUsual: (rules: readonly string[]) => void;
}>;

/**
 * Fills the form that adds a task with its fields, and says below them what a repetition comes to before it is saved.
 */
export function addForm(): AddForm {
  const form = byId<HTMLFormElement>("add");
  const title = form.querySelector<HTMLInputElement>("[name=title]");
  const [due, controls, repeat] = [dueFields(), plainControls(), repeatFields()];
  const { remind, ...others } = controls;
  const empty: AddDraft = { title: "", due: "", ...readControls(controls), repeat: neverRepeats };
  byId("add-fields").append(due.root, remind.root, repeat.root, ...Object.values(others).map(({ root }) => root));
  byId("add-more").append(repeat.more);
  const line = byId("add-line");
  title?.addEventListener("input", () => checkTitle(title));

  const pattern = () => repeatPattern(repeat.read(), { start: due.read(), tz: zoneHere() });
  const refresh = () => {
    const repeats = repeat.read().every !== "never";
    due.ask(repeats ? askFirstDue : null);
    remind.know(due.read() !== "");
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
  const draftNow = (): AddDraft => ({
    title: title?.value ?? "",
    due: due.read(),
    ...readControls(controls),
    repeat: repeat.read(),
  });
  const show = (draft: AddDraft) => {
    // One that was kept by an earlier build may lack a field.
    const shown = { ...empty, ...draft, repeat: { ...empty.repeat, ...draft.repeat } };
    if (title) {
      title.value = shown.title;
      checkTitle(title);
    }
    due.show(shown.due);
    showControls(controls, shown);
    repeat.show(shown.repeat);
    refresh();
  };
  due.onChange(refresh);
  repeat.onChange(refresh);
  refresh();
  return {
    draft: draftNow,
    show,
    read: () => ({
      title: title?.value.trim() ?? "",
      ...dueOf(due.read()),
      ...readControls(controls),
      recurrence_pattern: pattern(),
    }),
    clear: () => {
      show(empty);
      title?.focus({ preventScroll: true });
    },
    // A day of the month follows the due date by itself, so what was chosen is compared where it counts.
    isUntouched: () => {
      const { repeat: chosen, ...rest } = draftNow();
      const { repeat: none, ...others } = empty;
      return chosen.every === none.every && JSON.stringify(rest) === JSON.stringify(others);
    },
    tellUsual: remind.tellUsual,
  };
}
