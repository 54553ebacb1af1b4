import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { beginsFrom, dayEnd, endsAt, passedUpTo } from "../../../shared/recurrence/passing.ts";
import { makeRecurrences } from "../../../shared/recurrence/recurrence.ts";
import { parseRrule } from "../../../shared/recurrence/parse-rrule.ts";
import { wallText } from "../../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { decideHistory } from "../../../workers/recurring-task-worker/decide-history.ts";
import { findDates } from "../../../workers/recurring-task-worker/keep-dates.ts";
import { previewOccurrences, type PreviewOf } from "../../../workers/recurring-task-worker/preview-occurrences.ts";
import { templateSchedule } from "../../../workers/recurring-task-worker/template-schedule.ts";
import { at, completed, created, hear, occurrence, template, updated } from "./series-world.ts";

const day = (date: number) => `2026-11-${date}`;
// 24 November 2026 is a Tuesday, 27 a Friday.
const daily = { rrule: "FREQ=DAILY", tz: "America/Los_Angeles", start: day(24) };
/** 14:00 in Los Angeles. */
const afternoon = (date: number) => `11-${date}T22:00`;
/** The first minute of a day in Los Angeles. */
const midnight = (date: number) => `11-${date}T08:00`;

describe("an all-day occurrence ends with its day", () => {
  test.each<[title: string, pattern: object, done: string, next: string]>([
    ["early in the day before", {}, afternoon(23), day(25)],
    ["on its day", {}, afternoon(24), day(25)],
    ["in the last minute of its day", {}, "11-25T07:59", day(25)],
    ["in the first minute after it", {}, midnight(25), day(25)],
    ["the day after", {}, afternoon(25), day(25)],
    ["two days after", {}, afternoon(26), day(26)],
    ["a week after", {}, "12-01T22:00", "2026-12-01"],
    ["Friday's on Saturday", { rrule: "FREQ=WEEKLY;BYDAY=FR,SA", start: day(27) }, afternoon(28), day(28)],
    ["Friday's on Sunday", { rrule: "FREQ=WEEKLY;BYDAY=FR,SA", start: day(27) }, afternoon(29), "2026-12-04"],
    ["the day after, where none is made up for", { catch_up: "none" }, afternoon(25), day(25)],
    ["three days after, where all are made up for", { catch_up: "all" }, afternoon(27), day(25)],
    ["where it is tomorrow already", { tz: "Pacific/Kiritimati" }, "11-24T12:00", day(25)],
    ["where it is yesterday still", { tz: "Pacific/Pago_Pago" }, "11-25T10:00", day(25)],
  ])("done %s", (_title, over, done, next) => {
    const pattern = { ...daily, ...over };
    const heard = hear().events(
      created(1, "11-23T20:00", pattern),
      completed(2, done, occurrence(String(pattern.start))),
    );
    expect(heard.asked()).toEqual([pattern.start, next]);
  });

  test.each<[title: string, pattern: object, first: string]>([
    ["none are made up for", { start: day(27), catch_up: "none" }, day(27)],
    ["none of a year are made up for", { start: "2025-11-27", catch_up: "none" }, day(27)],
    ["the latest of a year is, which is today's", { start: "2025-11-27" }, day(27)],
    ["the latest is of last week", { start: "2026-11-25", rrule: "FREQ=WEEKLY" }, day(25)],
    ["of last week none is made up for", { start: "2026-11-25", rrule: "FREQ=WEEKLY", catch_up: "none" }, "2026-12-02"],
  ])("a series that is begun in the afternoon: %s", (_title, over, first) => {
    expect(
      hear()
        .events(created(1, afternoon(27), { ...daily, ...over }))
        .asked(),
    ).toEqual([first]);
  });

  test("a rule that is changed in the afternoon counts from this day", () => {
    const fridays = { ...daily, rrule: "FREQ=WEEKLY;BYDAY=FR", max_open: 2 };
    const heard = hear().events(
      created(1, "11-23T20:00", { ...daily, rrule: "FREQ=WEEKLY" }),
      completed(2, afternoon(24), occurrence(day(24))),
      updated(2, afternoon(27), { recurrence_pattern: JSON.stringify(fridays) }),
    );
    expect(heard.asked()).toEqual([day(24), "2026-12-01", day(27)]);
  });

  test("one that comes a day early by the task service is ahead of today's", () => {
    const place = { template_id: template, recurrence_id: day(28) };
    const heard = hear().events(
      created(1, afternoon(27), null, place, occurrence(day(28))),
      created(1, afternoon(27), { ...daily, max_open: 3 }),
    );
    expect(heard.series().occurrences.map(({ recurrenceId, ahead }) => [recurrenceId, ahead])).toEqual([
      [day(28), true],
      [day(27), false],
    ]);
  });
});

