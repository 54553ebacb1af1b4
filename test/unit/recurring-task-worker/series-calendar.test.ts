import { describe, expect, test } from "bun:test";
import { completed, created, hear, occurrence, updated } from "./series-world.ts";

/**
 * What a series means to a person, to be read aloud: which date comes after which, whenever it is done. A cell is a
 * day, with a time where the series has one; "same" is the cell before it. All of 2026 unless a year is said. Each
 * weekday is checked.
 */
const rules: Readonly<Record<string, string>> = {
  "every day": "FREQ=DAILY",
  "every 2 days": "FREQ=DAILY;INTERVAL=2",
  "every 3 days": "FREQ=DAILY;INTERVAL=3",
  "every week": "FREQ=WEEKLY",
  "every 2 weeks": "FREQ=WEEKLY;INTERVAL=2",
  "every Monday and Thursday": "FREQ=WEEKLY;BYDAY=MO,TH",
  "every Friday and Saturday": "FREQ=WEEKLY;BYDAY=FR,SA",
  "every weekday": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
  "every Tuesday": "FREQ=WEEKLY;BYDAY=TU",
  "every Thursday": "FREQ=WEEKLY;BYDAY=TH",
  "every Saturday": "FREQ=WEEKLY;BYDAY=SA",
  "every 3 weeks on Saturday": "FREQ=WEEKLY;INTERVAL=3;BYDAY=SA",
  "every month": "FREQ=MONTHLY",
  "every 6 months": "FREQ=MONTHLY;INTERVAL=6",
  "every 3 months on the 15th": "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15",
  "on the 1st and the 15th": "FREQ=MONTHLY;BYMONTHDAY=1,15",
  "every 2nd Tuesday of the month": "FREQ=MONTHLY;BYDAY=2TU",
  "every last day of the month": "FREQ=MONTHLY;BYMONTHDAY=-1",
  "every year": "FREQ=YEARLY",
};

const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const weekdayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** "Sat 28 Nov 14:00" and "Wed 1 Jan 2027" as local starts. */
function localOf(cell: string): string {
  const [weekday, day = "", month = "", ...rest] = cell.split(" ");
  const year = rest.find((part) => /^\d{4}$/.test(part)) ?? "2026";
  const time = rest.find((part) => part.includes(":"));
  const date = Temporal.PlainDate.from({ year: Number(year), month: monthNames.indexOf(month) + 1, day: Number(day) });
  if (weekdayNames[date.dayOfWeek - 1] !== weekday) throw new Error(`${cell} is a ${weekdayNames[date.dayOfWeek - 1]}`);
  return time === undefined ? date.toString() : `${date.toString()}T${time}:00`;
}

/** The way back. */
function cellOf(id: string): string {
  const date = Temporal.PlainDate.from(id.slice(0, 10));
  const year = date.year === 2026 ? "" : ` ${date.year}`;
  const time = id.length === 10 ? "" : ` ${id.slice(11, 16)}`;
  return `${weekdayNames[date.dayOfWeek - 1]} ${date.day} ${monthNames[date.month - 1]}${year}${time}`;
}

/** The time of an event, as `at` of the series' world takes it. */
function eventTime(cell: string, tz: string): string {
  const local = Temporal.PlainDateTime.from(localOf(cell)).toZonedDateTime(tz);
  if (local.year !== 2026) throw new Error(`${cell} is not in 2026`);
  return local.withTimeZone("UTC").toPlainDateTime().toString({ smallestUnit: "minute" }).slice(5);
}

function rowsOf(table: string): readonly (readonly string[])[] {
  const rows = table
    .trim()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return rows.map((cells) =>
    cells.map((cell, n) => (cell === "same" ? (cells.slice(0, n).findLast((each) => each !== "same") ?? "") : cell)),
  );
}

type Row = Readonly<{ series: string; due: string; done: string; tz?: string; over: object }>;

/** The date that follows one that is done, in a series that began with it. */
function nextOf({ series, due, done, tz = "UTC", over }: Row): string {
  const start = localOf(due);
  const pattern = { rrule: rules[series], tz, start, ...over };
  const heard = hear().events(created(1, "01-01T00:00", pattern), completed(2, eventTime(done, tz), occurrence(start)));
  const [first, next, ...more] = heard.asked();
  if (first !== start || more.length > 0) throw new Error(`asked for ${heard.asked().join(", ")}`);
  return next === undefined ? "the end" : cellOf(next);
}

