import { describe, expect, test } from "bun:test";
import { parseRecurrencePattern, ruleOf } from "../../../shared/recurrence/recurrence-pattern.ts";
import { makeRecurrences } from "../../../shared/recurrence/recurrence.ts";

const recurrences = (rrule: string, start: string, tz = "UTC", monthEnd: "clamp" | "skip" = "skip") =>
  makeRecurrences({ rule: ruleOf(parseRecurrencePattern({ rrule, month_end: monthEnd })), start, tz, monthEnd });

const take = (count: number, ...of: Parameters<typeof recurrences>): readonly string[] => {
  const series = recurrences(...of);
  const found: string[] = [];
  for (let at = series.first(); at && found.length < count; at = series.next(at.at))
    found.push(`${at.id} = ${at.at.toISOString().slice(0, 16)}Z`);
  return found;
};
const ids = (...of: Parameters<typeof take>): readonly string[] => take(...of).map((line) => line.split(" ")[0] ?? "");

describe("the clock goes forward", () => {
  test("Berlin keeps nine o'clock: an hour earlier in UTC from 29 March on", () => {
    expect(take(3, "FREQ=DAILY", "2026-03-28T09:00:00", "Europe/Berlin")).toEqual([
      "2026-03-28T09:00:00 = 2026-03-28T08:00Z",
      "2026-03-29T09:00:00 = 2026-03-29T07:00Z",
      "2026-03-30T09:00:00 = 2026-03-30T07:00Z",
    ]);
  });
  test("Berlin has no 02:30 on 29 March: that day is skipped", () => {
    expect(ids(3, "FREQ=DAILY", "2026-03-28T02:30:00", "Europe/Berlin")).toEqual([
      "2026-03-28T02:30:00",
      "2026-03-30T02:30:00",
      "2026-03-31T02:30:00",
    ]);
  });
  test("New York has no 02:30 on 8 March, weekly too", () => {
    expect(ids(2, "FREQ=WEEKLY", "2026-03-01T02:30:00", "America/New_York")).toEqual([
      "2026-03-01T02:30:00",
      "2026-03-15T02:30:00",
    ]);
  });
  test("Lord Howe moves by half an hour: 02:15 is missing on 4 October, 02:30 is there", () => {
    expect(ids(2, "FREQ=DAILY", "2026-10-03T02:15:00", "Australia/Lord_Howe")).toEqual([
      "2026-10-03T02:15:00",
      "2026-10-05T02:15:00",
    ]);
    expect(take(3, "FREQ=DAILY", "2026-10-03T02:30:00", "Australia/Lord_Howe")).toEqual([
      "2026-10-03T02:30:00 = 2026-10-02T16:00Z",
      "2026-10-04T02:30:00 = 2026-10-03T15:30Z",
      "2026-10-05T02:30:00 = 2026-10-04T15:30Z",
    ]);
  });
  test("a zone without summer time keeps its distance", () => {
    expect(take(2, "FREQ=DAILY", "2026-03-28T02:30:00", "Asia/Kolkata")).toEqual([
      "2026-03-28T02:30:00 = 2026-03-27T21:00Z",
      "2026-03-29T02:30:00 = 2026-03-28T21:00Z",
    ]);
  });
});

describe("the clock goes back", () => {
  test("Berlin has 02:30 twice on 25 October: it recurs once, the first time", () => {
    expect(take(3, "FREQ=DAILY", "2026-10-24T02:30:00", "Europe/Berlin")).toEqual([
      "2026-10-24T02:30:00 = 2026-10-24T00:30Z",
      "2026-10-25T02:30:00 = 2026-10-25T00:30Z",
      "2026-10-26T02:30:00 = 2026-10-26T01:30Z",
    ]);
  });
  test("New York has 01:30 twice on 1 November: once, the first time", () => {
    expect(take(2, "FREQ=DAILY", "2026-11-01T01:30:00", "America/New_York")).toEqual([
      "2026-11-01T01:30:00 = 2026-11-01T05:30Z",
      "2026-11-02T01:30:00 = 2026-11-02T06:30Z",
    ]);
  });
  test("Lord Howe has 01:45 twice on 5 April: once, the first time", () => {
    expect(take(2, "FREQ=DAILY", "2026-04-05T01:45:00", "Australia/Lord_Howe")).toEqual([
      "2026-04-05T01:45:00 = 2026-04-04T14:45Z",
      "2026-04-06T01:45:00 = 2026-04-05T15:15Z",
    ]);
  });
});

