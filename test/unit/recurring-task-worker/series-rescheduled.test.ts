import { describe, expect, test } from "bun:test";
import { placeIn, standsFor } from "../../../shared/recurrence/place-in.ts";
import { parseRecurrencePattern } from "../../../shared/recurrence/recurrence-pattern.ts";
import type { Exception } from "../../../workers/recurring-task-worker/exception.ts";
import type { World } from "../../../workers/recurring-task-worker/fold-series.ts";
import { scheduleOf } from "../../../workers/task-service/cut-pattern.ts";
import {
  at,
  completed,
  created,
  daily,
  deleted,
  hear,
  occurrence,
  template,
  tue,
  updated,
  wed,
} from "./series-world.ts";

const evening = { ...daily, start: "2026-11-24T18:00" };
const early = { ...daily, start: "2026-11-24T07:00" };
const allDay = { ...daily, start: "2026-11-24" };
const lima = { ...daily, tz: "America/Lima" };
const everyOther = { ...daily, rrule: "FREQ=DAILY;INTERVAL=2", start: "2026-11-24T18:00" };
const change = (version: number, time: string, pattern: object) =>
  updated(version, time, { recurrence_pattern: JSON.stringify(pattern) });
const begun = () => hear().events(created(1, "11-23T10:00", daily));