describe("by the schedule, the next date comes that has not passed; with catch-up all, the one after it was due", () => {
  // series | due | done | next, catch-up none | latest | all
  const table = `
    every day                      | Tue 10 Mar       | Mon 9 Mar 20:00  | Wed 11 Mar       | same             | same
    every day                      | Tue 10 Mar       | Tue 10 Mar 07:00 | Wed 11 Mar       | same             | same
    every day                      | Tue 10 Mar       | Tue 10 Mar 23:59 | Wed 11 Mar       | same             | same
    every day                      | Tue 10 Mar       | Wed 11 Mar 14:00 | Wed 11 Mar       | same             | same
    every day                      | Tue 10 Mar       | Fri 10 Apr 14:00 | Fri 10 Apr       | same             | Wed 11 Mar
    every day                      | Tue 10 Mar 09:00 | Mon 9 Mar 20:00  | Wed 11 Mar 09:00 | same             | same
    every day                      | Tue 10 Mar 09:00 | Tue 10 Mar 07:00 | Wed 11 Mar 09:00 | same             | same
    every day                      | Tue 10 Mar 09:00 | Tue 10 Mar 14:00 | Wed 11 Mar 09:00 | same             | same
    every day                      | Tue 10 Mar 09:00 | Wed 11 Mar 08:00 | Wed 11 Mar 09:00 | same             | same
    every day                      | Tue 10 Mar 09:00 | Wed 11 Mar 14:00 | Thu 12 Mar 09:00 | same             | Wed 11 Mar 09:00
    every day                      | Tue 10 Mar 09:00 | Fri 10 Apr 14:00 | Sat 11 Apr 09:00 | same             | Wed 11 Mar 09:00
    every week                     | Tue 10 Mar       | Mon 9 Mar 20:00  | Tue 17 Mar       | same             | same
    every week                     | Tue 10 Mar       | Tue 10 Mar 14:00 | Tue 17 Mar       | same             | same
    every week                     | Tue 10 Mar       | Wed 11 Mar 14:00 | Tue 17 Mar       | same             | same
    every week                     | Tue 10 Mar       | Tue 17 Mar 14:00 | Tue 17 Mar       | same             | same
    every week                     | Tue 10 Mar       | Fri 10 Apr 14:00 | Tue 14 Apr       | same             | Tue 17 Mar
    every week                     | Tue 10 Mar 09:00 | Tue 17 Mar 08:00 | Tue 17 Mar 09:00 | same             | same
    every week                     | Tue 10 Mar 09:00 | Tue 17 Mar 14:00 | Tue 24 Mar 09:00 | same             | Tue 17 Mar 09:00
    every Friday and Saturday      | Fri 13 Mar       | Thu 12 Mar 20:00 | Sat 14 Mar       | same             | same
    every Friday and Saturday      | Fri 13 Mar       | Fri 13 Mar 14:00 | Sat 14 Mar       | same             | same
    every Friday and Saturday      | Fri 13 Mar       | Sat 14 Mar 14:00 | Sat 14 Mar       | same             | same
    every Friday and Saturday      | Fri 13 Mar       | Sun 15 Mar 14:00 | Fri 20 Mar       | same             | Sat 14 Mar
    every Friday and Saturday      | Fri 13 Mar       | Mon 13 Apr 14:00 | Fri 17 Apr       | same             | Sat 14 Mar
    every 3 weeks on Saturday      | Sat 14 Mar       | Fri 13 Mar 20:00 | Sat 4 Apr        | same             | same
    every 3 weeks on Saturday      | Sat 14 Mar       | Sat 14 Mar 14:00 | Sat 4 Apr        | same             | same
    every 3 weeks on Saturday      | Sat 14 Mar       | Sun 15 Mar 14:00 | Sat 4 Apr        | same             | same
    every 3 weeks on Saturday      | Sat 14 Mar       | Sat 4 Apr 14:00  | Sat 4 Apr        | same             | same
    every 3 weeks on Saturday      | Sat 14 Mar       | Tue 14 Apr 14:00 | Sat 25 Apr       | same             | Sat 4 Apr
    every 2nd Tuesday of the month | Tue 10 Mar       | Mon 9 Mar 20:00  | Tue 14 Apr       | same             | same
    every 2nd Tuesday of the month | Tue 10 Mar       | Wed 11 Mar 14:00 | Tue 14 Apr       | same             | same
    every 2nd Tuesday of the month | Tue 10 Mar       | Tue 14 Apr 14:00 | Tue 14 Apr       | same             | same
    every last day of the month    | Sat 31 Jan       | Sat 31 Jan 14:00 | Sat 28 Feb       | same             | same
    every last day of the month    | Sat 31 Jan       | Sat 28 Feb 14:00 | Sat 28 Feb       | same             | same
    every year                     | Tue 10 Mar       | Wed 11 Mar 14:00 | Wed 10 Mar 2027  | same             | same
  `;
  test.each(rowsOf(table))("%s, due %s, done %s: %s, %s, %s", (series, due, done, ...expected) => {
    const next = (catch_up: string) => nextOf({ series, due, done, over: { catch_up } });
    expect(["none", "latest", "all"].map(next)).toEqual(expected);
  });
});

