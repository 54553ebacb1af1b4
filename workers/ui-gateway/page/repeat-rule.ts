export const weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export type Weekday = (typeof weekdays)[number];

/** What the form asks about a repetition. Those of another `every` are not looked at. */
export type RepeatFields = Readonly<{
  every: "never" | "day" | "weekday" | "week" | "month" | "year";
  interval: number;
  /** Of `week`; none is the weekday of the start. */
  on: readonly Weekday[];
  /**
   * Of `month`: a day, its last day, a weekday such as the last Friday; counted from completion, the day on which it
   * was done.
   */
  monthly: "day" | "last-day" | "weekday" | "done";
  monthDay: number;
  ordinal: "1" | "2" | "3" | "4" | "-1";
  weekday: Weekday;
  ends: "never" | "on" | "after";
  /** The last day, `2026-12-31`. */
  until: string;
  count: number;
  anchor: "schedule" | "completion";
  /** In months that are too short, the last day instead of none. */
  clamp: boolean;
}>;

/** Those of a form nobody has touched. */
export const neverRepeats: RepeatFields = {
  every: "never",
  interval: 1,
  on: [],
  monthly: "day",
  monthDay: 1,
  ordinal: "1",
  weekday: "MO",
  ends: "never",
  until: "",
  count: 10,
  anchor: "schedule",
  clamp: true,
};

/** A recurrence_pattern as the API takes it. */
export type RepeatPattern = Readonly<{
  rrule: string;
  tz: string;
  start: string;
  anchor: "schedule" | "completion";
  month_end: "clamp" | "skip";
}>;

/**
 * The pattern that the fields say; `null` for one that never repeats. `start` is the first due: a local time
 * `2026-01-31T09:00` or a day `2026-01-31`, in the zone `tz`.
 */
export function repeatPattern(
  fields: RepeatFields,
  { start, tz }: { start: string; tz: string },
): RepeatPattern | null {
  const rule = ruleParts(fields);
  if (rule === null) return null;
  const { anchor, ends } = fields;
  const end =
    ends === "on" && fields.until
      ? [`UNTIL=${fields.until.replaceAll("-", "")}`]
      : ends === "after"
        ? [`COUNT=${fields.count}`]
        : [];
  const month_end = fields.clamp && mayBeTooShort(fields, start) ? "clamp" : "skip";
  return { rrule: [...rule, ...end].join(";"), tz, start, anchor, month_end };
}

/** Whether the fields name a day that some month or year does not have: then there is something to choose. */
export function mayBeTooShort({ every, monthly, monthDay, anchor }: RepeatFields, start: string): boolean {
  if (every === "month") return monthly === "day" && monthDay > 28;
  // A year after completion ends on the last day of February by itself.
  return every === "year" && anchor === "schedule" && start.slice(5, 10) === "02-29";
}

function ruleParts(fields: RepeatFields): readonly string[] | null {
  const interval = fields.interval > 1 ? [`INTERVAL=${fields.interval}`] : [];
  switch (fields.every) {
    case "never":
      return null;
    case "day":
      return ["FREQ=DAILY", ...interval];
    case "weekday":
      return ["FREQ=WEEKLY", "BYDAY=MO,TU,WE,TH,FR"];
    case "week": {
      const days = weekdays.filter((day) => fields.on.includes(day));
      return ["FREQ=WEEKLY", ...interval, ...(days.length > 0 ? [`BYDAY=${days.join(",")}`] : [])];
    }
    case "month":
      return ["FREQ=MONTHLY", ...interval, ...monthPart(fields)];
    case "year":
      return ["FREQ=YEARLY", ...interval];
  }
}

function monthPart({ monthly, monthDay, ordinal, weekday }: RepeatFields): readonly string[] {
  switch (monthly) {
    case "day":
      return [`BYMONTHDAY=${monthDay}`];
    case "last-day":
      return ["BYMONTHDAY=-1"];
    case "weekday":
      return [`BYDAY=${ordinal}${weekday}`];
    case "done":
      return [];
  }
}
