import { calendarDay, dayNumber, weekdayOf, weekOf, type CalendarDay } from "./calendar-day.ts";
import { indexOf, matchingDays } from "./matching-days.ts";
import type { Freq, Rrule } from "./parse-rrule.ts";

/**
 * A rule laid from a start, on a clock without a zone: a moment is the seconds since 1970-01-01T00:00 on that clock,
 * and every day has 86,400. The rule's days, weeks, months or years are its periods, numbered from 0, every INTERVALth
 * one alone; or years, where that makes no difference.
 */
type Expansion = Readonly<{
  /** The moments of a period in order, those before the start left out. At most 366 days of 24 hours are looked at. */
  momentsOf: (period: number) => readonly number[];
  /** The first period from this one on that has a day of the rule; beyond `last` where there is none. */
  nextFrom: (period: number) => number;
  /** The last period up to this one that has a day of the rule; below 0 where there is none. */
  lastUpTo: (period: number) => number;
  /** The last period that begins at or before a moment; below 0 before the start. */
  periodOf: (moment: number) => number;
  /** The last period there is: it begins in the year 2200 or before. */
  last: number;
}>;

const lastYear = 2200;
const daySeconds = 86_400;
const weekdays: readonly string[] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/**
 * RFC 5545 §3.3.10 read as sets: a period's days that satisfy every BY part of days, times the hours, of which BYSETPOS
 * picks. What a rule leaves open is its start's: weekday, day, month, time. COUNT and UNTIL are the caller's. `clamp`
 * lets a month's last day stand for the days 29 to 31 it does not have. A BYWEEKNO counts in the calendar year its days
 * lie in, so a yearly rule meets the January days of an old year's last week too.
 */
export function expandRule(rule: Rrule, startMoment: number, clamp: boolean): Expansion {
  const start = calendarDay(Math.floor(startMoment / daySeconds));
  const interval = Number(rule.parts.get("INTERVAL")?.[0] ?? 1);
  const weekStart = weekStartOf(rule);
  const { matches, months } = dayFilter(rule, start, weekStart, clamp);
  const days = matchingDays(matches, months);
  const times = timesOf(rule, startMoment - start.number * daySeconds);
  const most = mostDays(rule) * times.length;
  const positions =
    rule.parts
      .get("BYSETPOS")
      ?.map(Number)
      .filter((at) => Math.abs(at) <= most) ?? null;
  // Where every one counts and none is picked by its number, a year at a time gives the same: fewer and longer periods.
  const freq: Freq = interval === 1 && positions === null ? "YEARLY" : rule.freq;
  const firstUnit = unitOf(freq, start.number, weekStart);

  // Where no position can be reached, nothing is looked at.
  const last =
    positions?.length === 0
      ? -1
      : Math.floor((unitOf(freq, dayNumber(lastYear, 12, 31), weekStart) - firstUnit) / interval);
  const boundsOf = (period: number) => daysOf(freq, firstUnit + period * interval, weekStart);
  /** Of one period after another all moments are asked for. */
  let known: Readonly<{ period: number; moments: readonly number[] }> | null = null;

  return {
    momentsOf: (period) => {
      if (known?.period === period) return known.moments;
      const [from, length] = boundsOf(period);
      const moments = momentsAt(days.between(from, from + length), times, positions);
      known = { period, moments: moments.slice(indexOf(moments, startMoment)) };
      return known.moments;
    },
    nextFrom: (period) => {
      for (let at = Math.max(0, period); at <= last;) {
        const [from, length] = boundsOf(at);
        const day = days.from(from);
        if (day === null) break;
        if (day < from + length) return at;
        at = Math.ceil((unitOf(freq, day, weekStart) - firstUnit) / interval);
      }
      return last + 1;
    },
    lastUpTo: (period) => {
      for (let at = Math.min(last, period); at >= 0;) {
        const [from, length] = boundsOf(at);
        const day = days.before(from + length);
        if (day === null) break;
        if (day >= from) return at;
        at = Math.floor((unitOf(freq, day, weekStart) - firstUnit) / interval);
      }
      return -1;
    },
    periodOf: (moment) => Math.floor((unitOf(freq, Math.floor(moment / daySeconds), weekStart) - firstUnit) / interval),
    last,
  };
}

/** Whether month ends matter to a rule: monthly or yearly by days of the month, given or inherited from the start. */
export function mayClamp(rule: Rrule): boolean {
  if (rule.freq !== "MONTHLY" && rule.freq !== "YEARLY") return false;
  return !["BYDAY", "BYSETPOS", "BYYEARDAY", "BYWEEKNO"].some((name) => rule.parts.has(name));
}

/** The weekday on which weeks of a rule begin; Monday is 0. */
export function weekStartOf({ parts }: Rrule): number {
  return weekdays.indexOf(parts.get("WKST")?.[0] ?? "MO");
}

/** Which day, week, month or year a day lies in, counted from 1970. */
export function unitOf(freq: Freq, day: number, weekStart: number): number {
  switch (freq) {
    case "DAILY":
      return day;
    case "WEEKLY":
      return (day - ((weekdayOf(day) - weekStart + 7) % 7) - weekStart + 3) / 7;
    case "MONTHLY": {
      const { year, month } = calendarDay(day);
      return year * 12 + month - 1;
    }
    case "YEARLY":
      return calendarDay(day).year;
  }
}