describe("month ends are a matter of the rule's own dates: by the schedule of `month_end`, from completion never", () => {
  // series | due | done | next, month end skip | clamp
  const bySchedule = `
    every month                    | Sat 31 Jan       | Fri 30 Jan 20:00 | Tue 31 Mar       | Sat 28 Feb
    every month                    | Sat 31 Jan       | Sat 31 Jan 14:00 | Tue 31 Mar       | Sat 28 Feb
    every month                    | Sat 31 Jan       | Sun 1 Feb 14:00  | Tue 31 Mar       | Sat 28 Feb
    every month                    | Sat 31 Jan       | Sat 28 Feb 14:00 | Tue 31 Mar       | Sat 28 Feb
    every month                    | Sat 31 Jan       | Sun 1 Mar 14:00  | Tue 31 Mar       | same
    every month                    | Sat 31 Jan       | Tue 31 Mar 14:00 | Tue 31 Mar       | same
    every 6 months                 | Mon 31 Aug       | Mon 31 Aug 14:00 | Tue 31 Aug 2027  | Sun 28 Feb 2027
    every 6 months                 | Mon 31 Aug       | Wed 30 Sep 14:00 | Tue 31 Aug 2027  | Sun 28 Feb 2027
  `;
  const fromCompletion = `
    every month                    | Sat 31 Jan       | Fri 30 Jan 20:00 | Sat 28 Feb       | same
    every month                    | Sat 31 Jan       | Sat 31 Jan 14:00 | Sat 28 Feb       | same
    every month                    | Sat 31 Jan       | Sun 1 Feb 14:00  | Sun 1 Mar        | same
    every month                    | Sat 31 Jan       | Sat 28 Feb 14:00 | Sat 28 Mar       | same
    every month                    | Sat 31 Jan       | Sun 1 Mar 14:00  | Wed 1 Apr        | same
    every month                    | Sat 31 Jan       | Tue 31 Mar 14:00 | Thu 30 Apr       | same
    every 6 months                 | Mon 31 Aug       | Mon 31 Aug 14:00 | Sun 28 Feb 2027  | same
    every 6 months                 | Mon 31 Aug       | Wed 30 Sep 14:00 | Tue 30 Mar 2027  | same
  `;
  const all = [
    ...rowsOf(bySchedule).map((row) => ["schedule", ...row]),
    ...rowsOf(fromCompletion).map((row) => ["completion", ...row]),
  ];
  test.each(all)("by %s, %s, due %s, done %s: %s, %s", (anchor, series = "", due = "", done = "", ...expected) => {
    const next = (month_end: string) => nextOf({ series, due, done, over: { anchor, month_end } });
    expect(["skip", "clamp"].map(next)).toEqual(expected);
  });
});

