import { expect, test } from "bun:test";
import {
  clockInWords,
  dateInWords,
  dueInWords,
  dueOrder,
  isOverdue,
  timeInWords,
} from "../../../../workers/ui-gateway/page/due-words.ts";
import { remindersInWords, remindInWords } from "../../../../workers/ui-gateway/page/remind-words.ts";
import { historyInWords, shownDates } from "../../../../workers/ui-gateway/page/series-dates.ts";
import type { OccurrenceJson } from "../../../../workers/ui-gateway/page/shapes.ts";

/** Local to wherever the test runs, as the browser's zone is to the page. */
const at = (local: string) => new Date(local).toISOString();
const now = new Date("2026-11-25T12:00");
const on = (due_on: string) => ({ due_date: null, due_on });
const time = (local: string) => ({ due_date: at(local), due_on: null });

test("a time is told with its day, near ones by name", () => {
  expect(timeInWords(at("2026-11-25T17:00"), now)).toBe("today 17:00");
  expect(timeInWords(at("2026-11-26T00:00"), now)).toBe("tomorrow 00:00");
  expect(timeInWords(at("2026-11-24T23:59"), now)).toBe("yesterday 23:59");
  expect(timeInWords(at("2026-11-27T17:00"), now)).toMatch(/^Fri (27 Nov|Nov 27) 17:00$/);
  expect(timeInWords(at("2027-01-29T17:00"), now)).toMatch(/2027 17:00$/);
  expect([clockInWords(at("2026-11-25T18:10"), now), clockInWords(at("2026-11-26T09:00"), now)]).toEqual([
    "18:10",
    "tomorrow 09:00",
  ]);
});

test("a whole day is told without a time and is the same day in every zone", () => {
  expect(dueInWords(on("2026-11-25"), now)).toBe("today");
  expect(dueInWords(on("2026-11-26"), now)).toBe("tomorrow");
  expect(dueInWords(on("2026-11-27"), now)).toMatch(/^Fri (27 Nov|Nov 27)$/);
  expect(dueInWords({ due_date: null, due_on: null }, now)).toBe("");
  expect(dateInWords(on("2026-11-27"), now)).toMatch(/^Friday (27 November|November 27)$/);
  expect(dateInWords(time("2026-11-27T17:00"), now)).toMatch(/^Friday (27 November|November 27), 17:00$/);
});

test("a time is overdue once it has passed, a day once it is over", () => {
  expect([time("2026-11-25T11:59"), time("2026-11-25T12:01")].map((due) => isOverdue(due, now))).toEqual([true, false]);
  expect([on("2026-11-24"), on("2026-11-25"), on("2026-11-26")].map((due) => isOverdue(due, now))).toEqual([
    true,
    false,
    false,
  ]);
  expect(isOverdue({ due_date: null, due_on: null }, now)).toBe(false);
});

test("a whole day stands before the times of that day and after those of the day before", () => {
  const sorted = [time("2026-11-24T23:00"), on("2026-11-25"), time("2026-11-25T00:00"), on("2026-11-26")];
  const order = sorted.map((due) => dueOrder(due) ?? 0);
  expect(order.toSorted((a, b) => a - b)).toEqual(order);
  expect(new Set(order).size).toBe(4);
  expect(dueOrder({ due_date: null, due_on: null })).toBeNull();
});

test("reminders are told as people say them", () => {
  const words: Readonly<Record<string, string>> = {
    PT0S: "at the due time",
    PT10M: "10 minutes before",
    PT1M: "1 minute before",
    PT1H: "an hour before",
    PT1H30M: "1 hour 30 minutes before",
    P1D: "a day before",
    P2DT1H: "2 days 1 hour before",
    "P1D@18:00": "the day before at 18:00",
    "P0D@09:00": "on the day at 09:00",
    "P3D@18:00": "3 days before at 18:00",
    nonsense: "nonsense",
  };
  for (const [rule, said] of Object.entries(words)) expect(remindInWords(rule)).toBe(said);
  expect([[], ["PT0S"], ["PT0S", "PT1H"], ["PT0S", "PT1H", "P1D"]].map(remindersInWords)).toEqual([
    "none",
    "at the due time",
    "at the due time and an hour before",
    "at the due time, an hour before and a day before",
  ]);
});

const occurrence = (state: OccurrenceJson["state"], day: number): OccurrenceJson => ({
  recurrence_id: `2026-12-${String(day).padStart(2, "0")}`,
  due_date: null,
  due_on: `2026-12-${String(day).padStart(2, "0")}`,
  state,
  moved: false,
  task_id: null,
});

test("five dates to come are shown, what is skipped among them too", () => {
  const states = ["open", "skipped", "upcoming", "missed", "completed", "upcoming", "upcoming", "upcoming"] as const;
  const all = [...states, "skipped", "upcoming"] as const;
  const shown = shownDates(all.map((state, index) => occurrence(state, index + 1)));
  expect(shown.map(({ state }) => state)).toEqual([
    "open",
    "skipped",
    "upcoming",
    "completed",
    "upcoming",
    "upcoming",
    "upcoming",
  ]);
});

test("no dates are shown where nothing more will be, unless a skip can be taken back", () => {
  const shown = (...states: OccurrenceJson["state"][]) =>
    shownDates(states.map((state, index) => occurrence(state, index + 1))).map(({ state }) => state);
  expect([shown(), shown("completed", "deleted"), shown("missed"), shown("completed", "skipped")]).toEqual([
    [],
    [],
    [],
    ["completed", "skipped"],
  ]);
});

test("a history is one line, and none before anything happened", () => {
  const history = (done: number, skipped: number, missed: number, current_streak = 0) =>
    historyInWords({ totals: { done, skipped, missed }, current_streak });
  expect([history(0, 0, 0), history(1, 0, 0, 1), history(12, 2, 1, 5), history(0, 1, 0)]).toEqual([
    "",
    "Done once",
    "Done 12 times, skipped 2, missed 1; 5 in a row",
    "Skipped 1",
  ]);
});
