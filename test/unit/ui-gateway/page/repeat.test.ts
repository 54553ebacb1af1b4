import { describe, expect, test } from "bun:test";
import { parseRecurrencePattern } from "../../../../shared/recurrence/recurrence-pattern.ts";
import { makeRecurrences } from "../../../../shared/recurrence/recurrence.ts";
import { parseRrule } from "../../../../shared/recurrence/parse-rrule.ts";
import { readRepeat } from "../../../../workers/ui-gateway/page/read-repeat.ts";
import { previewDates } from "../../../../workers/ui-gateway/page/repeat-preview.ts";
import {
  mayBeTooShort,
  neverRepeats,
  repeatPattern,
  type RepeatFields,
  type RepeatPattern,
} from "../../../../workers/ui-gateway/page/repeat-rule.ts";
import { repeatInWords } from "../../../../workers/ui-gateway/page/repeat-words.ts";

const tz = "Europe/Berlin";
const friday = "2026-11-27T17:00";
const patternOf = (fields: Partial<RepeatFields>, start = friday) =>
  repeatPattern({ ...neverRepeats, ...fields }, { start, tz });

const table: readonly (readonly [fields: Partial<RepeatFields>, rrule: string, words: string])[] = [
  [{ every: "day" }, "FREQ=DAILY", "every day at 17:00"],
  [{ every: "day", interval: 3 }, "FREQ=DAILY;INTERVAL=3", "every 3 days at 17:00"],
  [{ every: "weekday", interval: 2 }, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday at 17:00"],
  [{ every: "week" }, "FREQ=WEEKLY", "every week on Friday at 17:00"],
  [
    { every: "week", interval: 2, on: ["WE", "MO"] },
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE",
    "every 2 weeks on Monday and Wednesday at 17:00",
  ],
  [{ every: "month", monthDay: 15 }, "FREQ=MONTHLY;BYMONTHDAY=15", "on the 15th of every month at 17:00"],
  [{ every: "month", monthly: "last-day" }, "FREQ=MONTHLY;BYMONTHDAY=-1", "on the last day of every month at 17:00"],
  [
    { every: "month", monthly: "weekday", ordinal: "-1", weekday: "FR" },
    "FREQ=MONTHLY;BYDAY=-1FR",
    "every last Friday of the month at 17:00",
  ],
  [
    { every: "month", interval: 3, monthly: "weekday", ordinal: "2", weekday: "TU" },
    "FREQ=MONTHLY;INTERVAL=3;BYDAY=2TU",
    "every 3 months on the 2nd Tuesday of the month at 17:00",
  ],
  [{ every: "year" }, "FREQ=YEARLY", "every year on the 27th of November at 17:00"],
  [
    { every: "day", ends: "on", until: "2026-12-31" },
    "FREQ=DAILY;UNTIL=20261231",
    "every day at 17:00, until 31 Dec 2026",
  ],
  [{ every: "day", ends: "after", count: 4 }, "FREQ=DAILY;COUNT=4", "every day at 17:00, 4 times"],
  [{ every: "week", anchor: "completion" }, "FREQ=WEEKLY", "1 week after completion at 17:00"],
  [{ every: "month", monthly: "done", anchor: "completion" }, "FREQ=MONTHLY", "1 month after completion at 17:00"],
  [
    { every: "month", interval: 3, monthly: "done", anchor: "completion" },
    "FREQ=MONTHLY;INTERVAL=3",
    "3 months after completion at 17:00",
  ],
  [
    { every: "month", interval: 3, monthDay: 15, anchor: "completion" },
    "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15",
    "3 months or more after completion, on the 15th of the month at 17:00",
  ],
  [
    { every: "week", on: ["TH", "MO"], anchor: "completion" },
    "FREQ=WEEKLY;BYDAY=MO,TH",
    "after completion, next on Monday or Thursday at 17:00",
  ],
  [{ every: "year", anchor: "completion" }, "FREQ=YEARLY", "1 year after completion at 17:00"],
];

describe("the form makes a rule, says it, and reads it back", () => {
  for (const [fields, rrule, words] of table)
    test(rrule + (fields.anchor ? ` after ${fields.anchor}` : ""), () => {
      const pattern = patternOf(fields);
      expect(pattern?.rrule).toBe(rrule);
      expect(repeatInWords(pattern, tz)).toBe(words);
      // As the server stores it: every choice filled in, seconds in the start.
      const stored = { ...parseRecurrencePattern(pattern) };
      const again = readRepeat(stored);
      expect(again && patternOf(again)?.rrule).toBe(rrule);
      expect(again?.anchor).toBe(fields.anchor ?? "schedule");
      if (fields.monthly) expect(again?.monthly).toBe(fields.monthly);
    });
});

test("a task that never repeats has no pattern, and a day makes an all-day series", () => {
  expect(patternOf({})).toBeNull();
  expect(patternOf({ every: "week" }, "2026-11-27")).toMatchObject({ start: "2026-11-27", tz });
});

test("month ends are clamped only where there is something to clamp", () => {
  const clamps: readonly (readonly [fields: Partial<RepeatFields>, start: string, month_end: string])[] = [
    [{ every: "month", monthDay: 31 }, "2026-01-31T09:00", "clamp"],
    [{ every: "month", monthDay: 31, clamp: false }, "2026-01-31T09:00", "skip"],
    [{ every: "month", monthDay: 29 }, "2026-01-29T09:00", "clamp"],
    [{ every: "month", monthDay: 28 }, "2026-01-28T09:00", "skip"],
    [{ every: "month", monthly: "last-day", monthDay: 31 }, "2026-01-31T09:00", "skip"],
    [{ every: "year" }, "2028-02-29", "clamp"],
    [{ every: "year" }, "2028-02-28", "skip"],
    [{ every: "year", anchor: "completion" }, "2028-02-29", "skip"],
    [{ every: "month", monthly: "done", anchor: "completion", monthDay: 31 }, "2026-01-31T09:00", "skip"],
    [{ every: "month", anchor: "completion", monthDay: 31 }, "2026-01-15T09:00", "clamp"],
    [{ every: "week", monthDay: 31 }, "2026-01-31", "skip"],
  ];
  for (const [fields, start, month_end] of clamps) {
    expect(patternOf(fields, start)?.month_end).toBe(month_end as RepeatPattern["month_end"]);
    if (fields.clamp !== false)
      expect(mayBeTooShort({ ...neverRepeats, ...fields }, start)).toBe(month_end === "clamp");
  }
});

test("a zone is told where it is not the one of the browser", () => {
  const pattern = patternOf({ every: "day" });
  expect(repeatInWords(pattern, "America/New_York")).toBe("every day at 17:00 (Europe/Berlin)");
  expect(repeatInWords(null)).toBe("");
});

test("a rule the form has no fields for is not taken for another", () => {
  const start = "2026-11-27T17:00:00";
  for (const rrule of [
    "FREQ=MONTHLY;BYDAY=-1FR,1MO",
    "FREQ=MONTHLY;BYDAY=-2FR",
    "FREQ=MONTHLY;BYMONTHDAY=1,15",
    "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1",
    "FREQ=YEARLY;BYMONTH=5",
    "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,17",
    "FREQ=DAILY;UNTIL=20261231T120000Z",
    "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
  ])
    expect(readRepeat({ rrule, start })).toBeNull();
  expect(readRepeat({ rrule: "FREQ=MONTHLY", start })).toMatchObject({ monthly: "day", monthDay: 27 });
  expect(readRepeat({ rrule: "FREQ=MONTHLY", start, anchor: "completion" })?.monthly).toBe("done");
  expect(readRepeat({ rrule: "daily" })).toBeNull();
});

describe("dates before it is saved", () => {
  test("are those the server will make", () => {
    for (const [fields] of table)
      for (const start of [friday, "2026-01-31T23:30", "2028-02-29", "2026-03-29T02:30"]) {
        const pattern = patternOf(fields, start);
        if (pattern === null || pattern.anchor === "completion") continue;
        const rule = parseRrule(pattern.rrule);
        if ("message" in rule) throw new Error(rule.message);
        const recurrences = makeRecurrences({
          rule,
          tz,
          start: start.length === 10 ? start : `${start}:00`,
          monthEnd: pattern.month_end,
        });
        const served = recurrences.between(new Date(0), new Date("2200-01-01"), 5).map(({ id }) => id);
        expect(previewDates(pattern, existsInBerlin)).toEqual(served);
      }
  });

  test("are five at most, end with the rule, and are none where nobody knows them", () => {
    const dates = (fields: Partial<RepeatFields>, start = friday) => {
      const pattern = patternOf(fields, start);
      return pattern && previewDates(pattern, () => true);
    };
    expect(dates({ every: "month", monthly: "weekday", ordinal: "-1", weekday: "FR" }, "2026-11-25T17:00")).toEqual([
      "2026-11-27T17:00:00",
      "2026-12-25T17:00:00",
      "2027-01-29T17:00:00",
      "2027-02-26T17:00:00",
      "2027-03-26T17:00:00",
    ]);
    expect(dates({ every: "day", ends: "after", count: 2 })).toHaveLength(2);
    expect(dates({ every: "day", ends: "on", until: "2026-11-28" })).toHaveLength(2);
    expect(dates({ every: "day", ends: "on", until: "2026-11-01" })).toEqual([]);
    expect(dates({ every: "day", anchor: "completion" })).toEqual([]);
    expect(dates({ every: "day" }, "")).toEqual([]);
  });
});

/** Half past two does not exist on 29 March 2026 there. */
function existsInBerlin(local: string): boolean {
  const plain = Temporal.PlainDateTime.from(local);
  return plain.toZonedDateTime(tz).toPlainDateTime().equals(plain);
}