describe("from completion, the next date counts from the day on which it was done, whatever the catch-up", () => {
  // series | due | done | next
  const table = `
    every day                      | Tue 10 Mar       | Mon 9 Mar 20:00  | Wed 11 Mar
    every day                      | Tue 10 Mar       | Tue 10 Mar 14:00 | Wed 11 Mar
    every day                      | Tue 10 Mar       | Wed 11 Mar 14:00 | Thu 12 Mar
    every day                      | Tue 10 Mar       | Fri 10 Apr 14:00 | Sat 11 Apr
    every day                      | Tue 10 Mar 09:00 | Tue 10 Mar 07:00 | Wed 11 Mar 09:00
    every day                      | Tue 10 Mar 09:00 | Wed 11 Mar 08:00 | Thu 12 Mar 09:00
    every 3 days                   | Tue 10 Mar       | Sat 7 Mar 20:00  | Wed 11 Mar
    every 3 days                   | Tue 10 Mar       | Mon 9 Mar 20:00  | Thu 12 Mar
    every 3 days                   | Tue 10 Mar       | Tue 10 Mar 14:00 | Fri 13 Mar
    every 3 days                   | Tue 10 Mar       | Wed 11 Mar 14:00 | Sat 14 Mar
    every 3 days                   | Tue 10 Mar       | Fri 10 Apr 14:00 | Mon 13 Apr
    every 3 days                   | Tue 10 Mar 09:00 | Wed 11 Mar 23:00 | Sat 14 Mar 09:00
    every week                     | Tue 10 Mar       | Mon 9 Mar 20:00  | Mon 16 Mar
    every week                     | Tue 10 Mar       | Tue 10 Mar 14:00 | Tue 17 Mar
    every week                     | Tue 10 Mar       | Wed 11 Mar 14:00 | Wed 18 Mar
    every week                     | Tue 10 Mar       | Fri 10 Apr 14:00 | Fri 17 Apr
    every Saturday                 | Sat 14 Mar       | Fri 13 Mar 20:00 | Sat 21 Mar
    every Saturday                 | Sat 14 Mar       | Sat 14 Mar 14:00 | Sat 21 Mar
    every Saturday                 | Sat 14 Mar       | Sun 15 Mar 14:00 | Sat 28 Mar
    every Saturday                 | Sat 14 Mar       | Tue 14 Apr 14:00 | Sat 25 Apr
    every 3 weeks on Saturday      | Sat 14 Mar       | Fri 13 Mar 20:00 | Sat 4 Apr
    every 3 weeks on Saturday      | Sat 14 Mar       | Sat 14 Mar 14:00 | Sat 4 Apr
    every 3 weeks on Saturday      | Sat 14 Mar       | Sun 15 Mar 14:00 | Sat 11 Apr
    every 3 weeks on Saturday      | Sat 14 Mar       | Tue 14 Apr 14:00 | Sat 9 May
    every Monday and Thursday      | Mon 9 Mar        | Sun 8 Mar 20:00  | Thu 12 Mar
    every Monday and Thursday      | Mon 9 Mar        | Mon 9 Mar 14:00  | Thu 12 Mar
    every Monday and Thursday      | Mon 9 Mar        | Tue 10 Mar 14:00 | Thu 12 Mar
    every Monday and Thursday      | Mon 9 Mar        | Thu 12 Mar 14:00 | Mon 16 Mar
    every Monday and Thursday      | Thu 12 Mar       | Thu 12 Mar 14:00 | Mon 16 Mar
    every Monday and Thursday      | Mon 9 Mar        | Thu 9 Apr 14:00  | Mon 13 Apr
    every weekday                  | Fri 13 Mar       | Fri 13 Mar 14:00 | Mon 16 Mar
    every weekday                  | Fri 13 Mar       | Sat 14 Mar 14:00 | Mon 16 Mar
    every weekday                  | Fri 13 Mar       | Mon 16 Mar 14:00 | Tue 17 Mar
    every 3 months on the 15th     | Thu 15 Jan       | Wed 14 Jan 20:00 | Wed 15 Apr
    every 3 months on the 15th     | Thu 15 Jan       | Thu 15 Jan 14:00 | Wed 15 Apr
    every 3 months on the 15th     | Thu 15 Jan       | Fri 16 Jan 14:00 | Fri 15 May
    every 3 months on the 15th     | Thu 15 Jan       | Tue 10 Feb 14:00 | Fri 15 May
    on the 1st and the 15th        | Sun 1 Mar        | Sat 28 Feb 20:00 | Sun 15 Mar
    on the 1st and the 15th        | Sun 1 Mar        | Sun 1 Mar 14:00  | Sun 15 Mar
    on the 1st and the 15th        | Sun 1 Mar        | Mon 2 Mar 14:00  | Sun 15 Mar
    on the 1st and the 15th        | Sun 1 Mar        | Wed 1 Apr 14:00  | Wed 15 Apr
    every 2nd Tuesday of the month | Tue 13 Jan       | Mon 12 Jan 20:00 | Tue 10 Feb
    every 2nd Tuesday of the month | Tue 13 Jan       | Tue 13 Jan 14:00 | Tue 10 Feb
    every 2nd Tuesday of the month | Tue 13 Jan       | Wed 14 Jan 14:00 | Tue 10 Mar
    every 2nd Tuesday of the month | Tue 13 Jan       | Fri 13 Feb 14:00 | Tue 14 Apr
    every last day of the month    | Sat 31 Jan       | Sat 31 Jan 14:00 | Sat 28 Feb
    every last day of the month    | Sat 31 Jan       | Sun 1 Feb 14:00  | Tue 31 Mar
    every year                     | Tue 10 Mar       | Mon 9 Mar 20:00  | Tue 9 Mar 2027
    every year                     | Tue 10 Mar       | Wed 11 Mar 14:00 | Thu 11 Mar 2027
  `;
  test.each(rowsOf(table))("%s, due %s, done %s: %s", (series, due, done, expected) => {
    const next = (catch_up: string) => nextOf({ series, due, done, over: { anchor: "completion", catch_up } });
    expect(["none", "latest", "all"].map(next)).toEqual([expected, expected, expected]);
  });
});

