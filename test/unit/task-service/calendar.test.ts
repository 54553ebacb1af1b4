import { describe, expect, test } from "bun:test";
import { calendarRule } from "../../../workers/task-service/calendar/calendar-rule.ts";
import { contentLine, textValue } from "../../../workers/task-service/calendar/content-line.ts";
import { instantLine } from "../../../workers/task-service/calendar/time-value.ts";
import { parseRecurrencePattern, ruleOf } from "../../../shared/recurrence/recurrence-pattern.ts";
import { makeRecurrences } from "../../../shared/recurrence/recurrence.ts";

describe("text", () => {
  test.each([
    ["plain", "plain"],
    ["bread, milk; eggs", "bread\\, milk\\; eggs"],
    ["C:\\new", "C:\\\\new"],
    ["one\ntwo\r\nthree\rfour", "one\\ntwo\\nthree\\nfour"],
    ["a: \"b\" 'c'\t|", "a: \"b\" 'c'\t|"],
    ["bell\u0007 and null\u0000", "bell and null"],
    ["BEGIN:VTODO\r\nEND:VCALENDAR", "BEGIN:VTODO\\nEND:VCALENDAR"],
    ["", ""],
  ])("%j becomes %j", (text, value) => {
    expect(textValue(text)).toBe(value);
  });
});

describe("lines", () => {
  const octets = (line: string) => new TextEncoder().encode(line).length;
  const unfold = (text: string) => text.replaceAll("\r\n ", "");

  test("two million characters are folded whole", () => {
    const text = "ä".repeat(2_000_000);
    expect(unfold(contentLine("DESCRIPTION", text)).trimEnd()).toBe(`DESCRIPTION:${text}`);
  });

  test.each([
    ["67 letters are one line of 75 octets", "a".repeat(67), 1],
    ["68 are two", "a".repeat(68), 2],
    ["letters of two octets", "ü".repeat(100), 3],
    ["letters of three", "漢".repeat(100), 5],
    ["letters of four, which JavaScript counts as two", "🌱".repeat(100), 6],
    ["mixed ones", "aü漢🌱".repeat(50), 7],
    ["a value that begins with spaces", " ".repeat(200), 3],
  ])("%s", (_title, value, lines) => {
    const folded = contentLine("SUMMARY", value);
    expect(folded.endsWith("\r\n")).toBe(true);
    const all = folded.slice(0, -2).split("\r\n");
    expect(all.map(octets).filter((size) => size > 75)).toEqual([]);
    expect(all).toHaveLength(lines);
    expect(unfold(folded)).toBe(`SUMMARY:${value}\r\n`);
    // No character was cut: each line alone is whole text.
    expect(folded).not.toContain("\ufffd");
    expect(new TextDecoder("utf-8", { fatal: true }).decode(new TextEncoder().encode(all.join("")))).toBe(all.join(""));
  });
});

