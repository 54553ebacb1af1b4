/**
 * A reminder as a task or a person's preferences ask for it, relative to the due time. `PT15M`: fifteen minutes before;
 * `P1D`: a day before, at the same time of day; `PT0S`: at the due time; `P1D@18:00`: on the day before, at 18:00 on
 * the wall clock. `text` is the canonical spelling and names the rule: one reminder per task and text.
 */
export type RelativeReminder = Readonly<{ text: string; days: number }> &
  Readonly<{ kind: "before"; ms: number } | { kind: "at"; time: string }>;

/** When a task is due: an instant, or a whole day `2026-01-31`. */
export type Due = Readonly<{ kind: "instant"; at: Date } | { kind: "day"; on: string }>;

/** Where the user's clocks are, and when a whole day counts as due, `09:00`. */
export type Clock = Readonly<{ tz: string; allDayAt: string }>;

export const relativeReminderLimits = { perTask: 10, days: 366 } as const;

const shape = /^P(?=.)(?:(\d{1,3})W)?(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?$/;
const minuteMs = 60_000;

/**
 * How a rule is spelt, as a pattern of JSON Schema: what adds up to more than the limit, it cannot say. Small letters
 * are taken too.
 */
export const relativeReminderPattern =
  "^[Pp](?:(?=\\d|[Tt]\\d)(?:\\d{1,2}[Ww])?(?:\\d{1,3}[Dd])?(?:[Tt](?=\\d)(?:\\d{1,4}[Hh])?(?:\\d{1,5}[Mm])?(?:\\d{1,6}[Ss])?)?|" +
  "(?=\\d)(?:\\d{1,2}[Ww])?(?:\\d{1,3}[Dd])?@(?:[01]\\d|2[0-3]):[0-5]\\d)$";

/**
 * Reads a rule; `null` for text that is none: years and months vary, and it lies at most 366 days before the due time.
 */
export function parseRelativeReminder(text: string): RelativeReminder | null {
  const [, span = "", time = null] = /^([^@]*)(?:@([01]\d:[0-5]\d|2[0-3]:[0-5]\d))?$/.exec(text.toUpperCase()) ?? [];
  const found = shape.exec(span);
  if (found === null) return null;
  const [weeks, days, hours, minutes, seconds] = found.slice(1).map((part = "0") => Number(part));
  const allDays = 7 * (weeks ?? 0) + (days ?? 0);
  const ms = (hours ?? 0) * 60 * minuteMs + (minutes ?? 0) * minuteMs + (seconds ?? 0) * 1000;
  if (allDays * 24 * 60 * minuteMs + ms > relativeReminderLimits.days * 24 * 60 * minuteMs) return null;
  if (time === null) return { kind: "before", days: allDays, ms, text: spell(allDays, ms) };
  return ms > 0 ? null : { kind: "at", days: allDays, time, text: `P${allDays}D@${time}` };
}

function spell(days: number, ms: number): string {
  const [hours, minutes, seconds] = [
    Math.floor(ms / (60 * minuteMs)),
    Math.floor(ms / minuteMs) % 60,
    Math.floor(ms / 1000) % 60,
  ];
  const time = [hours && `${hours}H`, minutes && `${minutes}M`, seconds && `${seconds}S`].filter(Boolean).join("");
  if (days === 0 && time === "") return "PT0S";
  return `P${days === 0 ? "" : `${days}D`}${time === "" ? "" : `T${time}`}`;
}
