import { isDay } from "../../../shared/tasks/is-day.ts";
import { dayAfter, monthsAfter, monthStart, weekdayOf } from "../calendar-days.ts";
import {
  count,
  countNamed,
  dayNumber,
  dayOrdinal,
  longUnit,
  month,
  monthNumber,
  ordinal,
  ordinalNumber,
  unitNamed,
  weekday,
  weekdayNumber,
  type PhraseGroups,
} from "./phrase-words.ts";

/** A way to say a day: what it looks like, and which day it is; `null` where the calendar has none. */
type DayPhrase = Readonly<{ source: string; day: (groups: PhraseGroups, today: string) => string | null }>;

/**
 * Ways to say a day. A weekday is the next one, today's included; `next friday` is that of the next week, which begins
 * on Monday. A day of a month without a year is the next such day.
 */
export const dayPhrases: readonly DayPhrase[] = [
  { source: "(?:today|tod)", day: (_, today) => today },
  { source: "yesterday", day: (_, today) => dayAfter(today, -1) },
  { source: "(?:the )?day after tomorrow|overmorrow", day: (_, today) => dayAfter(today, 2) },
  { source: "tomorrow|tmrw?|tomorow", day: (_, today) => dayAfter(today, 1) },
  {
    // Not the first of a span of days: "Monday-Friday".
    source: `(?:(?<which>this|next|coming) )?(?<weekday>${weekday})(?! ?(?:-|–|to|through) ?${weekday})`,
    day: ({ which, weekday: name = "" }, today) => {
      const ahead = (weekdayNumber(name) - weekdayOf(today) + 7) % 7;
      return which === "next" ? dayAfter(today, 7 - weekdayOf(today) + weekdayNumber(name)) : dayAfter(today, ahead);
    },
  },
  {
    source: `(?:(?:a|one) week|(?<weeks>\\d{1,2}|two|three|four) weeks) (?:from|after) (?<from>today|tomorrow|${weekday})`,
    day: ({ weeks = "1", from = "" }, today) => {
      const ahead = from === "today" ? 0 : from === "tomorrow" ? 1 : (weekdayNumber(from) - weekdayOf(today) + 7) % 7;
      return dayAfter(today, ahead + 7 * countNamed(weeks));
    },
  },
  {
    source: `in (?<many>${count}) (?<unit>${longUnit})|(?<later>${count}) (?<laterUnit>${longUnit}) from now`,
    day: ({ many, later, unit: said, laterUnit }, today) => {
      const n = countNamed(many ?? later ?? "1");
      switch (unitNamed(said ?? laterUnit ?? "day")) {
        case "week":
          return dayAfter(today, 7 * n);
        case "month":
          return monthsAfter(today, n);
        case "year":
          return monthsAfter(today, 12 * n);
        default:
          return dayAfter(today, n);
      }
    },
  },
  {
    source: `(?:the )?(?<nth>${ordinal}) (?<weekday>${weekday}) (?:of|in) (?:the )?(?:(?<which>this|next) month|(?<month>${month}))`,
    day: ({ nth = "", weekday: name = "", which, month: named }, today) => {
      const start = monthStart(today, which === "next" ? 1 : 0);
      if (named === undefined) return nthWeekday(start, nth, name);
      const first = `${today.slice(0, 4)}-${String(monthNumber(named)).padStart(2, "0")}-01`;
      const found = nthWeekday(first, nth, name);
      return found !== null && found < today ? nthWeekday(monthStart(first, 12), nth, name) : found;
    },
  },
  { source: "next week", day: (_, today) => dayAfter(today, 7 - weekdayOf(today)) },
  { source: "next month", day: (_, today) => monthStart(today, 1) },
  { source: "next year", day: (_, today) => `${Number(today.slice(0, 4)) + 1}-01-01` },
  { source: "(?:this )?weekend", day: (_, today) => dayAfter(today, Math.max(0, 5 - weekdayOf(today))) },
  { source: "next weekend", day: (_, today) => dayAfter(today, 12 - weekdayOf(today)) },
  {
    source: "(?:the )?end of (?:the |this )?week|eow",
    day: (_, today) => dayAfter(today, (11 - weekdayOf(today)) % 7),
  },
  { source: "(?:the )?end of (?:the |this )?month|eom", day: (_, today) => dayAfter(monthStart(today, 1), -1) },
  { source: "(?:the )?end of (?:the |this )?year|eoy", day: (_, today) => `${today.slice(0, 4)}-12-31` },
  { source: "(?<year>\\d{4})-(?<month>\\d\\d)-(?<day>\\d\\d)", day: (groups) => given(groups) },
  {
    source: `(?:the )?(?<day>${dayNumber})\\.? (?:of )?(?<month>${month})(?:,? (?<year>20\\d\\d|21\\d\\d))?`,
    day: (groups, today) => ahead(groups, today),
  },
  {
    source: `(?<month>${month}) (?:the )?(?<day>${dayNumber})(?:,? (?<year>20\\d\\d|21\\d\\d))?`,
    day: (groups, today) => ahead(groups, today),
  },
  {
    source: "(?<day>0?[1-9]|[12]\\d|3[01])\\.(?<month>0?[1-9]|1[0-2])\\.(?<year>20\\d\\d|21\\d\\d)?",
    day: (groups, today) => ahead(groups, today),
  },
  {
    // Where either could be the month, neither is taken: people write both.
    source: "(?<first>\\d{1,2})/(?<second>\\d{1,2})(?:/(?<year>20\\d\\d|21\\d\\d))?",
    day: ({ first = "", second = "", year }, today) => {
      const [a, b] = [Number(first), Number(second)];
      if (a === 24 && b === 7 && year === undefined) return null; // around the clock
      if (a > 12 && b <= 12) return ahead({ day: first, month: second, year }, today);
      if (b > 12 && a <= 12) return ahead({ day: second, month: first, year }, today);
      return a === b ? ahead({ day: first, month: second, year }, today) : null;
    },
  },
  {
    source: `the (?<nth>${dayOrdinal})(?: of (?<which>this|next) month)?`,
    day: ({ nth = "", which }, today) => {
      const number = Number.parseInt(nth, 10);
      if (which !== undefined) return nthOf(monthStart(today, which === "next" ? 1 : 0), number);
      for (let months = 0; months < 12; months++) {
        const found = nthOf(monthStart(today, months), number);
        if (found !== null && found >= today) return found;
      }
      return null;
    },
  },
];