describe("the day on which it is done is that of the zone of the series", () => {
  // series | due | zone | done, in UTC | which is there | next by the schedule | from completion
  const table = `
    every day                  | Tue 10 Mar | Pacific/Kiritimati  | Tue 10 Mar 09:59 | Tue 10 Mar 23:59 | Wed 11 Mar | same
    every day                  | Tue 10 Mar | Pacific/Kiritimati  | Tue 10 Mar 10:00 | Wed 11 Mar 00:00 | Wed 11 Mar | Thu 12 Mar
    every day                  | Tue 10 Mar | Asia/Tokyo          | Tue 10 Mar 14:59 | Tue 10 Mar 23:59 | Wed 11 Mar | same
    every day                  | Tue 10 Mar | Asia/Tokyo          | Tue 10 Mar 15:00 | Wed 11 Mar 00:00 | Wed 11 Mar | Thu 12 Mar
    every day                  | Tue 10 Mar | America/Los_Angeles | Wed 11 Mar 06:59 | Tue 10 Mar 23:59 | Wed 11 Mar | same
    every day                  | Tue 10 Mar | America/Los_Angeles | Wed 11 Mar 07:00 | Wed 11 Mar 00:00 | Wed 11 Mar | Thu 12 Mar
    every day                  | Tue 10 Mar | America/Los_Angeles | Wed 11 Mar 22:00 | Wed 11 Mar 15:00 | Wed 11 Mar | Thu 12 Mar
    every day                  | Tue 10 Mar | Pacific/Pago_Pago   | Wed 11 Mar 10:59 | Tue 10 Mar 23:59 | Wed 11 Mar | same
    every day                  | Tue 10 Mar | Pacific/Pago_Pago   | Wed 11 Mar 11:00 | Wed 11 Mar 00:00 | Wed 11 Mar | Thu 12 Mar
    every Friday and Saturday  | Fri 13 Mar | Pacific/Kiritimati  | Fri 13 Mar 12:00 | Sat 14 Mar 02:00 | Sat 14 Mar | Fri 20 Mar
    every Friday and Saturday  | Fri 13 Mar | Pacific/Pago_Pago   | Sat 14 Mar 10:00 | Fri 13 Mar 23:00 | Sat 14 Mar | same
    every month                | Sat 28 Feb | Pacific/Kiritimati  | Sat 28 Feb 12:00 | Sun 1 Mar 02:00  | Sat 28 Mar | Wed 1 Apr
  `;
  test.each(rowsOf(table))(
    "%s, due %s, in %s done at %s, there %s: %s, %s",
    (series, due, tz, utc, done, ...expected) => {
      expect(eventTime(done, tz)).toBe(eventTime(utc, "UTC"));
      const next = (anchor: string) => nextOf({ series, due, done, tz, over: { anchor } });
      expect(["schedule", "completion"].map(next)).toEqual(expected);
    },
  );
});

