import { describe, expect, test } from "bun:test";
import ICAL from "ical.js";
import { vtimezone } from "../../../workers/task-service/calendar/vtimezone.ts";
import { observancesOf } from "../../../workers/task-service/calendar/zone-observances.ts";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { randomOf } from "../../support/random.ts";

const zones = Intl.supportedValuesOf("timeZone").filter((tz) => tz !== "UTC");
const hourMs = 3_600_000;
const [begin, end] = [Date.UTC(1970, 0, 2), Date.UTC(2199, 11, 30)];

function unfolded(tz: string): string {
  return vtimezone(tz).replaceAll("\r\n ", "");
}

describe("read by ical.js", () => {
  test("every zone shows what its clock shows, at any time from 1970 to 2199 and around changes", () => {
    const random = randomOf(7);
    const wrong: string[] = [];
    for (const tz of zones) {
      const clock = zoneClock(tz);
      const zone = readByIcalJs(tz);
      const changes = [...clock.changes(begin, end)].toSorted(() => random() - 0.5).slice(0, 4);
      const anyTimes = Array.from({ length: 8 }, () => begin + random() * (end - begin));
      const around = changes.flatMap(({ at, before, after }) => {
        // A time that comes twice it takes for the second one.
        const more = Math.abs(after - before) + 60_000;
        return [at - more, at + more];
      });
      // The latest first: asked for a later year, it adds all changes again.
      for (const at of [end, ...anyTimes, ...around].map((time) => time - (time % 60_000))) {
        const time = ICAL.Time.fromDateTimeString(new Date(clock.wallAt(at)).toISOString().slice(0, 19));
        const read = clock.wallAt(at) - zone.utcOffset(time) * 1000;
        // It takes offsets by the minute.
        if (Math.abs(read - at) >= 60_000)
          wrong.push(`${tz} ${new Date(at).toISOString()}: ${new Date(read).toISOString()}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 30_000);
});

describe("read by Outlook's rules", () => {
  // Its rules name a weekday or a number of a month, and cannot say these zones' changes.
  const beyond = /^(Africa\/Cairo|America\/(Nuuk|Santiago|Scoresbysund)|Asia\/(Gaza|Hebron|Jerusalem))$/;

  test("every other zone shows the months of 2029 right", () => {
    const wrong: string[] = [];
    for (const tz of zones.filter((each) => !beyond.test(each)))
      for (let month = 0; month < 12; month++) {
        const [at, later] = [Date.UTC(2029, month, 1, 12), Date.UTC(2029, month + 1, 1, 12)];
        const offset = zoneClock(tz).wallAt(at) - at;
        // In the others it changes some day.
        if (zoneClock(tz).wallAt(later) - later !== offset) continue;
        const read = outlookOffset(unfolded(tz), month);
        if (read !== offset) wrong.push(`${tz} in month ${month + 1}: ${String(read)}, not ${offset}`);
      }
    expect(wrong).toEqual([]);
  });
});

describe("the text", () => {
  test("is a rule where changes follow one, and a list of dates, one a line, where they do not", () => {
    const berlin = unfolded("Europe/Berlin");
    expect(berlin).toContain(
      "BEGIN:DAYLIGHT\r\nDTSTART:19810329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT",
    );
    expect(berlin).toContain("BYMONTH=9;BYDAY=-1SU;UNTIL=19950925T010000Z");
    expect(berlin).toContain(
      "DTSTART:19961027T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    );
    expect(unfolded("America/Sao_Paulo")).not.toContain("DAYLIGHT");
    expect(unfolded("Asia/Kolkata").match(/BEGIN:STANDARD/g)).toHaveLength(1);
    for (const line of zones.flatMap((tz) => unfolded(tz).split("\r\n"))) expect(line).not.toMatch(/^RDATE.*,/);
  });

  test("of all zones together is shorter than lists were", () => {
    expect(zones.reduce((sum, tz) => sum + vtimezone(tz).length, 0)).toBeLessThan(400_000);
  });
});

describe("rules of changes", () => {
  const yearly = (dates: readonly string[], hours = 1) =>
    dates.map((date) => ({ at: Date.parse(`${date}T01:00:00Z`), before: 0, after: hours * hourMs }));
  const years = (first: number, count: number, day: (year: number) => string) =>
    Array.from({ length: count }, (_, more) => day(first + more));
  const rulesOf = (dates: readonly string[]) =>
    observancesOf(yearly(dates), 2060).map(
      ({ starts, rule }) => rule?.text.replace("FREQ=YEARLY;", "") ?? starts.length,
    );

  test.each<[what: string, dates: readonly string[], expected: (string | number)[]]>([
    ["the same day each year", years(2000, 9, (year) => `${year}-05-01`), ["BYMONTH=5;BYMONTHDAY=1", 1]],
    ["six years, of which dates are shorter", years(2000, 6, (year) => `${year}-05-01`), [5, 1]],
    [
      "a year left out",
      years(2000, 6, (year) => `${year}-05-01`).concat(years(2007, 6, (year) => `${year}-05-01`)),
      [11, 1],
    ],
    ["a day that moves without a rule", years(2000, 9, (year) => `${year}-05-${10 + ((year * 7) % 19)}`), [8, 1]],
  ])("%s", (_what, dates, expected) => expect(rulesOf(dates)).toEqual(expected));

  test("one direction alone does not go on for ever", () => {
    const forward = yearly(years(2020, 41, (year) => `${year}-05-01`));
    const back = years(2020, 41, (year) => `${year}-09-01`).map((date) => ({
      at: Date.parse(date),
      before: hourMs,
      after: 0,
    }));
    const endsOf = (changes: Parameters<typeof observancesOf>[0]) =>
      observancesOf(changes, 2060).map(({ rule }) => (rule === null ? "alone" : rule.until));
    expect(endsOf(forward)).toEqual([(forward.at(-2)?.at ?? 0) + 24 * hourMs, "alone"]);
    expect(endsOf([...forward, ...back].toSorted((a, b) => a.at - b.at))).toEqual([null, null]);
  });
});

function readByIcalJs(tz: string): ICAL.Timezone {
  const calendar = ICAL.Component.fromString(`BEGIN:VCALENDAR\r\n${vtimezone(tz)}END:VCALENDAR\r\n`);
  return new ICAL.Timezone(calendar.getFirstSubcomponent("vtimezone") ?? "");
}

/**
 * The offset in ms on the 20th of a month, 0 for January: of each kind the part with the latest DTSTART, and of it
 * DTSTART, RRULE and the offsets.
 */
function outlookOffset(text: string, month: number): number | null {
  const parts = [...text.matchAll(/BEGIN:(STANDARD|DAYLIGHT)\r\n([^]*?)END:/g)].map(([, kind, body = ""]) => {
    const [, sign, hours, minutes] = /TZOFFSETTO:([+-])(\d\d)(\d\d)/.exec(body) ?? [];
    const month = /RRULE:FREQ=YEARLY;BYMONTH=(\d+);BY(?:DAY=-?\d[A-Z]{2}|MONTHDAY=\d+)$/m.exec(body)?.[1];
    return {
      kind,
      start: /DTSTART:(\S+)/.exec(body)?.[1] ?? "",
      offset: (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000,
      month: month === undefined ? null : Number(month) - 1,
    };
  });
  const latest = (kind: string) =>
    parts.filter((part) => part.kind === kind).toSorted((a, b) => (a.start < b.start ? 1 : -1))[0];
  const [standard, daylight] = [latest("STANDARD"), latest("DAYLIGHT")];
  if (daylight === undefined) return standard?.offset ?? null;
  if (standard === undefined || standard.month === null || daylight.month === null) return null;
  const sinceStandard = (month - standard.month + 12) % 12;
  const sinceDaylight = (month - daylight.month + 12) % 12;
  return sinceStandard < sinceDaylight ? standard.offset : daylight.offset;
}
