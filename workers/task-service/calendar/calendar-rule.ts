import type { RecurrencePattern } from "../../../shared/recurrence/recurrence-pattern.ts";
import { ruleOf } from "../../../shared/recurrence/recurrence-pattern.ts";
import { mayClamp } from "../../../shared/recurrence/expand-rule.ts";
import { makeRecurrences } from "../../../shared/recurrence/recurrence.ts";
import type { Rrule, Until } from "../../../shared/recurrence/parse-rrule.ts";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { utcValue } from "./time-value.ts";

/** A series as iCalendar says it. `starts` are local, as recurrences are named. */
export type CalendarRule = Readonly<{
  /** DTSTART, which RFC 5545 counts as the first: the first recurrence, wherever the pattern was laid from. */
  start: string;
  tz: string;
  /** The value of RRULE; `null` where no one rule says it, and `rdates` do. */
  rrule: string | null;
  rdates: readonly string[];
}>;

const maxRdates = 100;

/**
 * A pattern's rule for other calendars; `null` for a pattern that has no recurrence. UNTIL becomes what §3.3.10 asks
 * for: UTC beside a time, a date beside a day. A month end that is clamped has no word in RFC 5545 and becomes "the
 * last of days 28 to 31":
 * - day 31: `BYMONTHDAY=28,29,30,31;BYSETPOS=-1`; 15 and 31: `BYMONTHDAY=15,28,29,30,31;BYSETPOS=1,-1`; with two
 *   hours `BYSETPOS=1,2,-2,-1`
 * - yearly in one month: the same with BYMONTH; yearly in several: monthly in those months
 * - anything else (two days above 28, days counted from both ends, several months every few years): RDATE with the
 *   first 100.
 */
export function calendarRule(pattern: RecurrencePattern): CalendarRule | null {
  const { start, tz = "UTC", month_end } = pattern;
  if (start === undefined) return null;
  const rule = ruleOf(pattern);
  const recurrences = makeRecurrences({ rule, start, tz, monthEnd: month_end });
  const first = recurrences.first();
  if (first === null) return null;
  const parts = month_end === "clamp" && mayClamp(rule) ? clampedParts(rule, start) : new Map(rule.parts);
  if (parts === null) {
    const all = recurrences.between(first.at, new Date(Date.UTC(2201, 0)), maxRdates);
    return { start: first.id, tz, rrule: null, rdates: all.slice(1).map(({ id }) => id) };
  }
  if (parts.has("BYWEEKNO") && !["BYDAY", "BYMONTHDAY", "BYYEARDAY"].some((name) => parts.has(name)))
    parts.set("BYDAY", [weekdayOf(start)]); // What the start means; other calendars take all seven days.
  if (rule.until) parts.set("UNTIL", [untilValue(rule.until, start.length === 10, tz)]);
  const rest = [...parts].filter(([name]) => name !== "FREQ").map(([name, values]) => `;${name}=${values.join(",")}`);
  return { start: first.id, tz, rrule: `FREQ=${parts.get("FREQ")?.[0] ?? rule.freq}${rest.join("")}`, rdates: [] };
}

/** The parts of a rule that clamps by itself; `null` where one rule cannot. */
function clampedParts(rule: Rrule, start: string): Map<string, readonly string[]> | null {
  const parts = new Map(rule.parts);
  const days = parts.get("BYMONTHDAY")?.map(Number) ?? [Number(start.slice(8, 10))];
  const late = days.filter((day) => day > 28);
  if (late.length === 0) return parts;
  const kept = days.filter((day) => day <= 28).sort((a, b) => a - b);
  // The 28th would be taken for a month end, and a day from the end may be any day.
  if (late.length > 1 || kept.some((day) => day < 1 || day === 28)) return null;
  if (rule.freq === "YEARLY") {
    const months = parts.get("BYMONTH") ?? (parts.has("BYMONTHDAY") ? null : [String(Number(start.slice(5, 7)))]);
    if (months !== null) parts.set("BYMONTH", months);
    if (months?.length !== 1) {
      if ((parts.get("INTERVAL")?.[0] ?? "1") !== "1") return null;
      parts.set("FREQ", ["MONTHLY"]);
    }
  }
  const hours = parts.get("BYHOUR")?.length ?? 1;
  const tail = Array.from({ length: (late[0] ?? 28) - 27 }, (_, index) => 28 + index);
  const positions = [
    ...Array.from({ length: kept.length * hours }, (_, index) => index + 1),
    ...Array.from({ length: hours }, (_, index) => index - hours),
  ];
  return parts.set("BYMONTHDAY", [...kept, ...tail].map(String)).set("BYSETPOS", positions.map(String));
}

function untilValue(until: Until, allDay: boolean, tz: string): string {
  const day = until.iso.slice(0, 10);
  if (allDay) return day.replaceAll("-", "");
  if (until.kind === "instant") return utcValue(new Date(until.iso));
  const local = until.kind === "day" ? `${day}T23:59:59` : until.iso;
  return utcValue(new Date(zoneClock(tz).instantPast(Date.parse(`${local}Z`))));
}

function weekdayOf(start: string): string {
  const weekday = new Date(`${start.slice(0, 10)}T00:00:00Z`).getUTCDay();
  return ["SU", "MO", "TU", "WE", "TH", "FR", "SA"][weekday] ?? "MO";
}