describe("days that pass without anybody", () => {
  const open = (over: object) => hear().events(created(1, "11-23T20:00", { ...daily, max_open: 9, ...over }));
  const midnights = [25, 26, 27].map(midnight);

  test.each(["latest", "none", "all"])("each gets its task at its beginning, catch_up %s", (catch_up) => {
    const heard = open({ catch_up });
    for (const time of midnights) heard.pass(time);
    expect(heard.asked()).toEqual([24, 25, 26, 27].map(day));
  });

  test.each<[catchUp: string, asked: readonly number[]]>([
    ["latest", [24, 27]],
    ["none", [24, 27]],
    ["all", [24, 25, 26, 27]],
  ])("after a standstill of three days today's is the one to be done: catch_up %s", (catch_up, asked) => {
    const heard = open({ catch_up }).pass(afternoon(27)).pass("11-27T22:01");
    expect(heard.asked()).toEqual(asked.map(day));
    heard.pass(midnight(28));
    expect(heard.asked()).toEqual([...asked, 28].map(day));
  });

  test("where today is no date of the rule, the latest is the last one that was", () => {
    const rule = { rrule: "FREQ=WEEKLY;BYDAY=TU,WE", max_open: 9 };
    expect(open(rule).pass(afternoon(27)).asked()).toEqual([day(24), day(25), "2026-12-01"]);
  });

  test("reopened the day after, yesterday's has today's taken back, unless both may be open", () => {
    const reopened = (max_open: number) => {
      const heard = hear().events(created(1, "11-23T20:00", { ...daily, max_open }));
      heard.events(completed(2, afternoon(25), occurrence(day(24))));
      heard.events(updated(3, afternoon(25), { status: "open", completed_at: null }, occurrence(day(24))));
      return [heard.asked(), heard.removed()];
    };
    expect(reopened(1)).toEqual([[day(24), day(25)], [occurrence(day(25))]]);
    expect(reopened(2)).toEqual([[day(24), day(25)], []]);
  });
});

/** The series after events, as it is previewed at a moment. */
function previewed(heard: ReturnType<typeof hear>, now: Date, over: Partial<PreviewOf> = {}): PreviewOf {
  const { occurrences, exceptions } = heard.series();
  const found = templateSchedule(heard.world().tasks.get(template) ?? null);
  const starts = occurrences.map((each) => each.at.getTime());
  const [first, last] = [new Date(Math.min(...starts)), new Date(Math.max(...starts))];
  const reached = { first, last, made: occurrences.length };
  return { template: found, occurrences, exceptions, reached, from: now, to: new Date(8e15), now, ...over };
}

describe("what is told of an all-day series in the afternoon", () => {
  const now = at(afternoon(27));
  const waiting = () => hear().events(created(1, "11-23T20:00", daily));
  const skipped = (date: number) => {
    const recurrenceId = day(date);
    const start = new Date(dayEnd(day(date - 1), daily.tz));
    return new Map([[recurrenceId, { recurrenceId, at: start, kind: "skipped" } as const]]);
  };
  const told = (of: PreviewOf) =>
    [...previewOccurrences(of).take(3)].map(({ recurrenceId, state }) => `${recurrenceId.slice(8)} ${state}`);

  test("today's is to come until its day is over", () => {
    expect(told(previewed(waiting(), now))).toEqual(["27 upcoming", "28 upcoming", "29 upcoming"]);
    expect(told(previewed(waiting(), at("11-28T07:59")))[0]).toBe("27 upcoming");
    expect(told(previewed(waiting(), at(midnight(28))))[0]).toBe("28 upcoming");
    // A day of 25 hours, late in the evening: nothing was made, so nothing tells when the series began.
    const autumn = { ...daily, start: "2026-11-01" };
    const evening = at("11-02T07:30");
    const begun = previewed(hear().events(created(1, "10-20T20:00", autumn)), evening, { reached: null });
    expect(told({ ...begun, occurrences: [] })[0]).toBe("01 upcoming");
  });

  test("done or skipped, it is told as that", () => {
    const done = waiting().events(completed(2, midnight(27), occurrence(day(24))));
    done.events(completed(2, afternoon(27), occurrence(day(27))));
    expect(told(previewed(done, now))).toEqual(["27 completed", "28 open", "29 upcoming"]);
    expect(told(previewed(waiting(), now, { exceptions: skipped(27) }))[0]).toBe("27 skipped");
  });

  test("it is kept among the dates ahead to the end of its day", () => {
    const { dates, until } = findDates(previewed(waiting(), now));
    expect(dates.next.map(({ due_on }) => due_on)).toEqual([27, 28, 29, 30].map(day).concat("2026-12-01"));
    expect(until?.toISOString()).toBe(at(midnight(28)).toISOString());
  });

  test("its history neither misses it nor has it skipped before its day is over", () => {
    const history = (time: string, over: Partial<PreviewOf> = {}) => {
      const moment = at(time);
      const of = previewed(waiting(), moment, { from: at("11-20T00:00"), until: moment, ...over });
      return decideHistory([...previewOccurrences(of)], moment).entries.map(
        ({ told: { recurrenceId }, outcome }) => `${recurrenceId.slice(8)} ${outcome}`,
      );
    };
    expect(history(afternoon(26))).toEqual(["24 open", "25 missed"]);
    expect(history(midnight(27))).toEqual(["24 open", "25 missed", "26 missed"]);
    expect(history(afternoon(26), { exceptions: skipped(26) })).toEqual(["24 open", "25 missed"]);
    expect(history(midnight(27), { exceptions: skipped(26) })).toEqual(["24 open", "25 missed", "26 skipped"]);
  });

  test("done within its day it is on time, at the end of it late", () => {
    const onTime = (done: string) => {
      const heard = waiting().events(completed(2, done, occurrence(day(24))));
      const of = previewed(heard, now, { from: at("11-20T00:00"), until: now });
      return decideHistory([...previewOccurrences(of)], now).entries[0]?.onTime;
    };
    expect([onTime(afternoon(24)), onTime("11-25T07:59"), onTime(midnight(25))]).toEqual([true, true, false]);
  });
});

