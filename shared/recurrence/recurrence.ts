import { RRuleTemporal } from "rrule-temporal";
import type { Freq, Rrule } from "./parse-rrule.ts";

/** One instant of a series. `id` is its wall-clock start in the zone: `2026-01-31T09:00:00`, or `2026-01-31` for all-day. */
export type Recurrence = Readonly<{ id: string; at: Date }>;

/** When a series recurs: a rule laid from `start`, a wall-clock time `2026-01-31T09:00:00` or a day `2026-01-31` in `tz`. */
export type Schedule = Readonly<{ rule: Rrule; start: string; tz: string; monthEnd: "clamp" | "skip" }>;

/**
 * How many periods are searched before a rule counts as never occurring again: about a hundred years of months, four hundred
 * of years, twenty-seven of days. A rule that never occurs would otherwise search for ever (10,000 years take 70 ms).
 */
const periods: Readonly<Record<Freq, number>> = { DAILY: 10_000, WEEKLY: 2_000, MONTHLY: 1_200, YEARLY: 400 };
/** Occurrences after this year are not made: it keeps dates four digits long and far rules finite. */
const lastYear = 2200;
const dayMs = 24 * 60 * 60 * 1000;

/**
 * The recurrences of a schedule. Wall-clock time is kept through changes of the clock: a time in a spring gap does not exist and
 * is skipped (RFC 5545 §3.3.10), a time that comes twice in autumn is taken the first time.
 */
export function makeRecurrences(schedule: Schedule): {
  /** The first one strictly after `after`; `null` when the series is over or none comes within reach. */
  next: (after: Date) => Recurrence | null;
  /** The first one at or after `start`. */
  first: () => Recurrence | null;
  /** The last one after `after` (`null`: from the start) that is not after `until`. */
  latest: (after: Date | null, until: Date) => Recurrence | null;
} {
  const { tz, rule } = schedule;
  const allDay = schedule.start.length === 10;
  // Midnight does not exist on some days of some zones; noon always does.
  const start = Temporal.PlainDateTime.from(allDay ? `${schedule.start}T12:00:00` : schedule.start).toZonedDateTime(tz);
  const rules = ruleTexts(schedule, start.day, start.month).map(
    (rruleString) => new RRuleTemporal({ rruleString, dtstart: start, maxIterations: periods[rule.freq] }),
  );

  const step = (after: Temporal.ZonedDateTime): Temporal.ZonedDateTime | null => {
    let found: Temporal.ZonedDateTime | null = null;
    for (const each of rules) {
      const next = nextOf(each, after);
      if (next && (!found || Temporal.ZonedDateTime.compare(next, found) < 0)) found = next;
    }
    return found && found.year <= lastYear ? found : null;
  };
  const beforeStart = start.subtract({ seconds: 1 });

  let lastByCount: Temporal.ZonedDateTime | null | undefined;
  const lastCounted = (count: number): Temporal.ZonedDateTime | null => {
    if (lastByCount !== undefined) return lastByCount;
    let at: Temporal.ZonedDateTime | null = beforeStart;
    for (let n = 0; n < count && at; n++) at = step(at);
    return (lastByCount = at);
  };
  const over = (at: Temporal.ZonedDateTime): boolean => {
    if (rule.until && isPast(rule.until, at)) return true;
    if (rule.count === null) return false;
    const last = lastCounted(rule.count);
    return last !== null && Temporal.ZonedDateTime.compare(at, last) > 0;
  };

  const nextAfter = (after: Temporal.ZonedDateTime): Recurrence | null => {
    const from = Temporal.ZonedDateTime.compare(after, beforeStart) < 0 ? beforeStart : after;
    const at = step(from);
    if (!at || over(at)) return null;
    const local = at.toPlainDateTime();
    return allDay
      ? { id: local.toPlainDate().toString(), at: new Date(at.startOfDay().epochMilliseconds) }
      : { id: local.toString({ smallestUnit: "second" }), at: new Date(at.epochMilliseconds) };
  };
  const next = (after: Date): Recurrence | null => {
    const zoned = Temporal.Instant.fromEpochMilliseconds(after.getTime()).toZonedDateTimeISO(tz);
    // An all-day recurrence starts at midnight but is searched at noon: everything of the same day is not after it.
    return nextAfter(allDay ? zoned.withPlainTime("12:00") : zoned);
  };
  const first = (): Recurrence | null => nextAfter(beforeStart);
  return {
    next,
    first,
    latest: (after, until) => {
      const begin = (after === null ? first() : next(after)) ?? null;
      if (begin === null || begin.at > until) return null;
      // Looks into the past in growing windows: hourly or every ten years, some ten questions find the last one.
      let found = begin;
      for (let days = 1; days <= 65_536; days *= 4) {
        const from = new Date(until.getTime() - days * dayMs);
        let candidate = from <= begin.at ? begin : next(from);
        if (candidate === null || candidate.at > until) continue;
        for (; candidate !== null && candidate.at <= until; candidate = next(candidate.at)) found = candidate;
        break;
      }
      return found;
    },
  };
}

