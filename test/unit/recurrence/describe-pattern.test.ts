import { expect, test } from "bun:test";
import { join } from "node:path";
import { describePattern, type PatternParts } from "../../../shared/recurrence/describe-pattern.ts";

test.each<[words: string, pattern: PatternParts]>([
  [
    "every last Friday of the month at 17:00 (Europe/Berlin)",
    { rrule: "FREQ=MONTHLY;BYDAY=-1FR", start: "2026-01-30T17:00:00", tz: "Europe/Berlin" },
  ],
  ["every 2 weeks on Monday and Thursday", { rrule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH" }],
  ["on the 31st of every month, or its last day", { rrule: "FREQ=MONTHLY;BYMONTHDAY=31", month_end: "clamp" }],
  ["on the 31st of every month, where there is one", { rrule: "FREQ=MONTHLY", start: "2026-01-31", month_end: "skip" }],
  [
    "3 days after completion at 17:00 (Europe/Berlin)",
    { rrule: "FREQ=DAILY;INTERVAL=3", anchor: "completion", start: "2026-01-30T17:00:00", tz: "Europe/Berlin" },
  ],
  ["1 week or more after completion, on Monday", { rrule: "FREQ=WEEKLY;BYDAY=MO", anchor: "completion" }],
  [
    "3 weeks or more after completion, on Saturday at 09:00 (UTC)",
    { rrule: "FREQ=WEEKLY;INTERVAL=3;BYDAY=SA", anchor: "completion", start: "2026-01-31T09:00:00", tz: "UTC" },
  ],
  ["1 month after completion", { rrule: "FREQ=MONTHLY", anchor: "completion", start: "2026-01-31" }],
  [
    "3 months or more after completion, on the 15th of the month",
    { rrule: "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15", anchor: "completion", start: "2026-01-15" },
  ],
  [
    "1 month or more after completion, on the 31st of the month, or its last day",
    { rrule: "FREQ=MONTHLY;BYMONTHDAY=31", anchor: "completion", month_end: "clamp" },
  ],
  [
    "1 month or more after completion, on the 2nd Tuesday of the month",
    { rrule: "FREQ=MONTHLY;BYDAY=2TU", anchor: "completion" },
  ],
  [
    "1 year or more after completion, on the 10th of May",
    { rrule: "FREQ=YEARLY;BYMONTH=5", anchor: "completion", start: "2026-05-10" },
  ],
  [
    "2 days or more after completion, if it is a weekday",
    { rrule: "FREQ=DAILY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR", anchor: "completion" },
  ],
  ["after completion, next on Monday or Thursday", { rrule: "FREQ=WEEKLY;BYDAY=MO,TH", anchor: "completion" }],
  ["after completion, next on a weekday", { rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", anchor: "completion" }],
  [
    "after completion, next on the 1st or the 15th of the month",
    { rrule: "FREQ=MONTHLY;BYMONTHDAY=1,15", anchor: "completion" },
  ],
  [
    "after completion, next at 09:00 and 17:00, 3 times",
    { rrule: "FREQ=DAILY;BYHOUR=9,17;COUNT=3", anchor: "completion" },
  ],
  [
    "1 month or more after completion, on the 1st Monday or the last Friday of March or September, only the 1st of these in each month",
    { rrule: "FREQ=MONTHLY;BYDAY=1MO,-1FR;BYMONTH=3,9;BYSETPOS=1", anchor: "completion" },
  ],
  ["every day, until 31 Dec 2026", { rrule: "FREQ=DAILY;UNTIL=20261231" }],
  ["every day, 10 times", { rrule: "FREQ=DAILY;COUNT=10" }],
  ["every day, once", { rrule: "FREQ=DAILY;COUNT=1" }],
  [
    "every weekday at 17:00 (Europe/Berlin)",
    { rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", start: "2026-01-30T17:00:00", tz: "Europe/Berlin" },
  ],
  [
    "every week on Friday at 17:00 (Europe/Berlin)",
    { rrule: "FREQ=WEEKLY", start: "2026-01-30T17:00:00", tz: "Europe/Berlin" },
  ],
  [
    "every 2 weeks on weekdays, weeks beginning on Sunday",
    { rrule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR;WKST=SU" },
  ],
  [
    "every year on the 29th of February, or its last day",
    { rrule: "FREQ=YEARLY", start: "2028-02-29", month_end: "clamp" },
  ],
  ["every year on the 29th of February, where there is one", { rrule: "FREQ=YEARLY", start: "2028-02-29" }],
  ["every year on the 5th of May", { rrule: "FREQ=YEARLY", start: "2028-05-05" }],
  ["every year in week 20 of the year on Monday", { rrule: "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO" }],
  [
    "every year in weeks 1 and 2 and the last week of the year on Monday and Tuesday",
    { rrule: "FREQ=YEARLY;BYWEEKNO=1,2,-1;BYDAY=MO,TU" },
  ],
  ["every year on day 1, day 100 and the last day of the year", { rrule: "FREQ=YEARLY;BYYEARDAY=1,100,-1" }],
  ["every year on the 20th Monday of the year", { rrule: "FREQ=YEARLY;BYDAY=20MO" }],
  ["every year on the last Sunday of March", { rrule: "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU" }],
  ["every year on every Thursday in March", { rrule: "FREQ=YEARLY;BYMONTH=3;BYDAY=TH" }],
  [
    "every 4 years on the 2nd to the 8th of November if it is a Tuesday",
    { rrule: "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8" },
  ],
  ["every month on the 13th if it is a Friday", { rrule: "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13" }],
  [
    "every weekday of the month at 17:00 (Europe/Berlin), only the last of these in each month",
    { rrule: "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", start: "2026-01-30T17:00:00", tz: "Europe/Berlin" },
  ],
  [
    "every 2 months on the 1st Sunday and the last Sunday of the month",
    { rrule: "FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1SU" },
  ],
  ["every 18 months on the 10th and the 2nd to last day", { rrule: "FREQ=MONTHLY;INTERVAL=18;BYMONTHDAY=10,-2" }],
  ["every 2 months on every Tuesday", { rrule: "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU" }],
  ["every day at 08:30 and 20:30", { rrule: "FREQ=DAILY;BYHOUR=20,8;BYMINUTE=30" }],
  [
    "every 2 days if it is a Saturday or a Sunday in January and February",
    { rrule: "FREQ=DAILY;INTERVAL=2;BYMONTH=1,2;BYDAY=SA,SU" },
  ],
  ["every day on the 1st and the 15th of the month", { rrule: "FREQ=DAILY;BYMONTHDAY=1,15" }],
  ["on the 15th of January and July", { rrule: "FREQ=MONTHLY;BYMONTH=1,7;BYMONTHDAY=15" }],
  ["every 1st Monday of January and July", { rrule: "FREQ=MONTHLY;BYMONTH=1,7;BYDAY=1MO" }],
  [
    "every day, except on 3 Feb 2026, up to 3 open at a time, missed ones are made up for",
    { rrule: "FREQ=DAILY", exdate: ["2026-02-03T09:00:00"], max_open: 3, catch_up: "all" },
  ],
  [
    "every day, until 31 Dec 2026, 12:00 UTC, missed ones are left out",
    { rrule: "FREQ=DAILY;UNTIL=20261231T120000Z", catch_up: "none" },
  ],
  ["every year on the 1st of every month", { rrule: "FREQ=YEARLY;BYMONTHDAY=1" }],
  ["every year on every Thursday and the 1st Wednesday of the year", { rrule: "FREQ=YEARLY;BYDAY=TH,1WE" }],
  [
    "every year on the 2nd of every month if it is the 2nd Monday of the year",
    { rrule: "FREQ=YEARLY;BYMONTHDAY=2;BYDAY=2MO" },
  ],
  ["every Monday of the month", { rrule: "FREQ=MONTHLY;BYDAY=MO" }],
  ["FREQ=HOURLY", { rrule: "FREQ=HOURLY" }],
  ["every month", { rrule: "FREQ=MONTHLY" }],
  ["every year on the 10th of June and July", { rrule: "FREQ=YEARLY;BYMONTH=6,7", start: "1997-06-10" }],
  ["every week on Sunday in June", { rrule: "FREQ=WEEKLY;BYMONTH=6;BYDAY=SU" }],
  [
    "every year on day 100 of the year if it is a Monday in April",
    { rrule: "FREQ=YEARLY;BYYEARDAY=100;BYDAY=MO;BYMONTH=4" },
  ],
])("%s", (words, pattern) => {
  expect(describePattern(pattern)).toBe(words);
});

test("a day some months do not have is told of in those months alone", () => {
  const words = (rrule: string) => describePattern({ rrule, month_end: "clamp" });
  expect(words("FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=1,3")).toBe("on the 31st of January and March");
  expect(words("FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=4")).toBe("on the 30th of April");
  expect(words("FREQ=MONTHLY;BYMONTHDAY=29;BYMONTH=2")).toBe("on the 29th of February, or its last day");
});

test("it runs in a browser: what it needs is neither Bun's nor Temporal", async () => {
  const entrypoints = [join(import.meta.dir, "../../../shared/recurrence/describe-pattern.ts")];
  const built = await Bun.build({ entrypoints, target: "browser" });
  const code = await built.outputs[0]?.text();
  expect(code).toContain("after completion");
  expect(code).not.toMatch(/Temporal|Bun\b|node:/);
});