describe("the rule of a pattern", () => {
  test.each<[rrule: string, start: string, monthEnd: "skip" | "clamp", expected: string, first?: string]>([
    ["FREQ=DAILY;UNTIL=20261231", "2026-01-31T09:00:00", "skip", "FREQ=DAILY;UNTIL=20261231T225959Z"],
    ["FREQ=DAILY;UNTIL=20260701T100000", "2026-01-31T09:00:00", "skip", "FREQ=DAILY;UNTIL=20260701T080000Z"],
    ["FREQ=DAILY;UNTIL=20260701T100000Z", "2026-01-31T09:00:00", "skip", "FREQ=DAILY;UNTIL=20260701T100000Z"],
    ["FREQ=DAILY;UNTIL=20260701T230000Z", "2026-01-31", "skip", "FREQ=DAILY;UNTIL=20260701"],
    ["FREQ=DAILY;UNTIL=20261231", "2026-01-31", "skip", "FREQ=DAILY;UNTIL=20261231"],
    ["FREQ=MONTHLY;BYDAY=-1FR", "2026-01-01", "skip", "FREQ=MONTHLY;BYDAY=-1FR", "2026-01-30"],
    ["FREQ=YEARLY;BYWEEKNO=20", "2026-01-01", "skip", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=TH", "2026-05-14"],
    ["FREQ=MONTHLY", "2026-01-31", "skip", "FREQ=MONTHLY"],
    ["FREQ=MONTHLY", "2026-01-28", "clamp", "FREQ=MONTHLY"],
    ["FREQ=MONTHLY", "2026-01-31", "clamp", "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"],
    ["FREQ=MONTHLY;COUNT=5", "2026-01-30", "clamp", "FREQ=MONTHLY;COUNT=5;BYMONTHDAY=28,29,30;BYSETPOS=-1"],
    [
      "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=31,15",
      "2026-01-15",
      "clamp",
      "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=15,28,29,30,31;BYSETPOS=1,-1",
    ],
    [
      "FREQ=MONTHLY;BYMONTHDAY=15,31;BYHOUR=8,20",
      "2026-01-15T08:00:00",
      "clamp",
      "FREQ=MONTHLY;BYMONTHDAY=15,28,29,30,31;BYHOUR=8,20;BYSETPOS=1,2,-2,-1",
    ],
    ["FREQ=YEARLY", "2028-02-29", "clamp", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1"],
    [
      "FREQ=YEARLY;INTERVAL=3;BYMONTH=2",
      "2026-01-31",
      "clamp",
      "FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
      "2026-02-28",
    ],
    [
      "FREQ=YEARLY;BYMONTH=2,4;BYMONTHDAY=31",
      "2026-01-01",
      "clamp",
      "FREQ=MONTHLY;BYMONTH=2,4;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
      "2026-02-28",
    ],
  ])("%s from %s, %s: %s", (rrule, start, month_end, expected, first = start) => {
    const pattern = parseRecurrencePattern({ rrule, start, tz: "Europe/Berlin", month_end });
    const exported = calendarRule(pattern);
    expect(exported).toEqual({ start: first, tz: "Europe/Berlin", rrule: expected, rdates: [] });

    // Read as RFC 5545 reads it, it gives the same recurrences.
    const list = (text: string, monthEnd: "skip" | "clamp", from: string) =>
      makeRecurrences({
        rule: ruleOf(parseRecurrencePattern({ rrule: text, month_end: monthEnd })),
        start: from,
        tz: "Europe/Berlin",
        monthEnd,
      })
        .between(new Date(0), new Date("2200-01-01T00:00:00Z"), 60)
        .map(({ id }) => id);
    expect(list(expected, "skip", first)).toEqual(list(rrule, month_end, start));
  });

  test.each([
    ["two days above 28", "FREQ=MONTHLY;BYMONTHDAY=30,31"],
    ["the 28th and the 31st", "FREQ=MONTHLY;BYMONTHDAY=28,31"],
    ["days from both ends", "FREQ=MONTHLY;BYMONTHDAY=31,-2"],
    ["several months every other year", "FREQ=YEARLY;INTERVAL=2;BYMONTH=2,4;BYMONTHDAY=31"],
  ])("%s, clamped, are the first hundred days", (_title, rrule) => {
    const pattern = parseRecurrencePattern({ rrule, start: "2026-01-01", tz: "UTC", month_end: "clamp" });
    const series = makeRecurrences({ rule: ruleOf(pattern), start: "2026-01-01", tz: "UTC", monthEnd: "clamp" });
    const ids = series.between(new Date(0), new Date("2300-01-01T00:00:00Z"), 100).map(({ id }) => id);
    expect(calendarRule(pattern)).toEqual({ start: ids[0] ?? "", tz: "UTC", rrule: null, rdates: ids.slice(1) });
  });
});

test("an instant is told on the clock of its zone, except where the clock tells it twice", () => {
  const line = (iso: string, tz: string | null) => instantLine("DUE", new Date(iso), tz).trim();
  expect(line("2026-01-31T08:00:00Z", "Europe/Berlin")).toBe("DUE;TZID=Europe/Berlin:20260131T090000");
  // Of a time that comes twice RFC 5545 means the first and ical.js the second.
  expect(line("2026-10-25T00:30:00Z", "Europe/Berlin")).toBe("DUE:20261025T003000Z");
  expect(line("2026-10-24T23:59:59Z", "Europe/Berlin")).toBe("DUE;TZID=Europe/Berlin:20261025T015959");
  expect(line("2026-10-25T01:30:00Z", "Europe/Berlin")).toBe("DUE:20261025T013000Z");
  expect(line("2026-10-25T01:30:00.123Z", "UTC")).toBe("DUE:20261025T013000Z");
  expect(line("2026-10-25T01:30:00Z", null)).toBe("DUE:20261025T013000Z");
});
