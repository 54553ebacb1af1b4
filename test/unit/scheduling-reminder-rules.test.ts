import { expect, test } from "bun:test";
import { readConfig } from "../../shared/config.ts";
import { reminderRulesSetting } from "../../workers/reminder-scheduling-worker/reminder-rules.ts";

const read = (DEFAULT_REMINDER_RULES?: string) =>
  readConfig({ rules: reminderRulesSetting }, { DEFAULT_REMINDER_RULES }).rules;

test("without a setting a task is reminded of when it is due", () => {
  expect(read()).toEqual([{ rule: "at-due", offset_ms: 0 }]);
});

test("rules are names with durations before the due time, sorted by name", () => {
  expect(read("week-before=-P1W, hour-before=-PT1H,day-and-half=-P1DT12H")).toEqual([
    { rule: "day-and-half", offset_ms: -36 * 3600_000 },
    { rule: "hour-before", offset_ms: -3600_000 },
    { rule: "week-before", offset_ms: -7 * 24 * 3600_000 },
  ]);
});

test.each([
  ["later=PT1H", "at or up to a year before"],
  ["month=-P1M", "months, which vary"],
  ["a=-PT1H,a=-PT2H", "twice"],
  ["nonsense", "must be rules such as"],
  ["x=-Pfoo", "not an ISO 8601 duration"],
  ["ages=-P400D", "at or up to a year before"],
])("%s is refused", (text, message) => {
  expect(() => read(text)).toThrow(message);
});
