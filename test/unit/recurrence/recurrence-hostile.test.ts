import { describe, expect, test } from "bun:test";
import { describePattern } from "../../../shared/recurrence/describe-pattern.ts";
import { expandRule } from "../../../shared/recurrence/expand-rule.ts";
import { parseRrule, type Rrule } from "../../../shared/recurrence/parse-rrule.ts";
import { makeRecurrences } from "../../../shared/recurrence/recurrence.ts";
import { randomOf } from "../../support/random.ts";
import { randomRule } from "../../support/random-rule.ts";

const isLong = process.env["LONG_TESTS"] === "1";
const hours = `BYHOUR=${Array.from({ length: 24 }, (_, hour) => hour).join(",")}`;
const everyDay = "BYDAY=MO,TU,WE,TH,FR,SA,SU";

/** Rules that look as long as they can, or hand out as much. */
const hostile = [
  "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
  "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
  "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
  `FREQ=DAILY;${hours};BYSETPOS=366`,
  `FREQ=DAILY;${hours};COUNT=1000`,
  "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=1000",
  `FREQ=WEEKLY;BYMONTH=2;${everyDay};${hours};BYSETPOS=366,-366`,
  "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
  "FREQ=YEARLY;BYWEEKNO=53,-53;BYYEARDAY=100",
  `FREQ=YEARLY;BYWEEKNO=-53;${everyDay};BYMONTH=7`,
  `FREQ=YEARLY;${everyDay};${hours};BYSETPOS=366,-366;COUNT=1000`,
  "FREQ=YEARLY;BYDAY=53MO,-53SU;BYYEARDAY=200",
  "FREQ=DAILY;BYMONTH=3;BYDAY=SU;BYMONTHDAY=25,26,27,28,29,30,31;BYHOUR=2;BYMINUTE=30",
  "FREQ=DAILY;INTERVAL=1000;UNTIL=99991231T235959Z",
  "FREQ=YEARLY;INTERVAL=1000",
  `FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;${everyDay};${hours}`,
  "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
];

const start = { text: "1970-01-01T02:30:00", moment: 2.5 * 3600 } as const;

function parsed(rrule: string): Rrule {
  const rule = parseRrule(rrule);
  if ("message" in rule) throw new Error(`${rrule}: ${rule.message}`);
  return rule;
}

/** What a role asks of a series. */
function ask(rule: Rrule): void {
  const schedule = { rule, start: start.text, tz: "Europe/Berlin", monthEnd: "skip" } as const;
  makeRecurrences(schedule).first();
  makeRecurrences(schedule).next(new Date("2026-03-28T00:00:00Z"));
  makeRecurrences(schedule).latest(null, new Date("2199-01-01T00:00:00Z"));
  makeRecurrences(schedule).between(new Date("2026-01-01T00:00:00Z"), new Date("2200-01-01T00:00:00Z"), 366);
}

describe("the work of a rule is bounded", () => {
  const random = randomOf(7);
  const rules = [...hostile, ...Array.from({ length: isLong ? 5000 : 200 }, () => randomRule(random).rrule)];

  test("a search that finds nothing looks at each day to the year 2200 once at most", () => {
    const days = { DAILY: 1, WEEKLY: 7, MONTHLY: 31, YEARLY: 366 };
    for (const rrule of rules) {
      const rule = parsed(rrule);
      const { last } = expandRule(rule, start.moment, false);
      expect((last + 1) * days[rule.freq]).toBeLessThan(87_000);
    }
  });

  test("a period hands out no more than its days and hours hold", () => {
    for (const rrule of rules) {
      const { momentsOf, last } = expandRule(parsed(rrule), start.moment, false);
      if (last >= 0) expect(momentsOf(last).length).toBeLessThanOrEqual(366 * 24);
    }
  });

  // Four questions, the last one for 366 recurrences: 5 ms on an idle machine. The best of three, because this one may
  // be busy.
  test.each(hostile)("%s takes no long time for any question", (rrule) => {
    const rule = parsed(rrule);
    const took = [1, 2, 3].map(() => {
      const begun = process.cpuUsage();
      ask(rule);
      return process.cpuUsage(begun).user / 1000;
    });
    expect(Math.min(...took)).toBeLessThan(60);
  });

  test("two recurrences are an hour apart at least, whatever the rule", () => {
    for (const rrule of rules) {
      const series = makeRecurrences({ rule: parsed(rrule), start: start.text, tz: "Europe/Berlin", monthEnd: "skip" });
      const found = series.between(new Date("2026-03-01T00:00:00Z"), new Date("2027-03-01T00:00:00Z"), 40);
      for (const [index, { at }] of found.entries()) {
        const before = found[index - 1];
        if (before) expect(at.getTime() - before.at.getTime()).toBeGreaterThanOrEqual(3_600_000);
      }
    }
  }, 60_000);

  test("each of them has words", () => {
    for (const rrule of rules) expect(describePattern({ rrule, start: start.text })).toMatch(/^(every|on) /);
  });
});
