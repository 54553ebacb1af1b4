import { expect, test } from "bun:test";
import { parseRecurrencePattern } from "../../../shared/recurrence/recurrence-pattern.ts";
import {
  countBefore,
  endingAfter,
  endingAt,
  endingBefore,
  hasBefore,
  isPastEnd,
} from "../../../workers/task-service/cut-pattern.ts";

const timed = (rrule: string, more: object = {}) =>
  parseRecurrencePattern({ rrule, tz: "Europe/Berlin", start: "2026-03-27T02:30", ...more });
const days = (rrule: string) => parseRecurrencePattern({ rrule, tz: "UTC", start: "2026-03-01" });

test.each([
  ["a time", endingBefore(timed("FREQ=DAILY"), "2026-04-01T02:30:00"), "FREQ=DAILY;UNTIL=20260401T022959"],
  ["midnight", endingBefore(timed("FREQ=DAILY"), "2026-04-01T00:00:00"), "FREQ=DAILY;UNTIL=20260331T235959"],
  ["a day", endingBefore(days("FREQ=MONTHLY"), "2026-05-01"), "FREQ=MONTHLY;UNTIL=20260430"],
  [
    "in place of COUNT",
    endingBefore(timed("FREQ=DAILY;COUNT=9;INTERVAL=2"), "2026-04-02T02:30:00"),
    "FREQ=DAILY;INTERVAL=2;UNTIL=20260402T022959",
  ],
  [
    "in place of UNTIL",
    endingAt(timed("FREQ=DAILY;UNTIL=20270101"), "2026-04-01T02:30:00"),
    "FREQ=DAILY;UNTIL=20260401T023000",
  ],
  ["by COUNT", endingAfter(timed("FREQ=DAILY;UNTIL=20270101"), 3), "FREQ=DAILY;COUNT=3"],
])("a pattern cut at %s", (_title, cut, expected) => {
  expect(cut.rrule).toBe(expected);
  expect(parseRecurrencePattern(cut).rrule).toBe(expected);
});

test("what comes before is counted as COUNT counts: with what EXDATE leaves out, without what the clocks jump over", () => {
  const pattern = timed("FREQ=DAILY", { exdate: ["2026-03-28T02:30:00"] });
  expect(countBefore(pattern, "2026-04-01T02:30:00")).toBe(4); // 27, 28, 30, 31; on the 29th there was no 02:30
  expect([hasBefore(pattern, "2026-03-27T02:30:00"), hasBefore(pattern, "2026-03-28T02:30:00")]).toEqual([false, true]);
});

test.each<[string, string, string, boolean]>([
  ["FREQ=DAILY", "2026-03-01T00:00", "2199-01-01T00:00:00", false],
  ["FREQ=DAILY;UNTIL=20260401T023000", "2026-03-01T02:30", "2026-04-01T02:30:00", false],
  ["FREQ=DAILY;UNTIL=20260401T022959", "2026-03-01T02:30", "2026-04-01T02:30:00", true],
  ["FREQ=DAILY;UNTIL=20260401", "2026-03-01T02:30", "2026-04-01T23:30:00", false],
  ["FREQ=DAILY;UNTIL=20260401", "2026-03-01", "2026-04-02", true],
  ["FREQ=DAILY;UNTIL=20260401T003000Z", "2026-03-01T02:30", "2026-04-01T02:30:00", false],
  ["FREQ=DAILY;UNTIL=20260401T002959Z", "2026-03-01T02:30", "2026-04-01T02:30:00", true],
])("with %s from %s, %s is past the end: %s", (rrule, start, place, expected) => {
  const pattern = parseRecurrencePattern({ rrule, tz: "Europe/Berlin", start });
  expect(isPastEnd(pattern, place)).toBe(expected);
});