/** The first day of a unit and how many it has. */
export function daysOf(freq: Freq, unit: number, weekStart: number): readonly [from: number, length: number] {
  switch (freq) {
    case "DAILY":
      return [unit, 1];
    case "WEEKLY":
      return [unit * 7 + weekStart - 3, 7];
    case "MONTHLY": {
      const { number, monthLength } = calendarDay(dayNumber(Math.floor(unit / 12), (unit % 12) + 1, 1));
      return [number, monthLength];
    }
    case "YEARLY": {
      const from = dayNumber(unit, 1, 1);
      return [from, dayNumber(unit + 1, 1, 1) - from];
    }
  }
}

/** How many days of a period can match. */
function mostDays({ freq, parts }: Rrule): number {
  const byDay = parts.get("BYDAY")?.length;
  switch (freq) {
    case "DAILY":
      return 1;
    case "WEEKLY":
      return byDay ?? 1;
    case "MONTHLY":
      return 31;
    case "YEARLY":
      return 366;
  }
}

type DayFilter = (day: CalendarDay) => boolean;

/** `months`: those the days lie in, where the rule names any. */
function dayFilter(
  rule: Rrule,
  start: CalendarDay,
  weekStart: number,
  clamp: boolean,
): Readonly<{ matches: DayFilter; months: ReadonlySet<number> | null }> {
  const { freq, parts } = rule;
  const filters: DayFilter[] = [];
  let months = numbers(rule, "BYMONTH");
  let monthDays = numbers(rule, "BYMONTHDAY");
  let byDay = parts.get("BYDAY") ?? null;
  const yearDays = numbers(rule, "BYYEARDAY");
  const weeks = numbers(rule, "BYWEEKNO");
  if (monthDays === null && byDay === null && yearDays === null) {
    if (freq === "WEEKLY" || weeks !== null) byDay = [weekdays[start.weekday] ?? ""];
    else if (freq === "MONTHLY" || freq === "YEARLY") monthDays = new Set([start.day]);
    if (freq === "YEARLY" && weeks === null) months ??= new Set([start.month]);
  }
  if (yearDays !== null)
    filters.push(({ yearDay, yearLength }) => yearDays.has(yearDay) || yearDays.has(yearDay - yearLength - 1));
  if (monthDays !== null) {
    const highest = Math.max(...monthDays);
    filters.push(
      ({ day, monthLength }) =>
        monthDays.has(day) ||
        monthDays.has(day - monthLength - 1) ||
        (clamp && day === monthLength && highest > monthLength),
    );
  }
  if (byDay !== null) filters.push(weekdayFilter(byDay, freq === "MONTHLY" || months !== null));
  if (weeks !== null)
    filters.push((day) => {
      const { week, weeks: all } = weekOf(day, weekStart);
      return weeks.has(week) || weeks.has(week - all - 1);
    });
  const matches: DayFilter = (day) => {
    for (const filter of filters) if (!filter(day)) return false;
    return true;
  };
  return { matches, months };
}

/** `2TU` is the second Tuesday of the month, or, `inMonth` false, of the year; `-1TU` the last; `TU` every one. */
function weekdayFilter(byDay: readonly string[], inMonth: boolean): DayFilter {
  const plain = new Set(byDay.filter((day) => day.length === 2).map((day) => weekdays.indexOf(day)));
  // The number and the weekday as one: numbers are from -53 to 53.
  const code = (nth: number, weekday: number) => nth * 7 + weekday;
  const numbered = new Set(
    byDay.filter((day) => day.length > 2).map((day) => code(Number(day.slice(0, -2)), weekdays.indexOf(day.slice(-2)))),
  );
  return ({ weekday, day, monthLength, yearDay, yearLength }) => {
    if (plain.has(weekday)) return true;
    if (numbered.size === 0) return false;
    const [at, length] = inMonth ? [day, monthLength] : [yearDay, yearLength];
    return (
      numbered.has(code(Math.ceil(at / 7), weekday)) || numbered.has(code(-Math.floor((length - at) / 7) - 1, weekday))
    );
  };
}

/** The seconds of the day, in order. */
function timesOf(rule: Rrule, startTime: number): readonly number[] {
  const minute = numbers(rule, "BYMINUTE") ?? [Math.floor(startTime / 60) % 60];
  const second = numbers(rule, "BYSECOND") ?? [startTime % 60];
  const rest = ([...minute][0] ?? 0) * 60 + ([...second][0] ?? 0);
  const hours = numbers(rule, "BYHOUR") ?? [Math.floor(startTime / 3600)];
  return [...hours].sort((a, b) => a - b).map((hour) => hour * 3600 + rest);
}

/** Every day with every time, or those of them that BYSETPOS names: the first is 1, the last -1. */
function momentsAt(
  days: readonly number[],
  times: readonly number[],
  positions: readonly number[] | null,
): readonly number[] {
  if (positions === null) {
    const moments: number[] = [];
    for (const day of days) for (const time of times) moments.push(day * daySeconds + time);
    return moments;
  }
  const size = days.length * times.length;
  const indexes = new Set(positions.map((position) => (position > 0 ? position - 1 : size + position)));
  return [...indexes]
    .filter((index) => index >= 0 && index < size)
    .sort((a, b) => a - b)
    .map((index) => (days[Math.floor(index / times.length)] ?? 0) * daySeconds + (times[index % times.length] ?? 0));
}

function numbers(rule: Rrule, name: string): ReadonlySet<number> | null {
  const values = rule.parts.get(name);
  return values === undefined ? null : new Set(values.map(Number));
}