describe("a series whose time is changed has one task for each of its days", () => {
  const cases: readonly [string, object, string, string][] = [
    ["later", evening, "2026-11-25T18:00:00", "2026-11-26T18:00:00"],
    ["earlier", early, "2026-11-25T07:00:00", "2026-11-26T07:00:00"],
    ["all day", allDay, "2026-11-25", "2026-11-26"],
    ["in another zone", lima, wed, "2026-11-26T09:00:00"],
    ["every other day", everyOther, "2026-11-26T18:00:00", "2026-11-28T18:00:00"],
  ];
  test.each(cases)("%s, the day's task open", (_title, pattern, second, third) => {
    const heard = begun().events(change(2, "11-24T06:00", pattern), completed(2, "11-24T06:30", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, second]);
    heard.events(completed(2, "11-24T06:40", occurrence(second)));
    expect(heard.asked()).toEqual([tue, second, third]);
  });
  test.each(cases)("%s, the day's task overdue", (_title, pattern, second) => {
    const heard = begun()
      .pass("11-24T09:00")
      .events(change(2, "11-24T10:00", pattern))
      .pass("11-24T23:30");
    expect(heard.asked()).toEqual([tue]);
    heard.events(completed(2, "11-24T23:40", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, second]);
  });
  test.each(cases)("%s, the day's task deleted", (_title, pattern, second) => {
    const heard = begun().events(deleted(2, "11-24T05:00", occurrence(tue)), change(2, "11-24T06:00", pattern));
    expect(heard.asked()).toEqual([tue]);
    heard.pass("11-25T05:30");
    expect(heard.asked()).toEqual([tue, second]);
  });
  test.each(cases.slice(0, 4))("%s, the day's task done and the next one made", (_title, pattern, _second, third) => {
    const heard = begun().events(completed(2, "11-24T05:00", occurrence(tue)), change(2, "11-24T06:00", pattern));
    expect(heard.asked()).toEqual([tue, wed]);
    heard.events(completed(2, "11-24T07:00", occurrence(wed)));
    expect(heard.asked()).toEqual([tue, wed, third]);
  });
  test.each(cases.slice(0, 4))("%s and back", (_title, pattern, _second, third) => {
    const heard = begun().events(
      change(2, "11-24T06:00", pattern),
      change(3, "11-24T06:10", daily),
      completed(2, "11-24T06:20", occurrence(tue)),
      change(4, "11-24T06:30", pattern),
      completed(2, "11-24T06:40", occurrence(wed)),
    );
    expect(heard.asked()).toEqual([tue, wed, third]);
  });
  test("to another weekday: the open one stays, and the new one comes after it", () => {
    const weekly = { ...daily, rrule: "FREQ=WEEKLY;BYDAY=TU" };
    const heard = hear().events(
      created(1, "11-23T10:00", weekly),
      change(2, "11-24T06:00", { ...weekly, rrule: "FREQ=WEEKLY;BYDAY=TH" }),
    );
    expect(heard.series()).toMatchObject({ status: "waiting" });
    heard.events(completed(2, "11-24T07:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, "2026-11-26T09:00:00"]);
  });
  test("one overdue since an earlier day holds up none of the missed days, where all are to be made", () => {
    const all = { ...daily, catch_up: "all" };
    const heard = hear().events(created(1, "11-23T10:00", all));
    heard.events(change(2, "11-26T10:00", { ...all, start: "2026-11-24T18:00" }));
    heard.events(completed(2, "11-28T20:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, "2026-11-26T18:00:00"]);
  });
  test("what a person did ahead of its turn fills its day too", () => {
    const heard = begun();
    const [first] = heard.series().occurrences;
    if (first === undefined) throw new Error("nothing asked for");
    const done = { ...first, id: occurrence(wed), number: 2, recurrenceId: wed, at: at("11-25T09:00"), ahead: true };
    const ahead = { ...done, duePassesAt: done.at, state: "completed", closedAt: at("11-23T12:00") } as const;
    const one = { ...heard.series(), occurrences: [first, ahead] };
    const after = hear({ ...heard.world(), series: new Map([[template, one]]) });
    after.events(change(2, "11-24T06:00", evening), completed(2, "11-24T07:00", occurrence(tue)));
    expect(after.asked()).toEqual(["2026-11-26T18:00:00"]);
  });
  test("several times a day: each is the nearest one's", () => {
    const twice = { ...daily, rrule: "FREQ=DAILY;BYHOUR=8,20", start: "2026-11-24T08:00" };
    const heard = hear().events(
      created(1, "11-23T10:00", twice),
      completed(2, "11-24T07:30", occurrence("2026-11-24T08:00:00")),
      change(2, "11-24T07:40", { ...twice, rrule: "FREQ=DAILY;BYHOUR=9,21" }),
      completed(2, "11-24T07:50", occurrence("2026-11-24T20:00:00")),
    );
    expect(heard.asked()).toEqual(["2026-11-24T08:00:00", "2026-11-24T20:00:00", "2026-11-25T09:00:00"]);
  });
});

describe("what was decided of a day beforehand holds at its new time", () => {
  const withException = (exception: Exception): World => {
    const heard = begun();
    const one = { ...heard.series(), exceptions: new Map([[exception.recurrenceId, exception]]) };
    return { ...heard.world(), series: new Map([[template, one]]) };
  };
  test.each([
    ["later", evening, "2026-11-25T18:00:00", "2026-11-26T18:00:00"],
    ["all day", allDay, "2026-11-25", "2026-11-26"],
  ] as const)("skipped: %s", (_title, pattern, day, next) => {
    const skipped = { recurrenceId: wed, at: at("11-25T09:00"), kind: "skipped" } as const;
    const heard = hear(withException(skipped)).events(change(2, "11-24T06:00", pattern));
    expect([...heard.series().exceptions.keys()]).toEqual([day]);
    heard.events(completed(2, "11-24T06:30", occurrence(tue)));
    expect(heard.asked()).toEqual([next]);
  });
  test("moved: the other due stays", () => {
    const due = { date: at("11-25T13:00"), on: null };
    const moved = { recurrenceId: wed, at: at("11-25T09:00"), kind: "moved", due } as const;
    const heard = hear(withException(moved));
    heard.events(change(2, "11-24T06:00", evening), completed(2, "11-24T06:30", occurrence(tue)));
    expect(heard.asked()).toEqual(["2026-11-25T18:00:00"]);
    expect(heard.series().occurrences.at(-1)?.duePassesAt.toISOString()).toBe(at("11-25T13:00").toISOString());
  });
});

test("a timer goes on from the new time, and what is done keeps the due it was done by", () => {
  const two = { ...daily, max_open: 2 };
  const heard = hear().events(created(1, "11-23T10:00", two));
  heard.events(change(2, "11-24T06:00", { ...two, start: evening.start }));
  expect(heard.series().status).toBe("pending");
  expect(heard.series().wakeAt?.toISOString()).toBe(at("11-24T18:00").toISOString());
  const done = begun().events(completed(2, "11-24T08:00", occurrence(tue)), change(2, "11-24T08:30", evening));
  const dues = done.series().occurrences.map(({ duePassesAt }) => duePassesAt.toISOString());
  expect(dues).toEqual([at("11-24T09:00").toISOString(), at("11-25T18:00").toISOString()]);
});

test.each<[string, object, string, string | null]>([
  ["its own start", daily, wed, wed],
  ["the time of its day", evening, wed, "2026-11-25T18:00:00"],
  ["the day, of a time", allDay, wed, "2026-11-25"],
  ["the time, of a day", evening, "2026-11-25", "2026-11-25T18:00:00"],
  ["the nearest of several", { ...daily, rrule: "FREQ=DAILY;BYHOUR=6,14,22" }, wed, "2026-11-25T06:00:00"],
  ["nothing on a day the rule does not have", { ...daily, rrule: "FREQ=WEEKLY;BYDAY=TU" }, wed, null],
  ["nothing before the start", { ...daily, start: "2026-11-26T09:00" }, wed, null],
  ["nothing after the end", { ...daily, rrule: "FREQ=DAILY;COUNT=1" }, wed, null],
  ["nothing where it is left out", { ...evening, exdate: ["2026-11-25T18:00"] }, wed, null],
  ["nothing in a gap of the clocks", { ...daily, tz: "Europe/Berlin", start: "2026-03-01T02:30" }, "2026-03-29", null],
  ["the first of a copy's day", evening, `${wed}#2`, "2026-11-25T18:00:00"],
  [
    "any day, counted from completion",
    { ...evening, rrule: "FREQ=WEEKLY", anchor: "completion" },
    wed,
    "2026-11-25T18:00:00",
  ],
])("an occurrence stands for %s", (_title, pattern, id, expected) => {
  const parsed = parseRecurrencePattern(pattern);
  const laid = { schedule: scheduleOf(parsed), pattern: parsed };
  expect(placeIn(laid, id)?.id ?? null).toBe(expected);
  if (expected !== null) expect(standsFor(laid, id, { id: expected })).toBe(true);
});
