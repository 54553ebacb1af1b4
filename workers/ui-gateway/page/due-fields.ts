import { element } from "../../../shared/page/element.ts";
import type { DueValue } from "./due-words.ts";
import { tick } from "./fields.ts";

type DueFields = Readonly<{
  root: HTMLElement;
  /** The local time `2026-01-31T09:00`, the day, or "" for none. */
  read: () => string;
  show: (local: string) => void;
  /** Makes it required, with `reason` as the complaint; `null` ends that. For `askFirstDue` the label says so too. */
  ask: (reason: string | null) => void;
  disable: (isOff: boolean) => void;
  onChange: (react: () => void) => void;
}>;

/** For `ask`: a repeating task without a first due would begin now, and be overdue at once. */
export const askFirstDue = "Say when it is due for the first time: a repeating task counts from there.";

/** For `ask`: those after an occurrence recur from its due on. */
export const askLaterDue = "Say when it is due: those after it count from there.";

/** When a task is due: a time, or a whole day. Switching between the two keeps the day. */
export function dueFields(): DueFields {
  const time = element("input", { name: "due", type: "datetime-local", step: "any" });
  const day = element("input", { name: "due_on", type: "date", disabled: true });
  // A label stands for one control: each has its own.
  const fields = [time, day].map((input) => {
    const hint = element("span", { hidden: true }, " for the first time");
    const label = element("label", { hidden: input === day }, element("span", {}, "Due", hint), input);
    return { input, hint, label };
  });
  const allDay = tick("All day", { name: "all_day" });
  const root = element("div", { class: "due" }, ...fields.map(({ label }) => label), allDay.root);
  let reason: string | null = null;
  const shown = () => (allDay.box.checked ? day : time);
  const complain = () => {
    for (const { input, hint } of fields) {
      input.required = reason !== null && input === shown();
      input.setCustomValidity("");
      if (reason !== null && input.validity.valueMissing) input.setCustomValidity(reason);
      hint.hidden = reason !== askFirstDue;
    }
  };
  const swap = () => {
    for (const { input, label } of fields) input.disabled = label.hidden = input !== shown();
    complain();
  };
  allDay.box.addEventListener("change", () => {
    if (allDay.box.checked) day.value = time.value.slice(0, 10);
    else if (day.value) time.value = `${day.value}T${time.value.slice(11) || "09:00"}`;
    swap();
  });
  for (const input of [time, day]) for (const event of ["input", "change"]) input.addEventListener(event, complain);
  return {
    root,
    read: () => shown().value,
    show: (local) => {
      const isDay = local.length === 10;
      allDay.box.checked = isDay;
      day.value = isDay ? local : "";
      time.value = isDay ? "" : local;
      swap();
    },
    ask: (why) => {
      reason = why;
      complain();
    },
    disable: (isOff) => {
      allDay.box.disabled = isOff;
      shown().disabled = isOff;
    },
    onChange: (react) => {
      for (const event of ["input", "change"]) root.addEventListener(event, react);
    },
  };
}

/** The fields of a task for what was read. A local time is one of the browser's zone. */
export function dueOf(read: string): DueValue {
  if (read === "") return { due_date: null, due_on: null };
  return read.length === 10
    ? { due_date: null, due_on: read }
    : { due_date: new Date(read).toISOString(), due_on: null };
}

/** What `show` takes, of a task. */
export function localOf({ due_date, due_on }: DueValue): string {
  if (due_date === null) return due_on ?? "";
  const date = new Date(due_date);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString();
  return local.slice(0, date.getSeconds() === 0 ? 16 : 19);
}