describe("month ends", () => {
  test.each<[string, string, string, "clamp" | "skip", readonly string[]]>([
    [
      "skip: the 31st means months that have one",
      "FREQ=MONTHLY;BYMONTHDAY=31",
      "2026-01-31",
      "skip",
      ["2026-01-31", "2026-03-31", "2026-05-31"],
    ],
    [
      "clamp: January 31, February 28, March 31",
      "FREQ=MONTHLY;BYMONTHDAY=31",
      "2026-01-31",
      "clamp",
      ["2026-01-31", "2026-02-28", "2026-03-31"],
    ],
    [
      "clamp remembers the day it started on",
      "FREQ=MONTHLY",
      "2026-01-30",
      "clamp",
      ["2026-01-30", "2026-02-28", "2026-03-30"],
    ],
    ["clamp in a leap year", "FREQ=MONTHLY", "2028-01-31", "clamp", ["2028-01-31", "2028-02-29", "2028-03-31"]],
    [
      "clamp makes one of days that fall together",
      "FREQ=MONTHLY;BYMONTHDAY=15,30,31",
      "2026-02-01",
      "clamp",
      ["2026-02-15", "2026-02-28", "2026-03-15"],
    ],
    [
      "clamp every two months",
      "FREQ=MONTHLY;INTERVAL=2",
      "2026-08-31",
      "clamp",
      ["2026-08-31", "2026-10-31", "2026-12-31"],
    ],
    [
      "skip: 29 February means leap years",
      "FREQ=YEARLY",
      "2028-02-29",
      "skip",
      ["2028-02-29", "2032-02-29", "2036-02-29"],
    ],
    [
      "clamp: 28 February in the others",
      "FREQ=YEARLY",
      "2028-02-29",
      "clamp",
      ["2028-02-29", "2029-02-28", "2030-02-28"],
    ],
    [
      "clamp yearly in several months",
      "FREQ=YEARLY;BYMONTH=2,4;BYMONTHDAY=31",
      "2026-01-01",
      "clamp",
      ["2026-02-28", "2026-04-30", "2027-02-28"],
    ],
    [
      "the last day of each month",
      "FREQ=MONTHLY;BYMONTHDAY=-1",
      "2026-01-01",
      "skip",
      ["2026-01-31", "2026-02-28", "2026-03-31"],
    ],
    ["the last Friday", "FREQ=MONTHLY;BYDAY=-1FR", "2026-01-01", "clamp", ["2026-01-30", "2026-02-27", "2026-03-27"]],
  ])("%s", (_title, rrule, start, monthEnd, expected) => {
    expect(ids(3, rrule, start, "Europe/Berlin", monthEnd)).toEqual([...expected]);
  });
});

describe("ends", () => {
  test.each<[string, string, string, string, readonly string[]]>([
    ["COUNT", "FREQ=DAILY;COUNT=2", "2026-01-01T09:00:00", "UTC", ["2026-01-01T09:00:00", "2026-01-02T09:00:00"]],
    [
      "a time in a gap is not counted",
      "FREQ=DAILY;COUNT=2",
      "2026-03-28T02:30:00",
      "Europe/Berlin",
      ["2026-03-28T02:30:00", "2026-03-30T02:30:00"],
    ],
    [
      "UNTIL a day includes its evening there",
      "FREQ=DAILY;UNTIL=20260102",
      "2026-01-01T23:30:00",
      "America/New_York",
      ["2026-01-01T23:30:00", "2026-01-02T23:30:00"],
    ],
    [
      "UNTIL an instant is compared as one",
      "FREQ=DAILY;UNTIL=20260102T000000Z",
      "2026-01-01T00:30:00",
      "Europe/Berlin",
      ["2026-01-01T00:30:00", "2026-01-02T00:30:00"],
    ],
    [
      "UNTIL a local time is inclusive",
      "FREQ=DAILY;UNTIL=20260102T090000",
      "2026-01-01T09:00:00",
      "Asia/Tokyo",
      ["2026-01-01T09:00:00", "2026-01-02T09:00:00"],
    ],
    ["nothing after the year 2200", "FREQ=YEARLY", "2199-05-01", "UTC", ["2199-05-01", "2200-05-01"]],
  ])("%s", (_title, rrule, start, tz, expected) => {
    expect(ids(5, rrule, start, tz)).toEqual([...expected]);
  });
  test("COUNT holds when asked from far within the series", () => {
    const series = recurrences("FREQ=DAILY;COUNT=1000", "2020-01-01T09:00:00");
    expect(series.next(new Date("2022-09-25T10:00:00Z"))?.id).toBe("2022-09-26T09:00:00");
    expect(series.next(new Date("2022-09-26T09:00:00Z"))).toBeNull();
  });
});

