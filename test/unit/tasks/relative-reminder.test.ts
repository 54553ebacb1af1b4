import { expect, test } from "bun:test";
import { parseRelativeReminder } from "../../../shared/tasks/relative-reminder.ts";
import { dueInstant, remindAt } from "../../../shared/tasks/remind-at.ts";

const spellings: readonly (readonly [given: string, canonical: string | null])[] = [
  ["PT15M", "PT15M"],
  ["pt15m", "PT15M"],
  ["PT90M", "PT1H30M"],
  ["PT3600S", "PT1H"],
  ["PT24H", "PT24H"],
  ["P1D", "P1D"],
  ["P2W", "P14D"],
  ["P1W1DT2H", "P8DT2H"],
  ["PT0S", "PT0S"],
  ["P0D", "PT0S"],
  ["P1D@18:00", "P1D@18:00"],
  ["P0D@09:00", "P0D@09:00"],
  ["P1W@07:30", "P7D@07:30"],
  ["P366D", "P366D"],
  ["P367D", null],
  ["P366DT1S", null],
  ["P1M", null],
  ["P1Y", null],
  ["-PT15M", null],
  ["PT", null],
  ["P", null],
  ["", null],
  ["PT1H@18:00", null],
  ["P1D@24:00", null],
  ["P1D@9:00", null],
  ["15 minutes", null],
];

test.each(spellings)("%p is spelled %p", (given, canonical) => {
  expect(parseRelativeReminder(given)?.text ?? null).toBe(canonical);
});

test("a canonical spelling reads as itself", () => {
  for (const [, canonical] of spellings)
    if (canonical !== null) expect(parseRelativeReminder(canonical)?.text).toBe(canonical);
});

const berlin = { tz: "Europe/Berlin", allDayAt: "09:00" };
const instants: readonly (readonly [rule: string, due: string, remind: string, why: string])[] = [
  ["PT0S", "2026-01-31T09:00:00Z", "2026-01-31T09:00:00Z", "at the due time"],
  ["PT15M", "2026-01-31T09:00:00Z", "2026-01-31T08:45:00Z", "a quarter before"],
  ["P1D@18:00", "2026-01-31T09:00:00Z", "2026-01-30T17:00:00Z", "the day before at 18:00 in Berlin"],
  ["P1D", "2026-03-29T10:00:00Z", "2026-03-28T11:00:00Z", "a day of 23 hours: the wall clock is kept"],
  ["PT24H", "2026-03-29T10:00:00Z", "2026-03-28T10:00:00Z", "24 hours are 24 hours"],
  ["P1D@02:30", "2026-03-30T10:00:00Z", "2026-03-29T01:30:00Z", "02:30 does not exist that day: it is 03:30"],
  ["P0D@02:30", "2026-10-25T10:00:00Z", "2026-10-25T00:30:00Z", "02:30 comes twice: the first one"],
];

test.each(instants)("%p before %p is %p: %s", (text, due, remind) => {
  const rule = parseRelativeReminder(text);
  if (rule === null) throw new Error(`${text} is no rule`);
  expect(remindAt(rule, { kind: "instant", at: new Date(due) }, berlin)).toEqual(new Date(remind));
});

test("a whole day is due at the hour the user chose, in the user's zone", () => {
  const on = { kind: "day", on: "2026-03-29" } as const;
  expect(dueInstant(on, berlin)).toEqual(new Date("2026-03-29T07:00:00Z"));
  expect(dueInstant(on, { tz: "Pacific/Auckland", allDayAt: "08:30" })).toEqual(new Date("2026-03-28T19:30:00Z"));
  const dayBefore = parseRelativeReminder("P1D@18:00");
  if (dayBefore === null) throw new Error("is a rule");
  expect(remindAt(dayBefore, on, berlin)).toEqual(new Date("2026-03-28T17:00:00Z"));
});