describe("left undone, with more of them allowed to be open, what was missed is made up for by the catch-up", () => {
  // series | due | looked after it again | there are then: catch-up none | latest | all
  const table = `
    every day   | Tue 10 Mar       | Tue 10 Mar 14:00 | 10                 | same           | same
    every day   | Tue 10 Mar       | Wed 11 Mar 00:00 | 10, 11             | same           | same
    every day   | Tue 10 Mar       | Wed 11 Mar 14:00 | 10, 11             | same           | same
    every day   | Tue 10 Mar       | Fri 13 Mar 14:00 | 10, 13             | same           | 10, 11, 12, 13
    every day   | Tue 10 Mar 09:00 | Tue 10 Mar 14:00 | 10, 11             | same           | same
    every day   | Tue 10 Mar 09:00 | Fri 13 Mar 08:00 | 10, 13             | 10, 12, 13     | 10, 11, 12, 13
    every day   | Tue 10 Mar 09:00 | Fri 13 Mar 14:00 | 10, 14             | 10, 13, 14     | 10, 11, 12, 13, 14
    every week  | Tue 10 Mar       | Tue 24 Mar 14:00 | 10, 24             | same           | 10, 17, 24
    every week  | Tue 10 Mar       | Fri 27 Mar 14:00 | 10, 31             | 10, 24, 31     | 10, 17, 24, 31
    every week  | Tue 10 Mar 09:00 | Tue 24 Mar 14:00 | 10, 31             | 10, 24, 31     | 10, 17, 24, 31
  `;
  test.each(rowsOf(table))("%s, due %s, until %s: %s, %s, %s", (series, due, until, ...expected) => {
    const left = (catch_up: string) => {
      const pattern = { rrule: rules[series], tz: "UTC", start: localOf(due), catch_up, max_open: 9 };
      const heard = hear()
        .events(created(1, "01-01T00:00", pattern))
        .pass(eventTime(until, "UTC"));
      return heard
        .asked()
        .map((id) => String(Number(id.slice(8, 10))))
        .join(", ");
    };
    expect(["none", "latest", "all"].map(left)).toEqual(expected);
  });
});

/** The change of a series to another rule and start. */
const change = (time: string, pattern: object) =>
  updated(2, time, { recurrence_pattern: JSON.stringify({ tz: "UTC", ...pattern }) });