describe("all-day", () => {
  test("a day stays that day in every zone, one without midnight too", () => {
    expect(take(3, "FREQ=DAILY", "2018-11-03", "America/Sao_Paulo")).toEqual([
      "2018-11-03 = 2018-11-03T03:00Z",
      "2018-11-04 = 2018-11-04T03:00Z",
      "2018-11-05 = 2018-11-05T02:00Z",
    ]);
    expect(ids(2, "FREQ=DAILY", "2026-01-01", "Pacific/Kiritimati")).toEqual(["2026-01-01", "2026-01-02"]);
  });
  test("the next one after any moment of a day is another day", () => {
    const series = recurrences("FREQ=DAILY", "2026-01-01", "Europe/Berlin");
    expect(series.next(new Date("2026-01-05T22:59:00Z"))?.id).toBe("2026-01-06");
    expect(series.next(new Date("2026-01-05T23:01:00Z"))?.id).toBe("2026-01-07");
  });
});

describe("the latest one", () => {
  test.each<[string, string, string | null, string, string | null]>([
    ["FREQ=DAILY", "1970-01-01T09:00:00", null, "2026-11-23T08:59:00Z", "2026-11-22T09:00:00"],
    ["FREQ=DAILY", "1970-01-01T09:00:00", null, "2026-11-23T09:00:00Z", "2026-11-23T09:00:00"],
    ["FREQ=DAILY;BYHOUR=8,20", "2026-11-01T08:00:00", "2026-11-23T08:00:00Z", "2026-11-23T19:00:00Z", null],
    [
      "FREQ=DAILY;BYHOUR=8,20",
      "2026-11-01T08:00:00",
      "2026-11-20T08:00:00Z",
      "2026-11-23T19:00:00Z",
      "2026-11-23T08:00:00",
    ],
    ["FREQ=YEARLY;INTERVAL=10", "1971-05-05T08:00:00", null, "2026-11-23T19:00:00Z", "2021-05-05T08:00:00"],
    ["FREQ=DAILY;COUNT=3", "2026-01-01T08:00:00", null, "2026-11-23T19:00:00Z", "2026-01-03T08:00:00"],
    ["FREQ=DAILY", "2027-01-01T08:00:00", null, "2026-11-23T19:00:00Z", null],
  ])("%s from %s after %s until %s is %s", (rrule, start, after, until, expected) => {
    const found = recurrences(rrule, start).latest(after === null ? null : new Date(after), new Date(until));
    expect(found?.id ?? null).toBe(expected);
  });
});

test("the first one is found without counting to the last", () => {
  let looked = 0;
  const rule = {
    ...ruleOf(parseRecurrencePattern({ rrule: "FREQ=DAILY;COUNT=365" })),
    get until() {
      looked += 1; // asked of each recurrence that is met
      return null;
    },
  };
  const schedule = { rule, start: "2026-01-01", tz: "UTC", monthEnd: "skip" } as const;
  expect(makeRecurrences({ ...schedule, exdate: ["2026-01-01"] }).first()?.id).toBe("2026-01-02");
  expect(looked).toBeLessThanOrEqual(4);
  const two = ruleOf(parseRecurrencePattern({ rrule: "FREQ=DAILY;COUNT=2" }));
  expect(makeRecurrences({ ...schedule, rule: two, exdate: ["2026-01-01", "2026-01-02"] }).first()).toBeNull();
});
