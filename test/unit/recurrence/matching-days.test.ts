import { describe, expect, test } from "bun:test";
import { calendarDay, dayNumber, weekOf, type CalendarDay } from "../../../shared/recurrence/calendar-day.ts";
import { matchingDays } from "../../../shared/recurrence/matching-days.ts";

const [begin, end] = [dayNumber(1970, 1, 1), dayNumber(2202, 1, 1)];
const filters: readonly [name: string, matches: (day: CalendarDay) => boolean][] = [
  ["leap days that are Mondays", ({ month, day, weekday }) => month === 2 && day === 29 && weekday === 0],
  ["days of week 53", (day) => weekOf(day, 0).week === 53],
  ["days of the last week of a year", (day) => weekOf(day, 6).week === weekOf(day, 6).weeks],
  ["days of week -53", (day) => weekOf(day, 3).week - weekOf(day, 3).weeks - 1 === -53],
  ["the day before the last of a year", ({ yearDay, yearLength }) => yearDay === yearLength - 1],
  ["the day 366", ({ yearDay }) => yearDay === 366],
  ["nothing", () => false],
];

describe("matching days", () => {
  test.each(filters)("%s: as looking at each day of 232 years finds them", (_name, matches) => {
    const wanted: number[] = [];
    for (let day = begin; day < end; day++) if (matches(calendarDay(day))) wanted.push(day);
    const days = matchingDays(matches, null);
    expect(days.between(begin, end)).toEqual(wanted);
    for (let day = begin; day < end - 366; day += 97) {
      expect(days.from(day)).toBe(wanted.find((each) => each >= day) ?? null);
      const before = wanted.findLast((each) => each < day);
      if (before !== undefined) expect(days.before(day)).toBe(before);
    }
  });

  test("however rare a day is, at most the 28 kinds of years are looked at", () => {
    let looked = 0;
    const days = matchingDays(({ month, day, weekday }) => {
      looked++;
      return month === 2 && day === 30 && weekday === 0;
    }, null);
    expect(days.from(begin)).toBeNull();
    expect(days.before(end)).toBeNull();
    expect(looked).toBeLessThanOrEqual(28 * 366);
  });

  test("outside the months named nothing is looked at", () => {
    let looked = 0;
    matchingDays(() => looked++ < 0, new Set([2])).from(begin);
    expect(looked).toBeLessThanOrEqual(28 * 29);
  });
});
