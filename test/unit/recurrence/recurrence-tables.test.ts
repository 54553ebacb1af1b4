import { describe, expect, test } from "bun:test";
import { parseRecurrencePattern, ruleOf } from "../../../shared/recurrence/recurrence-pattern.ts";
import { makeRecurrences } from "../../../shared/recurrence/recurrence.ts";

type Series = Readonly<{ rrule?: string; start: string; tz: string; month_end?: "clamp" | "skip" }>;
const seriesOf = ({ rrule = "FREQ=DAILY", start, tz, month_end = "skip" }: Series) =>
  makeRecurrences({ rule: ruleOf(parseRecurrencePattern({ rrule, month_end })), start, tz, monthEnd: month_end });

/** Recurrences as a calendar shows them: weekday, local start, and the instant in UTC. */
const calendar = (series: Series, count: number): readonly string[] =>
  seriesOf(series)
    .between(new Date(0), new Date("2200-01-01T00:00:00Z"), count)
    .map(({ id, at }) => {
      const day = new Date(`${id.slice(0, 10)}T00:00:00Z`).toLocaleDateString("en", {
        weekday: "short",
        timeZone: "UTC",
      });
      return `${day} ${id.slice(0, 16).replace("T", " ")} = ${at.toISOString().slice(5, 16).replace("T", " ")}Z`;
    });