function isPast(until: NonNullable<Rrule["until"]>, at: Temporal.ZonedDateTime): boolean {
  switch (until.kind) {
    case "day":
      return Temporal.PlainDate.compare(at.toPlainDate(), until.iso) > 0;
    case "local":
      return Temporal.PlainDateTime.compare(at.toPlainDateTime(), until.iso) > 0;
    case "instant":
      return Temporal.Instant.compare(at.toInstant(), until.iso) > 0;
  }
}

/** The library throws where it gives up searching; for a series that is the same as having no next one. */
function nextOf(rule: RRuleTemporal, after: Temporal.ZonedDateTime): Temporal.ZonedDateTime | null {
  try {
    const next = rule.next(after, false);
    return next ? Temporal.ZonedDateTime.from(next.toString()) : null;
  } catch (error) {
    if (error instanceof Error && /^Maximum .* exceeded/.test(error.message)) return null;
    throw error;
  }
}

/**
 * The rules given to the library. `skip` is one rule as RFC 5545 reads it: the 31st means months that have one.
 * `clamp` takes the month's last day instead: day 31 becomes "the last of days 28 to 31", a rule of its own per clamped day and
 * month, and the series is the union of them. The anchor day is remembered: Jan 31, Feb 28, Mar 31.
 */
function ruleTexts({ rule, monthEnd }: Schedule, startDay: number, startMonth: number): readonly string[] {
  const parts = new Map(rule.parts);
  parts.delete("COUNT");
  parts.delete("UNTIL");
  if (monthEnd === "skip" || !mayClamp(rule)) return [textOf(parts)];
  const days = parts.get("BYMONTHDAY")?.map(Number) ?? [startDay];
  const clamped = days.filter((day) => day > 28);
  if (clamped.length === 0) return [textOf(parts)];
  const kept = days.filter((day) => day <= 28).map(String);
  const months = rule.freq === "YEARLY" ? (parts.get("BYMONTH") ?? yearMonths(parts, startMonth)) : [null];
  return [
    ...(kept.length > 0 ? [textOf(new Map([...parts, ["BYMONTHDAY", kept]]))] : []),
    ...months.flatMap((month) =>
      clamped.map((day) => {
        const last = Array.from({ length: day - 27 }, (_, offset) => String(28 + offset));
        return textOf(
          new Map([
            ...parts,
            ...(month === null ? [] : [["BYMONTH", [month]] as const]),
            ["BYMONTHDAY", last],
            ["BYSETPOS", ["-1"]],
          ]),
        );
      }),
    ),
  ];
}

/** Whether month ends matter to a rule: monthly or yearly by days of the month, given or inherited from the start. */
export function mayClamp(rule: Rrule): boolean {
  if (rule.freq !== "MONTHLY" && rule.freq !== "YEARLY") return false;
  if ((rule.parts.get("BYHOUR")?.length ?? 0) > 1) return false;
  return !["BYDAY", "BYSETPOS", "BYYEARDAY", "BYWEEKNO"].some((name) => rule.parts.has(name));
}

/** A yearly rule without BYMONTH means every month when it names days, else the month it starts in. */
function yearMonths(parts: ReadonlyMap<string, readonly string[]>, startMonth: number): readonly string[] {
  return parts.has("BYMONTHDAY") ? Array.from({ length: 12 }, (_, index) => String(index + 1)) : [String(startMonth)];
}

function textOf(parts: ReadonlyMap<string, readonly string[]>): string {
  return [...parts].map(([name, values]) => `${name}=${values.join(",")}`).join(";");
}
