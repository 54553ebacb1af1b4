import { describe, expect, test } from "bun:test";
import { Problem } from "../../../shared/problem.ts";
import { snoozeInput, snoozeUntil } from "../../../workers/reminder-service/snooze-until.ts";

const until = (body: unknown, now: string, tz = "Europe/Berlin", allDayAt = "09:00") =>
  snoozeUntil(snoozeInput.parse(body), { now: new Date(now), tz, allDayAt }).toISOString();
const refusal = (body: unknown, now: string, tz = "Europe/Berlin") => {
  try {
    return until(body, now, tz);
  } catch (error) {
    return error instanceof Problem ? error.extra.mistakes?.map(({ path }) => path) : error;
  }
};

// 2026-11-23 is a Monday; 12:00Z is 13:00 in Berlin.
const monday = "2026-11-23T12:00:00.000Z";

describe("until when", () => {
  test.each([
    [
      { until: "2026-11-24T08:00:00+01:00" },
      monday,
      "Europe/Berlin",
      "2026-11-24T07:00:00.000Z",
      "the time that is said",
    ],
    [{ for: "PT10M" }, monday, "Europe/Berlin", "2026-11-23T12:10:00.000Z", "that long from now"],
    [{ for: "P1DT2H" }, monday, "Europe/Berlin", "2026-11-24T14:00:00.000Z", "days of 24 hours"],
    [{ preset: "10m" }, monday, "Europe/Berlin", "2026-11-23T12:10:00.000Z", "ten minutes"],
    [{ preset: "1h" }, monday, "Europe/Berlin", "2026-11-23T13:00:00.000Z", "an hour"],
    [{ preset: "tonight" }, monday, "Europe/Berlin", "2026-11-23T19:00:00.000Z", "20:00 there"],
    [{ preset: "tonight" }, monday, "America/New_York", "2026-11-24T01:00:00.000Z", "20:00 there, another day in UTC"],
    [{ preset: "tomorrow" }, monday, "Europe/Berlin", "2026-11-24T08:00:00.000Z", "09:00 on the next day"],
    [{ preset: "tomorrow" }, monday, "Pacific/Kiritimati", "2026-11-24T19:00:00.000Z", "where it is Tuesday already"],
    [{ preset: "tomorrow" }, "2026-03-28T12:00:00Z", "Europe/Berlin", "2026-03-29T07:00:00.000Z", "a day of 23 hours"],
    [{ preset: "tomorrow" }, "2026-10-24T12:00:00Z", "Europe/Berlin", "2026-10-25T08:00:00.000Z", "a day of 25 hours"],
    [{ preset: "next-week" }, monday, "Europe/Berlin", "2026-11-30T08:00:00.000Z", "on a Monday: the one after"],
    [
      { preset: "next-week" },
      "2026-11-29T12:00:00Z",
      "Europe/Berlin",
      "2026-11-30T08:00:00.000Z",
      "on a Sunday: tomorrow",
    ],
    [
      { preset: "next-week" },
      "2026-11-29T12:00:00Z",
      "Pacific/Kiritimati",
      "2026-12-06T19:00:00.000Z",
      "where it is Monday already",
    ],
  ])("%j at %s in %s: %s (%s)", (body, now, tz, instant) => expect(until(body, now, tz)).toBe(instant));

  test("tomorrow and next week begin at the hour the user's whole days are due, past a gap of the clocks", () => {
    expect(until({ preset: "tomorrow" }, monday, "Europe/Berlin", "07:30")).toBe("2026-11-24T06:30:00.000Z");
    expect(until({ preset: "tomorrow" }, "2026-03-28T12:00:00Z", "Europe/Berlin", "02:30")).toBe(
      "2026-03-29T01:30:00.000Z",
    );
  });
});

describe("what is refused", () => {
  test.each([
    [{ until: "2026-11-23T12:00:00Z" }, ["/until"], "now is not ahead"],
    [{ until: "2027-11-25T12:00:00Z" }, ["/until"], "more than a year"],
  ])("%j: %j (%s)", (body, paths) => expect(refusal(body, monday)).toEqual(paths));

  test("tonight when it is past 20:00 there: it would be tomorrow", () => {
    expect(refusal({ preset: "tonight" }, "2026-11-23T19:00:00Z")).toEqual(["/preset"]);
    expect(refusal({ preset: "tonight" }, "2026-11-23T19:00:00Z", "Europe/London")).toBe("2026-11-23T20:00:00.000Z");
  });

  test.each([
    [{}],
    [{ for: "PT10M", preset: "10m" }],
    [{ for: "PT0S" }],
    [{ for: "P31D" }],
    [{ for: "10 minutes" }],
    [{ preset: "later" }],
    [{ until: "tomorrow" }],
    [{ minutes: 10 }],
  ])("%j", (body) => expect(snoozeInput.safeParse(body).success).toBe(false));
});
