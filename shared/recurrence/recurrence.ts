import { expandRule, mayClamp } from "./expand-rule.ts";
import { indexOf } from "./matching-days.ts";
import type { Rrule } from "./parse-rrule.ts";
import { readWall, wallText } from "./wall-time.ts";
import { zoneClock } from "./zone-clock.ts";

/**
 * One instant of a series. `id` is its wall-clock start in the zone: `2026-01-31T09:00:00`, or `2026-01-31` for
 * all-day.
 */
export type Recurrence = Readonly<{ id: string; at: Date }>;

/**
 * When a series recurs: a rule laid from `start`, a wall-clock time `2026-01-31T09:00:00` or a day `2026-01-31` in
 * `tz`.
 */
export type Schedule = Readonly<{
  rule: Rrule;
  start: string;
  tz: string;
  monthEnd: "clamp" | "skip";
  /** Starts left out, written as ids are. COUNT counts them all the same (RFC 5545 §3.8.5.1). */
  exdate?: readonly string[];
}>;

type Recurrences = Readonly<{
  /** The first one strictly after `after`; `null` when the series is over. */
  next: (after: Date) => Recurrence | null;
  /** The first one at or after `start`. */
  first: () => Recurrence | null;
  /** The last one after `after` (`null`: from the start) that is not after `until`. */
  latest: (after: Date | null, until: Date) => Recurrence | null;
  /** Those from `from` on and before `to`, in order, at most `limit`. */
  between: (from: Date, to: Date, limit: number) => readonly Recurrence[];
}>;

const dayMs = 24 * 60 * 60 * 1000;
const daySeconds = 86_400;

/**
 * The recurrences of a schedule, up to the year 2200. The wall clock is kept when the clocks change:
 * - **gap**: a time the clocks jump over in spring does not exist and is skipped, as RFC 5545 §3.3.10 says of invalid
 *   times; COUNT does not count it. A day a zone never had (Samoa, 30 December 2011) is skipped likewise.
 * - **overlap**: a time that comes twice in autumn recurs once, the first time.
 * - **all-day**: a day is a day of the calendar in every zone; it begins at its first moment there, midnight or not.
 *
 * The work is bounded by the calendar: the next one of the rarest rule is found in about a millisecond, and so is that
 * there is none. What was found out about a schedule is kept as long as the schedule itself.
 */
export function makeRecurrences(schedule: Schedule): Recurrences {
  const found = made.get(schedule) ?? lay(schedule);
  made.set(schedule, found);
  return found;
}

const made = new WeakMap<Schedule, Recurrences>();