function nthOf(first: string, number: number): string | null {
  const day = `${first.slice(0, 8)}${String(number).padStart(2, "0")}`;
  return isDay(day) ? day : null;
}

function nthWeekday(first: string, nth: string, name: string): string | null {
  const number = ordinalNumber(nth);
  const end = monthStart(first, 1);
  const from = number < 0 ? dayAfter(end, -7) : first;
  const day = dayAfter(from, ((weekdayNumber(name) - weekdayOf(from) + 7) % 7) + (number < 0 ? 0 : 7 * (number - 1)));
  return day < end ? day : null;
}

function given({ year = "", month: named = "", day = "" }: PhraseGroups): string | null {
  const whole = `${year}-${named}-${day}`;
  return isDay(whole) && whole >= "1970-01-01" && whole < "2200-01-01" ? whole : null;
}

/** A day of a month, of the year that is said, else the next one that has it. */
function ahead({ year, month: named = "", day = "" }: PhraseGroups, today: string): string | null {
  const number = /^\d/.test(named) ? Number(named) : monthNumber(named);
  const rest = `${String(number).padStart(2, "0")}-${String(Number.parseInt(day, 10)).padStart(2, "0")}`;
  const first = Number(year ?? today.slice(0, 4));
  // 29 February comes within eight years.
  for (let at = first; at <= (year === undefined ? first + 8 : first); at++) {
    const whole = `${at}-${rest}`;
    if (isDay(whole) && (year !== undefined || whole >= today)) return whole;
  }
  return null;
}