// Policies: a time the clocks jump over is skipped, a time that comes twice recurs the first time only.
describe.each<[zone: string, change: string, time: string, rows: readonly string[]]>([
  [
    "Europe/Berlin",
    "29 March 2026, 02:00 becomes 03:00: 01:59 and 03:00 stay, 02:00 to 02:59 are skipped",
    "2026-03-28 01:59",
    [
      "Sat 2026-03-28 01:59 = 03-28 00:59Z",
      "Sun 2026-03-29 01:59 = 03-29 00:59Z",
      "Mon 2026-03-30 01:59 = 03-29 23:59Z",
    ],
  ],
  [
    "Europe/Berlin",
    "the first minute of the gap",
    "2026-03-28 02:00",
    [
      "Sat 2026-03-28 02:00 = 03-28 01:00Z",
      "Mon 2026-03-30 02:00 = 03-30 00:00Z",
      "Tue 2026-03-31 02:00 = 03-31 00:00Z",
    ],
  ],
  [
    "Europe/Berlin",
    "the last minute of the gap",
    "2026-03-28 02:59",
    [
      "Sat 2026-03-28 02:59 = 03-28 01:59Z",
      "Mon 2026-03-30 02:59 = 03-30 00:59Z",
      "Tue 2026-03-31 02:59 = 03-31 00:59Z",
    ],
  ],
  [
    "Europe/Berlin",
    "the first minute after the gap",
    "2026-03-28 03:00",
    [
      "Sat 2026-03-28 03:00 = 03-28 02:00Z",
      "Sun 2026-03-29 03:00 = 03-29 01:00Z",
      "Mon 2026-03-30 03:00 = 03-30 01:00Z",
    ],
  ],
  [
    "Europe/Berlin",
    "25 October 2026, 03:00 becomes 02:00: 02:00 comes twice and recurs the first time",
    "2026-10-24 02:00",
    [
      "Sat 2026-10-24 02:00 = 10-24 00:00Z",
      "Sun 2026-10-25 02:00 = 10-25 00:00Z",
      "Mon 2026-10-26 02:00 = 10-26 01:00Z",
    ],
  ],
  [
    "Europe/Berlin",
    "03:00, the end of the overlap, comes once",
    "2026-10-24 03:00",
    [
      "Sat 2026-10-24 03:00 = 10-24 01:00Z",
      "Sun 2026-10-25 03:00 = 10-25 02:00Z",
      "Mon 2026-10-26 03:00 = 10-26 02:00Z",
    ],
  ],
  [
    "America/New_York",
    "8 March 2026, 02:00 becomes 03:00",
    "2026-03-07 02:30",
    [
      "Sat 2026-03-07 02:30 = 03-07 07:30Z",
      "Mon 2026-03-09 02:30 = 03-09 06:30Z",
      "Tue 2026-03-10 02:30 = 03-10 06:30Z",
    ],
  ],
  [
    "America/New_York",
    "1 November 2026, 02:00 becomes 01:00",
    "2026-10-31 01:30",
    [
      "Sat 2026-10-31 01:30 = 10-31 05:30Z",
      "Sun 2026-11-01 01:30 = 11-01 05:30Z",
      "Mon 2026-11-02 01:30 = 11-02 06:30Z",
    ],
  ],
  [
    "Australia/Lord_Howe",
    "4 October 2026, 02:00 becomes 02:30",
    "2026-10-03 02:15",
    [
      "Sat 2026-10-03 02:15 = 10-02 15:45Z",
      "Mon 2026-10-05 02:15 = 10-04 15:15Z",
      "Tue 2026-10-06 02:15 = 10-05 15:15Z",
    ],
  ],
  [
    "Australia/Lord_Howe",
    "5 April 2026, 02:00 becomes 01:30",
    "2026-04-04 01:30",
    [
      "Sat 2026-04-04 01:30 = 04-03 14:30Z",
      "Sun 2026-04-05 01:30 = 04-04 14:30Z",
      "Mon 2026-04-06 01:30 = 04-05 15:00Z",
    ],
  ],
  [
    "Pacific/Auckland",
    "27 September 2026, 02:00 becomes 03:00",
    "2026-09-26 02:30",
    [
      "Sat 2026-09-26 02:30 = 09-25 14:30Z",
      "Mon 2026-09-28 02:30 = 09-27 13:30Z",
      "Tue 2026-09-29 02:30 = 09-28 13:30Z",
    ],
  ],
  [
    "Pacific/Auckland",
    "5 April 2026, 03:00 becomes 02:00",
    "2026-04-04 02:30",
    [
      "Sat 2026-04-04 02:30 = 04-03 13:30Z",
      "Sun 2026-04-05 02:30 = 04-04 13:30Z",
      "Mon 2026-04-06 02:30 = 04-05 14:30Z",
    ],
  ],
  [
    "America/Phoenix",
    "no change in March",
    "2026-03-07 02:30",
    [
      "Sat 2026-03-07 02:30 = 03-07 09:30Z",
      "Sun 2026-03-08 02:30 = 03-08 09:30Z",
      "Mon 2026-03-09 02:30 = 03-09 09:30Z",
    ],
  ],
  [
    "America/Phoenix",
    "no change in November",
    "2026-10-31 01:30",
    [
      "Sat 2026-10-31 01:30 = 10-31 08:30Z",
      "Sun 2026-11-01 01:30 = 11-01 08:30Z",
      "Mon 2026-11-02 01:30 = 11-02 08:30Z",
    ],
  ],
  [
    "America/Sao_Paulo",
    "4 November 2018, 00:00 became 01:00: that day had no midnight",
    "2018-11-03 00:00",
    [
      "Sat 2018-11-03 00:00 = 11-03 03:00Z",
      "Mon 2018-11-05 00:00 = 11-05 02:00Z",
      "Tue 2018-11-06 00:00 = 11-06 02:00Z",
    ],
  ],
  [
    "America/Sao_Paulo",
    "17 February 2019, 00:00 became 23:00 of the day before: 23:30 came twice",
    "2019-02-15 23:30",
    [
      "Fri 2019-02-15 23:30 = 02-16 01:30Z",
      "Sat 2019-02-16 23:30 = 02-17 01:30Z",
      "Sun 2019-02-17 23:30 = 02-18 02:30Z",
    ],
  ],
  [
    "America/Sao_Paulo",
    "summer time was given up in 2019: November changes nothing any more",
    "2019-11-02 00:30",
    [
      "Sat 2019-11-02 00:30 = 11-02 03:30Z",
      "Sun 2019-11-03 00:30 = 11-03 03:30Z",
      "Mon 2019-11-04 00:30 = 11-04 03:30Z",
    ],
  ],
  [
    "Pacific/Apia",
    "30 December 2011 was left out, when Samoa moved across the date line",
    "2011-12-29 09:00",
    [
      "Thu 2011-12-29 09:00 = 12-29 19:00Z",
      "Sat 2011-12-31 09:00 = 12-30 19:00Z",
      "Sun 2012-01-01 09:00 = 12-31 19:00Z",
    ],
  ],
])("%s, %s", (tz, _change, time, rows) => {
  const start = `${time.replace(" ", "T")}:00`;
  test(`every day at ${time.slice(11)}`, () => {
    expect(calendar({ start, tz }, 3)).toEqual([...rows]);
  });
  test("asked anywhere between, the next and the latest are those of the table", () => {
    const series = seriesOf({ start, tz });
    const all = series.between(new Date(0), new Date("2200-01-01T00:00:00Z"), rows.length);
    for (const [index, { id, at }] of all.entries()) {
      const before = all[index - 1];
      for (let ms = before?.at.getTime() ?? at.getTime() - 86_400_000; ms < at.getTime(); ms += 900_000) {
        expect(series.next(new Date(ms))?.id).toBe(id);
        expect(series.latest(null, new Date(ms))?.id).toBe(before?.id as string);
      }
    }
  });
});

