import { calendarDay, dayNumber, isLeap, weekdayOf, type CalendarDay } from "./calendar-day.ts";

/** The days of the calendar that a filter lets through, up to the year 2201. */
type MatchingDays = Readonly<{
  /** Those from a day on, before another, in order. */
  between: (from: number, to: number) => readonly number[];
  /** The first one that is this day or after it; `null` where there is none. */
  from: (day: number) => number | null;
  /** The last one before this day, not before 1969; `null` where there is none. */
  before: (day: number) => number | null;
}>;

const [firstYear, lastYear] = [1969, 2201];
/** Days since New Year's Day, in order. */
type DaysOfYear = readonly number[];

/**
 * Looks at each kind of year once: what a filter asks about a day follows from the weekday of its New Year's Day and
 * from which of the year and its neighbours (for week numbers) are leap years. There are 28 kinds, so a day that comes
 * once in 28 years is found by looking at some 10,000 days at most, however far it is. `months`: outside of them
 * nothing matches.
 */
export function matchingDays(matches: (day: CalendarDay) => boolean, months: ReadonlySet<number> | null): MatchingDays {
  const kinds: (DaysOfYear | undefined)[] = [];
  const daysOf = (year: number, newYear: number): DaysOfYear => {
    const leaps = (isLeap(year - 1) ? 4 : 0) + (isLeap(year) ? 2 : 0) + (isLeap(year + 1) ? 1 : 0);
    const kind = weekdayOf(newYear) * 8 + leaps;
    return (kinds[kind] ??= findDays(year, newYear));
  };
  const findDays = (year: number, newYear: number): DaysOfYear => {
    const found: number[] = [];
    for (let month = 1; month <= 12; month++) {
      if (months !== null && !months.has(month)) continue;
      const first = dayNumber(year, month, 1);
      const end = month === 12 ? dayNumber(year + 1, 1, 1) : dayNumber(year, month + 1, 1);
      for (let day = first; day < end; day++) if (matches(calendarDay(day))) found.push(day - newYear);
    }
    return found;
  };
  /** Questions follow each other in time. */
  let asked = { year: 0, begin: 0, end: 0 };
  const yearOf = (day: number): number => {
    if (day < asked.begin || day >= asked.end) {
      const { year, number, yearDay, yearLength } = calendarDay(day);
      const begin = number - yearDay + 1;
      asked = { year, begin, end: begin + yearLength };
    }
    return asked.year;
  };
  return {
    between: (from, to) => {
      const found: number[] = [];
      for (let year = yearOf(from); ; year++) {
        const newYear = dayNumber(year, 1, 1);
        if (newYear >= to) return found;
        const days = daysOf(year, newYear);
        for (let at = indexOf(days, from - newYear); at < days.length; at++) {
          const day = newYear + (days[at] ?? 0);
          if (day >= to) return found;
          found.push(day);
        }
      }
    },
    from: (day) => {
      for (let year = yearOf(day); year <= lastYear; year++) {
        const newYear = dayNumber(year, 1, 1);
        const days = daysOf(year, newYear);
        const found = days[indexOf(days, day - newYear)];
        if (found !== undefined) return newYear + found;
      }
      return null;
    },
    before: (day) => {
      for (let year = Math.min(lastYear, yearOf(day)); year >= firstYear; year--) {
        const newYear = dayNumber(year, 1, 1);
        const days = daysOf(year, newYear);
        const found = days[indexOf(days, day - newYear) - 1];
        if (found !== undefined) return newYear + found;
      }
      return null;
    },
  };
}

/** Where the first one is that is not below a value. */
export function indexOf(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
