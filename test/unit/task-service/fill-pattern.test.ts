import { expect, test } from "bun:test";
import { parseRecurrencePattern, parseRecurrencePatternText } from "../../../shared/recurrence/recurrence-pattern.ts";
import { fillPattern } from "../../../workers/task-service/fill-pattern.ts";

const daily = { rrule: "FREQ=DAILY", tz: "Europe/Berlin", start: "2026-06-01T09:00" };
const noDue = { dueDate: null, dueOn: null, dueTz: null, zone: "UTC", now: new Date("2026-06-01T12:00:00Z") };
const fill = (pattern: object, before: string | null) =>
  fillPattern(parseRecurrencePattern(pattern), { ...noDue, before });
const leftOut = (text: string) => parseRecurrencePatternText(text).exdate;
const before = fill({ ...daily, exdate: ["2026-06-05T09:00", "2026-06-07T09:00"] }, null);

test.each<[string, object, readonly string[] | undefined]>([
  ["of another time of day", { ...daily, start: "2026-06-01T18:30" }, ["2026-06-05T18:30:00", "2026-06-07T18:30:00"]],
  ["of whole days", { ...daily, start: "2026-06-01" }, ["2026-06-05", "2026-06-07"]],
  ["of another zone", { ...daily, tz: "Asia/Tokyo" }, ["2026-06-05T09:00:00", "2026-06-07T09:00:00"]],
  [
    "that has several a day",
    { ...daily, rrule: "FREQ=DAILY;BYHOUR=8,20" },
    ["2026-06-05T08:00:00", "2026-06-07T08:00:00"],
  ],
  ["counted from completion", { ...daily, anchor: "completion" }, leftOut(before)],
  ["with an exdate of its own", { ...daily, exdate: ["2026-06-09T09:00"] }, ["2026-06-09T09:00:00"]],
  ["with an empty exdate", { ...daily, exdate: [] }, undefined],
  ["of which it would leave nothing", { ...daily, start: "2026-06-05T09:00", rrule: "FREQ=DAILY;COUNT=1" }, undefined],
])("a pattern %s in place of one that leaves out two days", (_, pattern, expected) => {
  expect(leftOut(fill(pattern, before))).toEqual(expected as string[] | undefined);
});

test("a day that a rule does not have stays left out for the next rule", () => {
  const weekly = fill({ ...daily, rrule: "FREQ=WEEKLY;BYDAY=MO" }, before);
  expect(leftOut(fill(daily, weekly))).toEqual(leftOut(before));
});

test("no empty list is stored", () => {
  expect(JSON.parse(fill({ ...daily, exdate: [] }, null))).not.toHaveProperty("exdate");
});