describe("its time, weekday or interval changed, the open one stays, and the next date is the new rule's", () => {
  // series | due | becomes | from | changed | done | next by the schedule, catch-up latest | all | next from completion
  const table = `
    every day      | Tue 10 Mar 09:00 | every day      | Tue 10 Mar 18:00 | Mon 9 Mar 12:00  | Mon 9 Mar 20:00  | Wed 11 Mar 18:00 | same             | same
    every day      | Tue 10 Mar 09:00 | every day      | Tue 10 Mar 18:00 | Mon 9 Mar 12:00  | Tue 10 Mar 14:00 | Wed 11 Mar 18:00 | same             | same
    every day      | Tue 10 Mar 09:00 | every day      | Tue 10 Mar 18:00 | Tue 10 Mar 08:00 | Tue 10 Mar 08:30 | Wed 11 Mar 18:00 | same             | same
    every day      | Tue 10 Mar 09:00 | every day      | Tue 10 Mar 18:00 | Tue 10 Mar 12:00 | Tue 10 Mar 14:00 | Wed 11 Mar 18:00 | same             | same
    every day      | Tue 10 Mar 09:00 | every day      | Tue 10 Mar 18:00 | Tue 10 Mar 12:00 | Tue 10 Mar 20:00 | Wed 11 Mar 18:00 | same             | same
    every day      | Tue 10 Mar 09:00 | every day      | Tue 10 Mar 18:00 | Wed 11 Mar 12:00 | Wed 11 Mar 14:00 | Wed 11 Mar 18:00 | same             | Thu 12 Mar 18:00
    every day      | Tue 10 Mar 09:00 | every day      | Tue 10 Mar 18:00 | Wed 11 Mar 12:00 | Wed 11 Mar 20:00 | Thu 12 Mar 18:00 | Wed 11 Mar 18:00 | Thu 12 Mar 18:00
    every day      | Tue 10 Mar 18:00 | every day      | Tue 10 Mar 09:00 | Mon 9 Mar 12:00  | Tue 10 Mar 08:00 | Wed 11 Mar 09:00 | same             | same
    every day      | Tue 10 Mar 18:00 | every day      | Tue 10 Mar 09:00 | Tue 10 Mar 12:00 | Tue 10 Mar 14:00 | Wed 11 Mar 09:00 | same             | same
    every day      | Tue 10 Mar 18:00 | every day      | Tue 10 Mar 09:00 | Wed 11 Mar 08:00 | Wed 11 Mar 08:30 | Wed 11 Mar 09:00 | same             | Thu 12 Mar 09:00
    every day      | Tue 10 Mar 18:00 | every day      | Tue 10 Mar 09:00 | Wed 11 Mar 12:00 | Wed 11 Mar 14:00 | Thu 12 Mar 09:00 | same             | same
    every day      | Tue 10 Mar 09:00 | every day      | Tue 10 Mar       | Mon 9 Mar 12:00  | Mon 9 Mar 20:00  | Wed 11 Mar       | same             | same
    every day      | Tue 10 Mar 09:00 | every day      | Tue 10 Mar       | Tue 10 Mar 12:00 | Tue 10 Mar 14:00 | Wed 11 Mar       | same             | same
    every day      | Tue 10 Mar 09:00 | every day      | Tue 10 Mar       | Wed 11 Mar 12:00 | Wed 11 Mar 14:00 | Wed 11 Mar       | same             | Thu 12 Mar
    every day      | Tue 10 Mar       | every day      | Tue 10 Mar 18:00 | Mon 9 Mar 12:00  | Tue 10 Mar 14:00 | Wed 11 Mar 18:00 | same             | same
    every day      | Tue 10 Mar       | every day      | Tue 10 Mar 18:00 | Tue 10 Mar 12:00 | Tue 10 Mar 14:00 | Wed 11 Mar 18:00 | same             | same
    every day      | Tue 10 Mar       | every day      | Tue 10 Mar 18:00 | Wed 11 Mar 12:00 | Wed 11 Mar 14:00 | Wed 11 Mar 18:00 | same             | Thu 12 Mar 18:00
    every Tuesday  | Tue 10 Mar 09:00 | every Thursday | Thu 12 Mar 09:00 | Mon 9 Mar 12:00  | Mon 9 Mar 20:00  | Thu 12 Mar 09:00 | same             | Thu 19 Mar 09:00
    every Tuesday  | Tue 10 Mar 09:00 | every Thursday | Thu 12 Mar 09:00 | Tue 10 Mar 12:00 | Tue 10 Mar 14:00 | Thu 12 Mar 09:00 | same             | Thu 19 Mar 09:00
    every Tuesday  | Tue 10 Mar 09:00 | every Thursday | Thu 12 Mar 09:00 | Wed 11 Mar 12:00 | Wed 11 Mar 14:00 | Thu 12 Mar 09:00 | same             | Thu 19 Mar 09:00
    every Tuesday  | Tue 10 Mar 09:00 | every Thursday | Thu 12 Mar 09:00 | Wed 11 Mar 12:00 | Thu 12 Mar 14:00 | Thu 19 Mar 09:00 | Thu 12 Mar 09:00 | Thu 19 Mar 09:00
    every Tuesday  | Tue 10 Mar       | every Thursday | Thu 12 Mar       | Tue 10 Mar 12:00 | Tue 10 Mar 14:00 | Thu 12 Mar       | same             | Thu 19 Mar
    every Tuesday  | Tue 10 Mar       | every Thursday | Thu 12 Mar       | Wed 11 Mar 12:00 | Thu 12 Mar 14:00 | Thu 12 Mar       | same             | Thu 19 Mar
    every Thursday | Thu 12 Mar       | every Tuesday  | Tue 10 Mar       | Mon 9 Mar 12:00  | Mon 9 Mar 14:00  | Tue 10 Mar       | same             | Tue 17 Mar
    every Thursday | Thu 12 Mar       | every Tuesday  | Tue 10 Mar       | Thu 12 Mar 12:00 | Thu 12 Mar 14:00 | Tue 17 Mar       | same             | same
    every Thursday | Thu 12 Mar       | every Tuesday  | Tue 10 Mar       | Fri 13 Mar 12:00 | Fri 13 Mar 14:00 | Tue 17 Mar       | same             | Tue 24 Mar
    every day      | Tue 10 Mar       | every 2 days   | Tue 10 Mar       | Mon 9 Mar 12:00  | Mon 9 Mar 14:00  | Thu 12 Mar       | same             | Wed 11 Mar
    every day      | Tue 10 Mar       | every 2 days   | Tue 10 Mar       | Tue 10 Mar 12:00 | Tue 10 Mar 14:00 | Thu 12 Mar       | same             | same
    every day      | Tue 10 Mar       | every 2 days   | Tue 10 Mar       | Wed 11 Mar 12:00 | Wed 11 Mar 14:00 | Thu 12 Mar       | same             | Fri 13 Mar
    every week     | Tue 10 Mar       | every 2 weeks  | Tue 10 Mar       | Mon 9 Mar 12:00  | Mon 9 Mar 14:00  | Tue 24 Mar       | same             | Mon 23 Mar
    every week     | Tue 10 Mar       | every 2 weeks  | Tue 10 Mar       | Tue 10 Mar 12:00 | Tue 10 Mar 14:00 | Tue 24 Mar       | same             | same
    every week     | Tue 10 Mar       | every 2 weeks  | Tue 10 Mar       | Wed 18 Mar 12:00 | Wed 18 Mar 14:00 | Tue 24 Mar       | same             | Wed 1 Apr
    every week     | Tue 10 Mar       | every day      | Tue 10 Mar       | Mon 9 Mar 12:00  | Mon 9 Mar 14:00  | Wed 11 Mar       | same             | same
    every week     | Tue 10 Mar       | every day      | Tue 10 Mar       | Tue 10 Mar 12:00 | Tue 10 Mar 14:00 | Wed 11 Mar       | same             | same
    every week     | Tue 10 Mar       | every day      | Tue 10 Mar       | Wed 11 Mar 12:00 | Wed 11 Mar 14:00 | Wed 11 Mar       | same             | Thu 12 Mar
  `;
  test.each(rowsOf(table))(
    "%s, due %s, becomes %s from %s, changed %s, done %s: %s, %s, %s",
    (series = "", due = "", becomes = "", from = "", changed = "", done = "", ...expected) => {
      const start = localOf(due);
      const next = (over: object) => {
        const heard = hear().events(
          created(1, "01-01T00:00", { tz: "UTC", ...over, rrule: rules[series], start }),
          change(eventTime(changed, "UTC"), { ...over, rrule: rules[becomes], start: localOf(from) }),
        );
        expect(heard.asked()).toEqual([start]);
        heard.events(completed(2, eventTime(done, "UTC"), occurrence(start)));
        return heard.asked().slice(1).map(cellOf).join(", ");
      };
      expect([{ catch_up: "latest" }, { catch_up: "all" }, { anchor: "completion" }].map(next)).toEqual(expected);
    },
  );
});