test("in every zone a recurrence has passed by a moment if its end is not after it", () => {
  const parsed = parseRrule("FREQ=DAILY");
  if ("message" in parsed) throw new Error(parsed.message);
  const zones = [...Intl.supportedValuesOf("timeZone")];
  const moments = fc.date({ min: new Date("1990-01-01"), max: new Date("2035-01-01"), noInvalidDate: true });
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      moments,
      fc.constantFrom("1980-01-01", "1980-01-01T09:00:00"),
      (tz, now, start) => {
        const schedule = { rule: parsed, start, tz, monthEnd: "skip" } as const;
        const recurrences = makeRecurrences(schedule);
        const next = recurrences.next(passedUpTo(schedule, now));
        const last = recurrences.latest(null, passedUpTo(schedule, now));
        expect(next !== null && endsAt(next, schedule) > now).toBe(true);
        expect(last !== null && endsAt(last, schedule) <= now).toBe(true);
        expect(beginsFrom(schedule, now).getTime()).toBeLessThanOrEqual(now.getTime());
      },
    ),
    { numRuns: 500 },
  );
  // Clocks went back from one minute past midnight: the day that had begun is the day.
  const gone = new Date("2010-11-07T02:31:30Z");
  const local = { start: "2010-01-01", tz: "America/St_Johns" };
  expect(beginsFrom(local, gone).toISOString()).toBe("2010-11-07T02:30:00.000Z");
});

test("in every zone, the next by the schedule is the first after the last whose day, or moment, is not over when it is done", () => {
  const zones = Intl.supportedValuesOf("timeZone");
  const rules = ["FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=FR,SA", "FREQ=MONTHLY;BYMONTHDAY=1,15,-1"];
  const drawn = fc.record({
    tz: fc.constantFrom(...zones),
    rrule: fc.constantFrom(...rules),
    start: fc.constantFrom("2026-03-01", "2026-03-01T00:30:00", "2026-03-01T23:30:00"),
    catch_up: fc.constantFrom("latest", "none"),
    minutes: fc.integer({ min: -14 * 24 * 60, max: 270 * 24 * 60 }),
  });
  fc.assert(
    fc.property(drawn, ({ tz, rrule, start, catch_up, minutes }) => {
      const rule = parseRrule(rrule);
      if ("message" in rule) throw new Error(rule.message);
      const dates = makeRecurrences({ rule, start, tz, monthEnd: "skip" }).between(
        at("01-01T00:00"),
        new Date(Date.UTC(2027, 2)),
        999,
      );
      const [first] = dates;
      if (first === undefined) throw new Error(start);
      const done = new Date(Math.floor((first.at.getTime() + minutes * 60_000) / 60_000) * 60_000);
      const today = wallText(zoneClock(tz).wallAt(done.getTime())).slice(0, 10);
      const expected = dates.slice(1).find(({ id, at: begun }) => (start.length === 10 ? id >= today : begun > done));
      const pattern = { rrule, tz, start, catch_up };
      const heard = hear().events(
        created(1, "01-01T00:00", pattern),
        completed(2, done.toISOString().slice(5, 16), occurrence(first.id)),
      );
      expect(heard.asked()).toEqual([first.id, String(expected?.id)]);
    }),
    { numRuns: 60 },
  );
});