function lay(schedule: Schedule): Recurrences {
  const { tz, rule } = schedule;
  const clock = zoneClock(tz);
  const allDay = schedule.start.length === 10;
  const excluded = new Set(schedule.exdate);
  const startWall = readWall(schedule.start);
  if (startWall === null) throw new RangeError(`"${schedule.start}" is no local start`);
  const start = startWall / 1000;
  const periods = expandRule(rule, start, schedule.monthEnd === "clamp" && mayClamp(rule));

  const isPast = makeIsPast(rule.until, allDay);
  const localOf = (at: number): number => Math.floor(clock.wallAt(at) / 1000);
  const dayOf = (moment: number): number => Math.floor(moment / daySeconds) * daySeconds;
  /** `null` for a time in a gap, and for a day the zone does not have. */
  const instantOf = (moment: number): number | null =>
    allDay ? clock.dayStart(dayOf(moment) * 1000) : clock.instantAt(moment * 1000);
  const idOf = (moment: number): string => {
    const text = wallText(moment * 1000);
    return allDay ? text.slice(0, 10) : text;
  };
  const told = ({ moment, at }: RecurrenceMoment): Recurrence => ({ id: idOf(moment), at: new Date(at) });
  const isLeftOut = (moment: number): boolean => excluded.size > 0 && excluded.has(idOf(moment));

  /**
   * Visits every recurrence whose local time is not before a moment, COUNT and EXDATE not looked at, until `visit` says
   * that it has what it wants. A function and no generator: a COUNT of 1,000 is counted three times as fast.
   */
  const visitFrom = (from: number, visit: (moment: number, at: number) => boolean): void => {
    for (let period = periods.nextFrom(periods.periodOf(from)); period <= periods.last;) {
      const moments = periods.momentsOf(period);
      for (let place = indexOf(moments, from); place < moments.length; place++) {
        const moment = moments[place] ?? 0;
        const at = instantOf(moment);
        if (at !== null && (isPast(moment, at) || visit(moment, at))) return;
      }
      period = periods.nextFrom(period + 1);
    }
  };
  /** The same backwards, from a moment on. */
  const visitBackFrom = (from: number, visit: (moment: number, at: number) => boolean): void => {
    for (let period = periods.lastUpTo(periods.periodOf(from)); period >= 0;) {
      const moments = periods.momentsOf(period);
      for (let place = indexOf(moments, from + 1) - 1; place >= 0; place--) {
        const moment = moments[place] ?? 0;
        const at = instantOf(moment);
        if (at !== null && !isPast(moment, at) && visit(moment, at)) return;
      }
      period = periods.lastUpTo(period - 1);
    }
  };

  let counted: number | undefined;
  /** The last one by COUNT; Infinity when there is no COUNT, or fewer are to be had. */
  const lastByCount = (): number => {
    if (counted !== undefined) return counted;
    let left = rule.count ?? 0;
    let last = Infinity;
    if (left > 0)
      visitFrom(start, (_moment, at) => {
        if (--left === 0) last = at;
        return left === 0;
      });
    return (counted = last);
  };

  const next = (after: number): RecurrenceMoment | null => {
    const last = lastByCount();
    let found: RecurrenceMoment | null = null;
    // What comes later has a later local time too: of a time that comes twice, only the first one counts.
    visitFrom(localOf(after), (moment, at) => {
      if (at > last) return true;
      if (at > after && !isLeftOut(moment)) found = { moment, at };
      return found !== null;
    });
    return found;
  };

  return {
    next: (after) => {
      const found = next(after.getTime());
      return found === null ? null : told(found);
    },
    first: () => {
      // Counted on the way: where a COUNT ends is far to look for.
      let left = rule.count ?? Infinity;
      let found: Recurrence | null = null;
      visitFrom(start, (moment, at) => {
        if (left-- > 0 && !isLeftOut(moment)) found = told({ moment, at });
        return found !== null || left <= 0;
      });
      return found;
    },
    latest: (after, until) => {
      const end = Math.min(lastByCount(), until.getTime());
      const begin = after?.getTime() ?? -Infinity;
      let found: Recurrence | null = null;
      // In the second pass of a time that comes twice, later local times are past already: clocks go back by a day at
      // most.
      visitBackFrom(localOf(end + dayMs), (moment, at) => {
        if (at > begin && at <= end && !isLeftOut(moment)) found = told({ moment, at });
        return found !== null || at <= begin;
      });
      return found;
    },
    between: (from, to, limit) => {
      const all: Recurrence[] = [];
      let found = next(from.getTime() - 1);
      for (; found !== null && found.at < to.getTime() && all.length < limit; found = next(found.at))
        all.push(told(found));
      return all;
    },
  };
}

/** One recurrence, before it is told to anybody: its local start, seconds since 1970, and the instant, ms. */
type RecurrenceMoment = Readonly<{ moment: number; at: number }>;

/** UNTIL is inclusive. An all-day recurrence is compared by its day: an instant would be another day in each zone. */
function makeIsPast(until: Rrule["until"], allDay: boolean): (moment: number, at: number) => boolean {
  if (until === null) return () => false;
  if (allDay) return (moment) => moment * 1000 > Date.parse(until.iso.slice(0, 10));
  const last = Date.parse(until.kind === "local" ? `${until.iso}Z` : until.iso);
  switch (until.kind) {
    case "day":
      return (moment) => moment * 1000 >= last + dayMs;
    case "local":
      return (moment) => moment * 1000 > last;
    case "instant":
      return (_moment, at) => at > last;
  }
}
