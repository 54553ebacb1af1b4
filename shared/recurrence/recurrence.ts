import { expandRule } from "./expand-rule.ts";
import { indexOf } from "./matching-days.ts";
import type { Rrule } from "./parse-rrule.ts";
import { readWall, wallText } from "./wall-time.ts";
import { zoneClock, type ZoneClock } from "./zone-clock.ts";

/** One instant of a series. `id` is its wall-clock start in the zone: `2026-01-31T09:00:00`, or `2026-01-31` for all-day. */
export type Recurrence = Readonly<{ id: string; at: Date }>;

/** When a series recurs: a rule laid from `start`, a wall-clock time `2026-01-31T09:00:00` or a day `2026-01-31` in `tz`. */
export type Schedule = Readonly<{
  rule: Rrule;
  start: string;
  tz: string;
  monthEnd: "clamp" | "skip";
  /** Starts left out, written as ids are. COUNT counts them all the same (RFC 5545 §3.8.5.1). */
  exdate?: readonly string[];
}>;

export type Recurrences = Readonly<{
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
 * - **gap**: a time the clocks jump over in spring does not exist and is skipped, as RFC 5545 §3.3.10 says of invalid times; COUNT
 *   does not count it. A day a zone never had (Samoa, 30 December 2011) is skipped likewise.
 * - **overlap**: a time that comes twice in autumn recurs once, the first time.
 * - **all-day**: a day is a day of the calendar in every zone; it begins at its first moment there, midnight or not.
 *
 * The work is bounded by the calendar: the next one of the rarest rule is found in about a millisecond, and so is that there is none. What was
 * found out about a schedule is kept as long as the schedule itself.
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

  const localOf = (at: number): number => Math.floor(clock.wallAt(at) / 1000);
  const recurrenceAt = (moment: number): Recurrence | null => (allDay ? dayAt(moment, clock) : timeAt(moment, clock));

  /** Every recurrence whose local time is not before a moment, COUNT and EXDATE not looked at. */
  function* forward(from: number): Generator<Recurrence> {
    for (let period = periods.nextFrom(periods.periodOf(from)); period <= periods.last;) {
      const moments = periods.momentsOf(period);
      for (let at = indexOf(moments, from); at < moments.length; at++) {
        const found = recurrenceAt(moments[at] ?? 0);
        if (found === null) continue;
        if (rule.until && isPast(rule.until, found)) return;
        yield found;
      }
      period = periods.nextFrom(period + 1);
    }
  }
  function* backward(from: number): Generator<Recurrence> {
    for (let period = periods.lastUpTo(periods.periodOf(from)); period >= 0;) {
      const moments = periods.momentsOf(period);
      for (let at = indexOf(moments, from + 1) - 1; at >= 0; at--) {
        const found = recurrenceAt(moments[at] ?? 0);
        if (found !== null && !(rule.until && isPast(rule.until, found))) yield found;
      }
      period = periods.lastUpTo(period - 1);
    }
  }

  let counted: Date | null | undefined;
  /** The last one by COUNT; `null` when there is no COUNT, or fewer are to be had. */
  const lastByCount = (): Date | null => {
    if (counted !== undefined) return counted;
    counted = null;
    let left = rule.count ?? 0;
    if (left > 0) for (const { at } of forward(start)) if (--left === 0) return (counted = at);
    return counted;
  };

  function* visibleFrom(from: number): Generator<Recurrence> {
    for (const found of forward(from)) {
      const last = lastByCount();
      if (last !== null && found.at > last) return;
      if (!excluded.has(found.id)) yield found;
    }
  }
  const next = (after: Date): Recurrence | null => {
    // What comes later has a later local time too: of a time that comes twice, only the first one counts.
    for (const found of visibleFrom(localOf(after.getTime()))) if (found.at > after) return found;
    return null;
  };

  return {
    next,
    first: () => {
      // Counted on the way: where a COUNT ends is far to look for.
      let left = rule.count ?? Infinity;
      for (const found of forward(start)) {
        if (left-- === 0) return null;
        if (!excluded.has(found.id)) return found;
      }
      return null;
    },
    latest: (after, until) => {
      const last = lastByCount();
      const end = last !== null && last < until ? last : until;
      // In the second pass of a time that comes twice, later local times are past already: clocks go back by a day at most.
      for (const found of backward(localOf(end.getTime() + dayMs))) {
        if (after !== null && found.at <= after) return null;
        if (found.at <= end && !excluded.has(found.id)) return found;
      }
      return null;
    },
    between: (from, to, limit) => {
      const found: Recurrence[] = [];
      let at = next(new Date(from.getTime() - 1));
      for (; at !== null && at.at < to && found.length < limit; at = next(at.at)) found.push(at);
      return found;
    },
  };
}

/** Whether month ends matter to a rule: monthly or yearly by days of the month, given or inherited from the start. */
export function mayClamp(rule: Rrule): boolean {
  if (rule.freq !== "MONTHLY" && rule.freq !== "YEARLY") return false;
  return !["BYDAY", "BYSETPOS", "BYYEARDAY", "BYWEEKNO"].some((name) => rule.parts.has(name));
}

/** `null` for a time in a gap. */
function timeAt(moment: number, clock: ZoneClock): Recurrence | null {
  const at = clock.instantAt(moment * 1000);
  return at === null ? null : { id: wallText(moment * 1000), at: new Date(at) };
}

/** `null` for a day the zone does not have. */
function dayAt(moment: number, clock: ZoneClock): Recurrence | null {
  const day = Math.floor(moment / daySeconds) * daySeconds;
  const at = clock.dayStart(day * 1000);
  return at === null ? null : { id: wallText(day * 1000).slice(0, 10), at: new Date(at) };
}

/** UNTIL is inclusive: of an all-day recurrence, its first moment is compared. */
function isPast(until: NonNullable<Rrule["until"]>, { id, at }: Recurrence): boolean {
  switch (until.kind) {
    case "day":
      return id.slice(0, 10) > until.iso;
    case "local":
      return (id.length === 10 ? `${id}T00:00:00` : id) > until.iso;
    case "instant":
      return at.getTime() > Date.parse(until.iso);
  }
}
