import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { instantOf } from "../../../shared/recurrence/find-recurrence.ts";
import { parseRrule, type Rrule } from "../../../shared/recurrence/parse-rrule.ts";
import { makeRecurrences, type Schedule } from "../../../shared/recurrence/recurrence.ts";
import { wallText } from "../../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { afterCompletion } from "../../../workers/recurring-task-worker/after-completion.ts";

function ruleOf(rrule: string): Rrule {
  const rule = parseRrule(rrule);
  if ("message" in rule) throw new Error(rule.message);
  return rule;
}

const scheduleOf = (rrule: string, over: Partial<Schedule> = {}): Schedule => ({
  rule: ruleOf(rrule),
  start: "2024-01-01T09:00:00",
  tz: "UTC",
  monthEnd: "skip",
  ...over,
});

/** The day that follows one of `due`, done on `done` at noon. */
const next = (rrule: string, due: string | null, done: string, over: Partial<Schedule> = {}): string | null => {
  const schedule = scheduleOf(rrule, over);
  const id = due === null ? null : `${due}${schedule.start.slice(10)}`;
  const at = id === null ? null : instantOf(id, schedule.tz);
  const last = id === null || at === null ? null : { id, at };
  const noon = instantOf(`${done}T12:00:00`, schedule.tz);
  if (noon === null) throw new Error(done);
  return afterCompletion(schedule, noon, { last, made: id === null ? [] : [id] })?.id ?? null;
};

describe("a span is counted from the day of completion", () => {
  test.each<[rrule: string, due: string, done: string, next: string]>([
    ["FREQ=DAILY", "2026-06-10", "2026-06-10", "2026-06-11"],
    ["FREQ=DAILY", "2026-06-10", "2026-06-12", "2026-06-13"],
    ["FREQ=DAILY;INTERVAL=3", "2026-06-10", "2026-06-09", "2026-06-12"],
    ["FREQ=WEEKLY;INTERVAL=2", "2026-06-10", "2026-06-13", "2026-06-27"],
    ["FREQ=MONTHLY", "2026-01-31", "2026-01-31", "2026-02-28"],
    ["FREQ=MONTHLY", "2026-02-28", "2026-02-28", "2026-03-28"],
    ["FREQ=MONTHLY;INTERVAL=6", "2026-02-15", "2026-08-31", "2027-02-28"],
    ["FREQ=MONTHLY;INTERVAL=6", "2027-02-15", "2027-08-31", "2028-02-29"],
    ["FREQ=MONTHLY;INTERVAL=3", "2026-01-15", "2026-11-30", "2027-02-28"],
    ["FREQ=MONTHLY;INTERVAL=12", "2028-02-29", "2028-02-29", "2029-02-28"],
    ["FREQ=YEARLY", "2028-02-29", "2028-02-29", "2029-02-28"],
    ["FREQ=YEARLY;INTERVAL=4", "2028-02-29", "2028-02-29", "2032-02-29"],
    ["FREQ=YEARLY", "2026-06-10", "2026-07-20", "2027-07-20"],
  ])("%s due %s done %s: %s, whatever becomes of month ends", (rrule, due, done, expected) => {
    for (const monthEnd of ["skip", "clamp"] as const) {
      expect(next(rrule, due, done, { monthEnd })).toBe(`${expected}T09:00:00`);
      expect(next(rrule, due, done, { monthEnd, start: "2026-01-01" })).toBe(expected);
    }
  });

  test.each<[title: string, rrule: string, due: string, done: string, next: string]>([
    ["a day early, daily", "FREQ=DAILY", "2026-06-11", "2026-06-10", "2026-06-12"],
    ["a week early, weekly", "FREQ=WEEKLY", "2026-06-17", "2026-06-10", "2026-06-18"],
    ["in the month before, monthly", "FREQ=MONTHLY", "2026-02-28", "2026-01-31", "2026-03-01"],
  ])("the date just done is passed over: %s", (_title, rrule, due, done, expected) => {
    expect(next(rrule, due, done)).toBe(`${expected}T09:00:00`);
  });

  test("where the clocks jump over the time of the series at its end, it comes the day after", () => {
    const over = { tz: "Europe/Berlin", start: "2026-01-01T02:30:00" };
    expect(next("FREQ=DAILY;INTERVAL=3", "2026-03-26", "2026-03-26", over)).toBe("2026-03-30T02:30:00");
  });

  test("the day of completion is that of the zone of the series", () => {
    const done = new Date("2026-06-10T12:00:00Z");
    const of = (tz: string) =>
      afterCompletion(scheduleOf("FREQ=DAILY;INTERVAL=3", { tz, start: "2026-06-01" }), done)?.id;
    expect(["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"].map(of)).toEqual([
      "2026-06-13",
      "2026-06-14",
      "2026-06-13",
    ]);
    const late = new Date("2026-06-10T02:00:00Z");
    const schedule = scheduleOf("FREQ=MONTHLY", { tz: "America/Los_Angeles", start: "2026-06-01" });
    expect(afterCompletion(schedule, late)?.id).toBe("2026-07-09");
  });
});