describe("changed while more of them may be open, each day has one task", () => {
  // series | due | becomes due | changed | until Thu 12 Mar 20:00, there are, nothing done | the first one done on Sun
  // 8 Mar
  const table = `
    every day  | Tue 10 Mar 09:00 | Tue 10 Mar 18:00 | Mon 9 Mar 12:00  | 10 09:00, 11 18:00, 12 18:00, 13 18:00 | 10 09:00, 11 09:00, 12 18:00, 13 18:00
    every day  | Tue 10 Mar 09:00 | Tue 10 Mar 18:00 | Tue 10 Mar 12:00 | 10 09:00, 11 09:00, 12 18:00, 13 18:00 | same
    every day  | Tue 10 Mar 09:00 | Tue 10 Mar 18:00 | Wed 11 Mar 12:00 | 10 09:00, 11 09:00, 12 09:00, 13 18:00 | same
    every day  | Tue 10 Mar 18:00 | Tue 10 Mar 09:00 | Tue 10 Mar 12:00 | 10 18:00, 11 09:00, 12 09:00, 13 09:00 | 10 18:00, 11 18:00, 12 09:00, 13 09:00
    every day  | Tue 10 Mar 09:00 | Tue 10 Mar       | Tue 10 Mar 12:00 | 10 09:00, 11 09:00, 12               | same
    every day  | Tue 10 Mar       | Tue 10 Mar 18:00 | Tue 10 Mar 12:00 | 10, 11 18:00, 12 18:00, 13 18:00     | 10, 11, 12 18:00, 13 18:00
  `;
  test.each(rowsOf(table))(
    "%s, due %s, becomes due %s, changed %s: %s; %s",
    (series = "", due = "", from = "", changed = "", ...expected) => {
      const start = localOf(due);
      const pattern = { tz: "UTC", rrule: rules[series], max_open: 9 };
      const there = (done: boolean) => {
        const heard = hear().events(created(1, "01-01T00:00", { ...pattern, start }));
        if (done) heard.events(completed(2, "03-08T12:00", occurrence(start)));
        const end = Date.UTC(2026, 2, 12, 20);
        for (let hour = Date.UTC(2026, 2, 9); hour <= end; hour += 3_600_000) {
          const time = new Date(hour).toISOString().slice(5, 16);
          heard.pass(time);
          if (time === eventTime(changed, "UTC")) heard.events(change(time, { ...pattern, start: localOf(from) }));
        }
        const told = heard.asked().map((id) => `${Number(id.slice(8, 10))} ${id.slice(11, 16)}`.trim());
        return told.join(", ");
      };
      expect([false, true].map(there)).toEqual(expected);
    },
  );
});
