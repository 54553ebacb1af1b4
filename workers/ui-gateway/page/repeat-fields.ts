import { element } from "../../../shared/page/element.ts";
import { choice, labelled, showPart, tick } from "./fields.ts";
import { mayBeTooShort, neverRepeats, weekdays, type RepeatFields } from "./repeat-rule.ts";

type RepeatForm = Readonly<{
  root: HTMLElement;
  /** What follows from the choice, to stand below it. */
  more: HTMLElement;
  read: () => RepeatFields;
  show: (fields: RepeatFields) => void;
  /** The first due: a day of the month and a weekday that are not chosen yet follow it. */
  follow: (start: string) => void;
  /** Takes “never” away: what repeats is stopped otherwise. */
  always: () => void;
  onChange: (react: () => void) => void;
}>;

const weekdayNames = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;
const units: Readonly<Record<string, string>> = { day: "days", week: "weeks", month: "months", year: "years" };

/** How a task repeats. The parts that do not go with what is chosen are hidden. */
export function repeatFields(): RepeatForm {
  const every = choice({ name: "repeat" }, [
    ["never", "never"],
    ["day", "every day"],
    ["weekday", "every weekday"],
    ["week", "every week"],
    ["month", "every month"],
    ["year", "every year"],
  ]);
  const interval = number("interval", 1, 1000);
  const unit = element("span", {}, "days");
  const intervalPart = element("label", {}, "Every", element("span", { class: "unit" }, interval, unit));

  const on = weekdays.map((day, index) => {
    const name = weekdayNames[index] ?? day;
    const { root, box } = tick(name.slice(0, 3), { value: day, "aria-label": name });
    return { root, box, day };
  });
  const onPart = element(
    "fieldset",
    {},
    element("legend", {}, "On"),
    element("div", { class: "ticks days" }, ...on.map(({ root }) => root)),
  );

  const monthly = choice({ name: "monthly" }, [
    ["day", "day of the month"],
    ["last-day", "last day"],
    ["weekday", "weekday"],
    ["done", "day I did it"],
  ]);
  const monthDay = number("month_day", 1, 31);
  const dayPart = labelled("Day", monthDay);
  const ordinal = choice({ name: "ordinal", "aria-label": "Which one" }, [
    ["1", "first"],
    ["2", "second"],
    ["3", "third"],
    ["4", "fourth"],
    ["-1", "last"],
  ]);
  const weekday = choice(
    { name: "weekday", "aria-label": "Weekday" },
    weekdays.map((day, index) => [day, weekdayNames[index] ?? day]),
  );
  const weekdayPart = element("div", { class: "pair" }, ordinal, weekday);
  const monthPart = element("div", { class: "row" }, labelled("On the", monthly), dayPart, weekdayPart);

  const ends = choice({ name: "ends" }, [
    ["never", "never"],
    ["on", "on a day"],
    ["after", "after some times"],
  ]);
  const until = element("input", { name: "until", type: "date", required: true });
  const untilPart = labelled("Last day", until);
  const count = number("count", 1, 1000);
  const countPart = labelled("Times", count);
  const anchor = choice({ name: "anchor" }, [
    ["schedule", "the schedule"],
    ["completion", "completion"],
  ]);
  const clamp = tick("In shorter months, on the last day", { name: "clamp" });
  const endPart = element(
    "div",
    { class: "row" },
    labelled("Ends", ends),
    untilPart,
    countPart,
    labelled("Counted from", anchor),
    clamp.root,
  );
  const more = element("div", { class: "more", hidden: true }, intervalPart, onPart, monthPart, endPart);

  let start = "";
  let isMonthChosen = false;
  for (const control of [monthDay, ordinal, weekday]) control.addEventListener("input", () => (isMonthChosen = true));
  let isKindChosen = false;
  monthly.addEventListener("input", () => (isKindChosen = true));
  const onDone = monthly.querySelector<HTMLOptionElement>("[value=done]");
  /** Counted from completion, a month is one from the day on which it was done, where nothing else was chosen. */
  const offerDone = () => {
    const isCounted = anchor.value === "completion";
    if (onDone) onDone.hidden = onDone.disabled = !isCounted;
    if (isCounted && !isKindChosen) monthly.value = "done";
    if (!isCounted && monthly.value === "done") monthly.value = "day";
  };
  anchor.addEventListener("input", offerDone);

  const read = (): RepeatFields => ({
    // The options of each choice are those of its field.
    every: every.value as RepeatFields["every"],
    interval: positive(interval),
    on: on.filter(({ box }) => box.checked).map(({ day }) => day),
    monthly: monthly.value as RepeatFields["monthly"],
    monthDay: positive(monthDay),
    ordinal: ordinal.value as RepeatFields["ordinal"],
    weekday: weekday.value as RepeatFields["weekday"],
    ends: ends.value as RepeatFields["ends"],
    until: until.value,
    count: positive(count),
    anchor: anchor.value as RepeatFields["anchor"],
    clamp: clamp.box.checked,
  });
  const refresh = () => {
    const fields = read();
    const repeats = fields.every !== "never";
    showPart(more, repeats);
    showPart(intervalPart, repeats && fields.every !== "weekday");
    showPart(onPart, fields.every === "week");
    showPart(monthPart, fields.every === "month");
    showPart(dayPart, fields.every === "month" && fields.monthly === "day");
    showPart(weekdayPart, fields.every === "month" && fields.monthly === "weekday");
    showPart(untilPart, repeats && fields.ends === "on");
    showPart(countPart, repeats && fields.ends === "after");
    showPart(clamp.root, mayBeTooShort(fields, start));
    unit.textContent = units[fields.every] ?? "";
  };
  const show = (fields: RepeatFields) => {
    every.value = fields.every;
    interval.value = String(fields.interval);
    for (const { box, day } of on) box.checked = fields.on.includes(day);
    monthly.value = fields.monthly;
    monthDay.value = String(fields.monthDay);
    ordinal.value = fields.ordinal;
    weekday.value = fields.weekday;
    ends.value = fields.ends;
    until.value = fields.until;
    count.value = String(fields.count);
    anchor.value = fields.anchor;
    clamp.box.checked = fields.clamp;
    isMonthChosen = isKindChosen = fields.every === "month";
    offerDone();
    refresh();
  };
  const onChange = (react: () => void) => {
    for (const event of ["input", "change"]) for (const part of [every, more]) part.addEventListener(event, react);
  };
  show(neverRepeats);
  onChange(refresh);
  return {
    root: labelled("Repeat", every),
    more,
    read,
    show,
    follow: (first) => {
      start = first;
      if (!isMonthChosen && first !== "") {
        const [year = 0, month = 1, day = 1] = first.slice(0, 10).split("-").map(Number);
        monthDay.value = String(day);
        weekday.value = weekdays[(new Date(year, month - 1, day).getDay() + 6) % 7] ?? "MO";
        ordinal.value = day > 28 ? "-1" : String(Math.ceil(day / 7));
      }
      refresh();
    },
    always: () => every.querySelector("[value=never]")?.remove(),
    onChange,
  };
}

function number(name: string, min: number, max: number): HTMLInputElement {
  return element("input", {
    name,
    type: "number",
    min: String(min),
    max: String(max),
    required: true,
    class: "number",
  });
}

/** What the field complains about itself is 1 meanwhile. */
function positive({ value }: HTMLInputElement): number {
  return Math.max(1, Math.trunc(Number(value)) || 1);
}