describe("where the rule names days, the first of them at the end of the span or after it is next", () => {
  test.each<[rrule: string, due: string | null, done: string, next: string]>([
    // 28 May 2024 is a Tuesday.
    ["FREQ=WEEKLY;INTERVAL=3;BYDAY=SA", null, "2024-05-28", "2024-06-22"],
    ["FREQ=WEEKLY;INTERVAL=3;BYDAY=SA", "2024-06-01", "2024-05-31", "2024-06-22"],
    ["FREQ=WEEKLY;INTERVAL=3;BYDAY=SA", "2024-06-01", "2024-06-01", "2024-06-22"],
    ["FREQ=WEEKLY;INTERVAL=3;BYDAY=SA", "2024-06-01", "2024-06-02", "2024-06-29"],
    ["FREQ=WEEKLY;BYDAY=SA", "2024-06-01", "2024-05-31", "2024-06-08"],
    ["FREQ=WEEKLY;BYDAY=SA", "2024-06-08", "2024-05-31", "2024-06-15"],
    ["FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "2026-06-08", "2026-06-08", "2026-06-22"],
    ["FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15", "2026-01-15", "2026-01-14", "2026-04-15"],
    ["FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15", "2026-01-15", "2026-02-10", "2026-05-15"],
    ["FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=29", "2026-11-29", "2026-11-28", "2027-03-29"],
    ["FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=29", "2026-10-29", "2026-10-28", "2027-01-29"],
    ["FREQ=MONTHLY;BYMONTHDAY=1", "2026-01-01", "2026-01-31", "2026-03-01"],
    ["FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31", "2026-01-31", "2026-02-28"],
    ["FREQ=MONTHLY;BYMONTHDAY=-1", "2026-02-28", "2026-02-28", "2026-03-31"],
    ["FREQ=DAILY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR", "2026-06-11", "2026-06-11", "2026-06-15"],
    ["FREQ=DAILY;BYMONTH=7", "2026-07-31", "2026-07-31", "2027-07-01"],
    ["FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=10", "2026-05-10", "2026-05-09", "2027-05-10"],
  ])("%s due %s done %s: %s", (rrule, due, done, expected) => {
    expect(next(rrule, due, done)).toBe(`${expected}T09:00:00`);
    expect(next(rrule, due, done, { start: "2024-01-01" })).toBe(expected);
  });

  test("of a day that a month does not have, its last day is one where the pattern says so", () => {
    const after = (monthEnd: "skip" | "clamp") =>
      next("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31", "2026-01-31", { monthEnd });
    expect([after("skip"), after("clamp")]).toEqual(["2026-03-31T09:00:00", "2026-02-28T09:00:00"]);
  });

  test.each<[rrule: string, due: string, done: string, next: string]>([
    // 13 January and 10 February 2026 are the second Tuesdays, 30 January and 27 February the last Fridays.
    ["FREQ=MONTHLY;BYDAY=2TU", "2026-01-13", "2026-01-12", "2026-02-10"],
    ["FREQ=MONTHLY;BYDAY=2TU", "2026-01-13", "2026-01-13", "2026-02-10"],
    ["FREQ=MONTHLY;BYDAY=2TU", "2026-01-13", "2026-01-14", "2026-03-10"],
    ["FREQ=MONTHLY;BYDAY=-1FR", "2026-01-30", "2026-01-30", "2026-02-27"],
    ["FREQ=MONTHLY;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=TU", "2026-01-13", "2026-01-13", "2026-02-10"],
    ["FREQ=YEARLY;BYYEARDAY=60", "2027-03-01", "2027-03-01", "2028-02-29"],
  ])(
    "a date that moves within its month or year is a month or year later: %s due %s done %s: %s",
    (rrule, due, done, expected) => {
      expect(next(rrule, due, done)).toBe(`${expected}T09:00:00`);
    },
  );
});

describe("where the rule names several times of its period, each of them is meant", () => {
  test.each<[rrule: string, due: string, done: string, next: string]>([
    // 8 June 2026 is a Monday.
    ["FREQ=WEEKLY;BYDAY=MO,TH", "2026-06-08", "2026-06-08", "2026-06-11"],
    ["FREQ=WEEKLY;BYDAY=MO,TH", "2026-06-08", "2026-06-07", "2026-06-11"],
    ["FREQ=WEEKLY;BYDAY=MO,TH", "2026-06-08", "2026-06-10", "2026-06-11"],
    ["FREQ=WEEKLY;BYDAY=MO,TH", "2026-06-08", "2026-06-11", "2026-06-15"],
    ["FREQ=WEEKLY;BYDAY=MO,TH", "2026-06-11", "2026-06-08", "2026-06-15"],
    ["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "2026-06-12", "2026-06-12", "2026-06-15"],
    ["FREQ=MONTHLY;BYMONTHDAY=1,15", "2026-06-01", "2026-06-01", "2026-06-15"],
    ["FREQ=MONTHLY;BYDAY=FR", "2026-06-05", "2026-06-06", "2026-06-12"],
    ["FREQ=YEARLY;BYMONTH=3,9", "2026-03-01", "2026-03-02", "2026-09-01"],
    ["FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR", "2026-02-13", "2026-02-13", "2026-03-13"],
  ])("%s due %s done %s: %s", (rrule, due, done, expected) => {
    expect(next(rrule, due, done)).toBe(`${expected}T09:00:00`);
  });

  test.each<[done: string, last: string, next: string]>([
    ["09:30", "09:00", "2026-06-10T17:00:00"],
    ["08:30", "09:00", "2026-06-10T17:00:00"],
    ["18:00", "09:00", "2026-06-11T09:00:00"],
    ["16:00", "17:00", "2026-06-11T09:00:00"],
  ])("times of a day too: done at %s, the one of %s is followed by %s", (done, last, expected) => {
    const id = `2026-06-10T${last}:00`;
    const closed = { last: { id, at: new Date(`${id}Z`) }, made: [id] };
    const schedule = scheduleOf("FREQ=DAILY;BYHOUR=9,17");
    expect(afterCompletion(schedule, new Date(`2026-06-10T${done}:00Z`), closed)?.id).toBe(expected);
  });
});

describe("where a series ends", () => {
  test("UNTIL is kept, and what EXDATE leaves out passed over", () => {
    expect(next("FREQ=DAILY;INTERVAL=3;UNTIL=20260613", "2026-06-10", "2026-06-10")).toBe("2026-06-13T09:00:00");
    expect(next("FREQ=DAILY;INTERVAL=3;UNTIL=20260613", "2026-06-10", "2026-06-11")).toBeNull();
    expect(next("FREQ=WEEKLY;BYDAY=SA;UNTIL=20260613", "2026-06-06", "2026-06-07")).toBeNull();
    const exdate = ["2026-06-13T09:00:00"];
    expect(next("FREQ=DAILY;INTERVAL=3", "2026-06-10", "2026-06-10", { exdate })).toBe("2026-06-14T09:00:00");
    expect(next("FREQ=YEARLY;INTERVAL=1000", "2026-06-10", "2026-06-10")).toBeNull();
  });
});

const units = { DAILY: "days", WEEKLY: "weeks", MONTHLY: "months", YEARLY: "years" } as const;
const zones = Intl.supportedValuesOf("timeZone");
const parts = ["", ";BYDAY=SA", ";BYDAY=MO,TH", ";BYMONTHDAY=15", ";BYMONTHDAY=31", ";BYMONTHDAY=-2", ";BYMONTH=2,7"];
const numbered = [...parts, ";BYDAY=2TU", ";BYDAY=-1FR"];
const drawn = fc.constantFrom("DAILY", "WEEKLY", "MONTHLY", "YEARLY").chain((freq) =>
  fc.record({
    freq: fc.constant(freq as keyof typeof units),
    interval: fc.integer({ min: 1, max: 12 }),
    by: fc.constantFrom(
      ...(freq === "MONTHLY" || freq === "YEARLY"
        ? numbered
        : parts.filter((part) => freq !== "WEEKLY" || !part.includes("MONTHDAY"))),
    ),
    monthEnd: fc.constantFrom("skip", "clamp"),
    start: fc.constantFrom("2020-01-31", "2020-02-29T23:30:00", "2020-03-15T00:30:00", "2020-06-10T09:00:00"),
    tz: fc.constantFrom(...zones),
    /** Of the occurrence that is done: which one it is, and how many hours after its start that is. */
    place: fc.integer({ min: 0, max: 40 }),
    late: fc.integer({ min: -24 * 40, max: 24 * 400 }),
  }),
);

test("in every zone, the next is never the date just done, never sooner than the span, and a date of the rule", () => {
  fc.assert(
    fc.property(drawn, ({ freq, interval, by, monthEnd, start, tz, place, late }) => {
      const rrule = `FREQ=${freq};INTERVAL=${interval}${by}`;
      const schedule = scheduleOf(rrule, { start, tz, monthEnd });
      const every = scheduleOf(rrule.replace(/;INTERVAL=\d+/, ""), { start, tz, monthEnd });
      const recurrences = makeRecurrences(every);
      let last = recurrences.first();
      for (let n = 0; n < place && last !== null; n++) last = recurrences.next(last.at);
      if (last === null) return;
      const doneAt = new Date(last.at.getTime() + late * 3_600_000);
      const found = afterCompletion(schedule, doneAt, { last, made: [last.id] });
      expect(found).not.toBeNull();
      const dayOf = (id: string) => Temporal.PlainDate.from(id.slice(0, 10));
      const [day, own] = [dayOf(found?.id ?? ""), dayOf(last.id)];
      const done = dayOf(wallText(zoneClock(tz).wallAt(doneAt.getTime())));
      expect(day.equals(own)).toBe(false);
      expect(Temporal.PlainDate.compare(day, done)).toBe(1);
      const end = done.add({ [units[freq]]: interval }); // constrains to the month's last day
      const isSooner = Temporal.PlainDate.compare(day, end) < 0;
      if (by === "") {
        // A day later where the clocks jump over the time, or the date was just done.
        const days = end.until(day).days;
        expect(days === 0 || (days <= 2 && (end.equals(own) || start.length > 10))).toBe(true);
        return;
      }
      expect(recurrences.next(new Date((found?.at.getTime() ?? 0) - 1))?.id).toBe(String(found?.id));
      // Sooner only where several are meant, or where one in time is followed by that of a month or year later.
      const isLong = freq === "MONTHLY" || freq === "YEARLY";
      const isSeveral = interval === 1 && (/MO,TH|BYMONTH=2,7/.test(by) || (isLong && by.endsWith("=SA")));
      const isMoving = /2TU|-1FR|-2|31/.test(by) && Temporal.PlainDate.compare(own, done) >= 0;
      const isEachInYear = interval === 1 && freq === "YEARLY";
      expect(!isSooner || isSeveral || isMoving || isEachInYear).toBe(true);
      if (isSooner && !isSeveral && !isEachInYear) expect(end.since(day).days).toBeLessThanOrEqual(7);
    }),
    { numRuns: 500 },
  );
});
