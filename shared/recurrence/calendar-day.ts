/**
 * A day of the calendar with what rules ask about it. Months, days and days of the year count from 1, weekdays from
 * Monday, 0.
 */
export type CalendarDay = Readonly<{
  /** Days since 1970-01-01. */
  number: number;
  year: number;
  month: number;
  day: number;
  monthLength: number;
  yearDay: number;
  yearLength: number;
  weekday: number;
}>;

/** Days before each month of a common year. */
const before: readonly number[] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/** The number of a day of the Gregorian calendar; `day` may go beyond the month. */
export function dayNumber(year: number, month: number, day: number): number {
  const years = year - 1;
  const leaps = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  return years * 365 + leaps + daysBefore(year, month) + day - 1 - 719_162; // 719,162 days came before 1970.
}

/** Reckoned in whole numbers: `Date` takes ten times as long, and a rare rule looks at 10,000 days. */
export function calendarDay(number: number): CalendarDay {
  let year = 1970 + Math.floor(number / 365.2425);
  let newYear = dayNumber(year, 1, 1);
  if (number < newYear) newYear = dayNumber(--year, 1, 1);
  else if (number >= newYear + yearLength(year)) newYear = dayNumber(++year, 1, 1);
  const rest = number - newYear;
  let month = Math.floor(rest / 32) + 1; // this one or the one before
  if (rest >= daysBefore(year, month + 1)) month++;
  const begun = daysBefore(year, month);
  return {
    number,
    year,
    month,
    day: rest - begun + 1,
    monthLength: daysBefore(year, month + 1) - begun,
    yearDay: rest + 1,
    yearLength: yearLength(year),
    weekday: weekdayOf(number),
  };
}

/** Monday is 0; 1970-01-01 was a Thursday. */
export function weekdayOf(number: number): number {
  return (((number + 3) % 7) + 7) % 7;
}

/**
 * The number of a day's week in the year the week belongs to, and how many weeks that year has. Week 1 is the first
 * with at least four days of the year (RFC 5545 §3.3.10, ISO 8601 for weeks that begin on Monday).
 */
export function weekOf({ number, weekday }: CalendarDay, weekStart: number): Readonly<{ week: number; weeks: number }> {
  const fourth = calendarDay(number - ((weekday - weekStart + 7) % 7) + 3);
  const toEnd = fourth.yearLength - fourth.yearDay;
  const week = Math.ceil(fourth.yearDay / 7);
  // As many more weeks as fourth days still lie in the year.
  return { week, weeks: week + Math.floor(toEnd / 7) };
}

function daysBefore(year: number, month: number): number {
  return (before[month - 1] ?? 365) + (month > 2 && isLeap(year) ? 1 : 0);
}

function yearLength(year: number): number {
  return isLeap(year) ? 366 : 365;
}

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