describe("hours of one day around a change", () => {
  const hours = { rrule: "FREQ=DAILY;BYHOUR=1,2,3", tz: "Europe/Berlin" };
  test("the hour in the gap is left out, the others are an hour apart", () => {
    expect(calendar({ ...hours, start: "2026-03-29T01:00:00" }, 3)).toEqual([
      "Sun 2026-03-29 01:00 = 03-29 00:00Z",
      "Sun 2026-03-29 03:00 = 03-29 01:00Z",
      "Mon 2026-03-30 01:00 = 03-29 23:00Z",
    ]);
  });
  test("the hour that comes twice comes once, and the next one two hours later", () => {
    expect(calendar({ ...hours, start: "2026-10-25T01:00:00" }, 3)).toEqual([
      "Sun 2026-10-25 01:00 = 10-24 23:00Z",
      "Sun 2026-10-25 02:00 = 10-25 00:00Z",
      "Sun 2026-10-25 03:00 = 10-25 02:00Z",
    ]);
  });
});

describe("month ends over a year", () => {
  const days = (series: Omit<Series, "tz">, count = 6) =>
    seriesOf({ ...series, tz: "Europe/Berlin" })
      .between(new Date(0), new Date("2200-01-01T00:00:00Z"), count)
      .map(({ id }) => id.slice(0, 10))
      .join(" ");

  test.each<[rule: string, start: string, clamp: string, skip: string]>([
    [
      "FREQ=MONTHLY",
      "2026-01-31",
      "2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31 2026-06-30",
      "2026-01-31 2026-03-31 2026-05-31 2026-07-31 2026-08-31 2026-10-31",
    ],
    [
      "FREQ=MONTHLY",
      "2028-01-30",
      "2028-01-30 2028-02-29 2028-03-30 2028-04-30 2028-05-30 2028-06-30",
      "2028-01-30 2028-03-30 2028-04-30 2028-05-30 2028-06-30 2028-07-30",
    ],
    [
      "FREQ=MONTHLY;INTERVAL=3",
      "2026-11-30",
      "2026-11-30 2027-02-28 2027-05-30 2027-08-30 2027-11-30 2028-02-29",
      "2026-11-30 2027-05-30 2027-08-30 2027-11-30 2028-05-30 2028-08-30",
    ],
    [
      "FREQ=YEARLY",
      "2024-02-29",
      "2024-02-29 2025-02-28 2026-02-28 2027-02-28 2028-02-29 2029-02-28",
      "2024-02-29 2028-02-29 2032-02-29 2036-02-29 2040-02-29 2044-02-29",
    ],
    [
      "FREQ=YEARLY",
      "2096-02-29",
      "2096-02-29 2097-02-28 2098-02-28 2099-02-28 2100-02-28 2101-02-28",
      "2096-02-29 2104-02-29 2108-02-29 2112-02-29 2116-02-29 2120-02-29",
    ],
    [
      "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4",
      "2026-01-31",
      "2026-01-31 2026-02-28 2026-03-31 2026-04-30",
      "2026-01-31 2026-03-31 2026-05-31 2026-07-31",
    ],
  ])("%s from %s", (rrule, start, clamp, skip) => {
    expect(days({ rrule, start, month_end: "clamp" })).toBe(clamp);
    expect(days({ rrule, start, month_end: "skip" })).toBe(skip);
    // A time of day changes nothing about the days.
    expect(days({ rrule, start: `${start}T09:00:00`, month_end: "clamp" })).toBe(clamp);
  });

  test("hours of the day and clamping go together", () => {
    const start = "2026-02-01T00:00:00";
    const ids = seriesOf({ rrule: "FREQ=MONTHLY;BYMONTHDAY=31;BYHOUR=8,20", start, tz: "UTC", month_end: "clamp" })
      .between(new Date(0), new Date("2200-01-01T00:00:00Z"), 3)
      .map(({ id }) => id);
    expect(ids).toEqual(["2026-02-28T08:00:00", "2026-02-28T20:00:00", "2026-03-31T08:00:00"]);
  });
});

