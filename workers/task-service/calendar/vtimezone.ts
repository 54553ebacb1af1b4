import { wallText } from "../../../shared/recurrence/wall-time.ts";
import { zoneClock, type WallMs, type ZoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { component, contentLine } from "./content-line.ts";
import { observancesOf, type Observance } from "./zone-observances.ts";

/** Local times of 1970 can be of the year before. */
const begin = Date.UTC(1969, 11, 31);
/**
 * By then the rules of today have held for long enough to be seen; where there are none, every change is told to the
 * end.
 */
const lastYears = { ruled: 2060, listed: 2199 } as const;

/** Of each zone there is, once it was asked for: some 1 kB. */
const written = new WeakMap<ZoneClock, string>();

/** See `writeVtimezone`. */
export function vtimezone(tz: string): string {
  const clock = zoneClock(tz);
  const text = written.get(clock) ?? writeVtimezone(tz, clock);
  written.set(clock, text);
  return text;
}

/**
 * VTIMEZONE of an IANA zone: every change of its clocks from 1970 to 2199, as the zone data in use has them. Readers
 * differ, so:
 * - a list is one RDATE a line, DTSTART's among them: ical.js takes one date of a line, and where there is a list,
 *   not DTSTART
 * - what the clocks do in our time is a rule of its own that begins last: Outlook takes the STANDARD and the DAYLIGHT
 *   that begin last, and no lists ([MS-OXCICAL] 2.1.3.1.1.19)
 * - a zone that has no summer time any more has STANDARD only: with one DAYLIGHT, however old, Outlook has it for ever
 */
function writeVtimezone(tz: string, clock: ZoneClock): string {
  const offset = clock.wallAt(begin) - begin;
  const until = (year: number) => observancesOf(clock.changes(begin + 1, Date.UTC(year + 1, 0, 1)), year);
  const ruled = until(lastYears.ruled);
  const hasSummer = ruled.some(({ rule }) => rule?.until === null);
  const observances = hasSummer ? ruled : until(lastYears.listed);
  return component("VTIMEZONE", [
    contentLine("TZID", tz),
    writeObservance({ before: offset, after: offset, starts: [begin], rule: null }, false),
    ...observances.map((each) => writeObservance(each, hasSummer && each.after > each.before)),
  ]);
}

function writeObservance({ before, after, starts, rule }: Observance, isSummer: boolean): string {
  const [start, ...rest] = starts;
  const until = rule === null || rule.until === null ? "" : `;UNTIL=${basic(rule.until)}Z`;
  const dates = rule === null && rest.length > 0 ? starts : [];
  return component(isSummer ? "DAYLIGHT" : "STANDARD", [
    contentLine("DTSTART", basic(start)),
    contentLine("TZOFFSETFROM", offsetText(before)),
    contentLine("TZOFFSETTO", offsetText(after)),
    ...(rule === null ? [] : [contentLine("RRULE", `${rule.text}${until}`)]),
    ...dates.map((date) => contentLine("RDATE", basic(date))),
  ]);
}

function basic(wall: WallMs): string {
  return wallText(wall).replace(/[-:]/g, "");
}

/** `+0530`; seconds where an old clock had some. */
function offsetText(ms: number): string {
  const seconds = Math.abs(ms) / 1000;
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const rest = seconds % 60 === 0 ? "" : two(seconds % 60);
  return `${ms < 0 ? "-" : "+"}${two(seconds / 3600)}${two((seconds / 60) % 60)}${rest}`;
}
