import { calendarDay, dayNumber } from "./calendar-day.ts";
import { daysOf, expandRule, mayClamp, unitOf, weekStartOf } from "./expand-rule.ts";
import type { Rrule } from "./parse-rrule.ts";

const daySeconds = 86_400;
/**
 * So many moments of a rule tell whether it names several in a period: of Friday the 13th there are one to three a
 * year.
 */
const looked = 14;

/** The INTERVAL of a rule. */
export function intervalOf({ parts }: Rrule): number {
  return Number(parts.get("INTERVAL")?.[0] ?? 1);
}

/** Whether a rule says which days, beside how often: by weekday, day or week of the month or year, or month. */
export function namesDays({ parts }: Rrule): boolean {
  return [...parts.keys()].some((name) => name.startsWith("BY") && !["BYHOUR", "BYMINUTE", "BYSECOND"].includes(name));
}

/**
 * Whether one day, week, month or year of the rule has several times, such as Monday and Thursday: then it says when,
 * and how often only by that. Runs in browsers.
 */
export function namesSeveral(rule: Rrule, start: string, monthEnd: "clamp" | "skip"): boolean {
  const clamp = monthEnd === "clamp" && mayClamp(rule);
  const startMoment = Date.parse(start.length === 10 ? start : `${start}Z`) / 1000;
  const expansion = expandRule(everyPeriod(rule), startMoment, clamp);
  let before: number | null = null;
  let seen = 0;
  for (let period = expansion.nextFrom(0); period <= expansion.last; period = expansion.nextFrom(period + 1))
    for (const moment of expansion.momentsOf(period)) {
      const unit = unitOf(rule.freq, Math.floor(moment / daySeconds), weekStartOf(rule));
      if (unit === before) return true;
      before = unit;
      if (++seen === looked) return false;
    }
  return false;
}

/** The rule without its INTERVAL and COUNT: every time it names. */
export function everyPeriod(rule: Rrule): Rrule {
  return { ...rule, count: null, parts: new Map([...rule.parts].filter(([name]) => name !== "INTERVAL")) };
}

/**
 * The day that lies INTERVAL days, weeks, months or years after a day (both as days since 1970): 31 August and six
 * months is 28 or 29 February, whatever a pattern says of month ends, which is about days that a rule names.
 */
export function spanEnd(rule: Rrule, day: number): number {
  const interval = intervalOf(rule);
  switch (rule.freq) {
    case "DAILY":
      return day + interval;
    case "WEEKLY":
      return day + 7 * interval;
    case "MONTHLY":
      return monthsLater(day, interval);
    case "YEARLY":
      return monthsLater(day, 12 * interval);
  }
}

/** The first day of the week, month or year that lies INTERVAL of them after that of a day. */
export function periodAfter(rule: Rrule, day: number): number {
  const weekStart = weekStartOf(rule);
  const [first] = daysOf(rule.freq, unitOf(rule.freq, day, weekStart) + intervalOf(rule), weekStart);
  return first;
}

/** Whether two days lie in the same day, week, month or year of the rule. */
export function isOnePeriod(rule: Rrule, one: number, other: number): boolean {
  const weekStart = weekStartOf(rule);
  return unitOf(rule.freq, one, weekStart) === unitOf(rule.freq, other, weekStart);
}

function monthsLater(of: number, more: number): number {
  const { year, month, day } = calendarDay(of);
  const months = year * 12 + month - 1 + more;
  const first = dayNumber(Math.floor(months / 12), (months % 12) + 1, 1);
  return first + Math.min(day, calendarDay(first).monthLength) - 1;
}