describe("exdate", () => {
  const recurrences = (exdate: readonly string[], rrule = "FREQ=DAILY;COUNT=4", start = "2026-01-01T09:00:00") =>
    makeRecurrences({ rule: ruleOf(parseRecurrencePattern({ rrule })), start, tz: "UTC", monthEnd: "skip", exdate });
  const ids = (...of: Parameters<typeof recurrences>) =>
    recurrences(...of)
      .between(new Date(0), new Date("2200-01-01T00:00:00Z"), 10)
      .map(({ id }) => id);

  test("a start left out is counted by COUNT all the same", () => {
    expect(ids(["2026-01-02T09:00:00"])).toEqual(["2026-01-01T09:00:00", "2026-01-03T09:00:00", "2026-01-04T09:00:00"]);
  });
  test("the first and the last are left out likewise, and a start that is none changes nothing", () => {
    const series = recurrences(["2026-01-01T09:00:00", "2026-01-04T09:00:00", "2026-01-02T10:00:00"]);
    expect(series.first()?.id).toBe("2026-01-02T09:00:00");
    expect(series.latest(null, new Date("2027-01-01T00:00:00Z"))?.id).toBe("2026-01-03T09:00:00");
    expect(series.next(new Date("2026-01-03T09:00:00Z"))).toBeNull();
  });
  test("days are left out of an all-day series", () => {
    expect(ids(["2026-01-08"], "FREQ=WEEKLY;COUNT=3", "2026-01-01")).toEqual(["2026-01-01", "2026-01-15"]);
  });
});

test("between begins with its first instant, ends before its last, and stops at its limit", () => {
  const series = seriesOf({ start: "2026-01-01T09:00:00", tz: "UTC" });
  const ids = (from: string, to: string, limit = 10) =>
    series.between(new Date(from), new Date(to), limit).map(({ id }) => id.slice(0, 10));
  expect(ids("2026-01-02T09:00:00Z", "2026-01-04T09:00:00Z")).toEqual(["2026-01-02", "2026-01-03"]);
  expect(ids("2025-01-01T00:00:00Z", "2026-01-02T00:00:00Z")).toEqual(["2026-01-01"]);
  expect(ids("2026-01-01T00:00:00Z", "2199-01-01T00:00:00Z", 2)).toEqual(["2026-01-01", "2026-01-02"]);
  expect(ids("2026-01-05T00:00:00Z", "2026-01-01T00:00:00Z")).toEqual([]);
});

test("a day that a zone left out has no all-day recurrence", () => {
  const series = seriesOf({ start: "2011-12-29", tz: "Pacific/Apia" });
  const ids = series.between(new Date("2011-12-01T00:00:00Z"), new Date("2012-06-01T00:00:00Z"), 3).map(({ id }) => id);
  expect(ids).toEqual(["2011-12-29", "2011-12-31", "2012-01-01"]);
});

test("an all-day recurrence is that day of the calendar in every zone there is", () => {
  const zones = Intl.supportedValuesOf("timeZone");
  expect(zones.length).toBeGreaterThan(400);
  // Every day takes a minute.
  const interval = process.env["LONG_TESTS"] === "1" ? 1 : 31;
  const rule = ruleOf(parseRecurrencePattern({ rrule: `FREQ=DAILY;INTERVAL=${interval}` }));
  for (const tz of zones) {
    const localDay = (at: Date) =>
      Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(tz).toPlainDate().toString();
    const series = makeRecurrences({ rule, start: "2011-01-01", tz, monthEnd: "skip" });
    const found = series.between(new Date("2010-01-01T00:00:00Z"), new Date("2012-12-15T12:07:00Z"), 1000);
    const shifted = found.filter(({ id, at }) => localDay(at) !== id || localDay(new Date(at.getTime() - 1)) >= id);
    expect({ tz, shifted }).toEqual({ tz, shifted: [] });
    expect(found.length).toBeGreaterThan(700 / interval);
    expect(series.latest(null, new Date("2012-12-15T12:07:00Z"))).toEqual(found.at(-1) ?? null);
  }
}, 120_000);
