import { layOutZone, type ZoneTable } from "../zones/lay-out-zone.ts";
import type { ZoneData } from "../zones/zone-data.ts";
import { findZone, zonesInUse } from "../zones/zones-in-use.ts";

/** Milliseconds on a zone's wall clock, counted as if it were UTC's: 1970-01-01T00:00 is 0. */
export type WallMs = number;

/** A change of the clocks: at this instant, ms since 1970, the offset from UTC goes from `before` to `after`, ms. */
export type ZoneChange = Readonly<{ at: number; before: number; after: number }>;

/**
 * The wall clock of one IANA zone. Exact from the zone's beginnings to the year 2300; no question allocates anything
 * but `changes`.
 */
export type ZoneClock = Readonly<{
  /** What the wall clock shows at an instant. */
  wallAt: (at: number) => WallMs;
  /**
   * The instant at which it shows this, the first one where it comes twice; `null` for a time that the clocks jump
   * over.
   */
  instantAt: (wall: WallMs) => number | null;
  /** The same, but the last one where it comes twice. */
  lastInstantAt: (wall: WallMs) => number | null;
  /**
   * As `instantAt`, but a time that the clocks jump over is moved past the gap by the gap's length (RFC 5545 §3.3.5).
   */
  instantPast: (wall: WallMs) => number;
  /**
   * As `instantAt`, but of a time that the clocks jump over the instant at which they do. Of a midnight: where its day
   * begins, or the next.
   */
  reachedAt: (wall: WallMs) => number;
  /** The first instant of a day, midnight or not; `null` for a day the zone never had. `wall` is its midnight. */
  dayStart: (wall: WallMs) => number | null;
  /** Every change of the clocks from an instant on and before another, in order. */
  changes: (from: number, to: number) => readonly ZoneChange[];
}>;

const dayMs = 86_400_000;
let clocks = new Map<string, ZoneClock>();
let clocksOf: ZoneData | null = null;

/**
 * The clock of a zone of the data in use; throws RangeError for another. Everything on a server that depends on a
 * zone's offset asks it: zone data of the runtime ages with the runtime. A zone's changes are laid out once and kept,
 * some 8 kB.
 */
export function zoneClock(tz: string): ZoneClock {
  const data = zonesInUse();
  if (data !== clocksOf) [clocks, clocksOf] = [new Map(), data];
  return clocks.get(tz) ?? addClock(tz, data);
}

function addClock(tz: string, data: ZoneData): ZoneClock {
  const name = findZone(tz);
  const bytes = name === null ? undefined : data.bytesOf(name);
  if (name === null || bytes === undefined)
    throw new RangeError(`"${tz.slice(0, 64)}" is no zone of IANA ${data.version}`);
  const clock = clocks.get(name) ?? makeZoneClock(name, layOutZone(bytes));
  clocks.set(name, clock);
  return clock;
}

function makeZoneClock(tz: string, { from, offsets }: ZoneTable): ZoneClock {
  const count = from.length;
  let last = 0;
  const begin = (place: number): number => from[place] ?? Infinity;
  const offset = (place: number): number => offsets[place] ?? 0;

  /** The place of the interval that holds at an instant. */
  const placeAt = (at: number): number => {
    // Questions come in the order of a series, mostly.
    if (at >= begin(last)) {
      if (at < begin(last + 1)) return last;
      if (at < begin(last + 2)) return ++last;
    }
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (begin(middle) <= at) low = middle;
      else high = middle - 1;
    }
    return (last = low);
  };
  /** The instant in this interval at which the clock shows a time; NaN if it never does. */
  const within = (place: number, wall: WallMs): number => {
    const at = wall - offset(place);
    return at >= begin(place) && at < begin(place + 1) ? at : NaN;
  };
  const instantAt = (wall: WallMs): number | null => {
    // No zone is a day from UTC, so the intervals from a day before to a day after can show it.
    for (let place = placeAt(wall - dayMs); place < count && begin(place) <= wall + dayMs; place++) {
      const at = within(place, wall);
      if (!Number.isNaN(at)) return at;
    }
    return null;
  };
  const lastInstantAt = (wall: WallMs): number | null => {
    for (let place = placeAt(wall + dayMs); place >= 0 && begin(place + 1) > wall - dayMs; place--) {
      const at = within(place, wall);
      if (!Number.isNaN(at)) return at;
    }
    return null;
  };
  /** The place of the interval after the gap that a time lies in. */
  const afterGap = (wall: WallMs): number => {
    for (let place = placeAt(wall - dayMs) + 1; place < count; place++)
      if (wall - offset(place - 1) >= begin(place) && wall - offset(place) < begin(place)) return place;
    throw new RangeError(`the clocks of ${tz} neither show nor jump over ${wall} ms`);
  };
  const instantPast = (wall: WallMs): number => instantAt(wall) ?? wall - offset(afterGap(wall) - 1);
  const reachedAt = (wall: WallMs): number => instantAt(wall) ?? begin(afterGap(wall));
  const wallAt = (at: number): WallMs => at + offset(placeAt(at));
  return {
    wallAt,
    instantAt,
    lastInstantAt,
    instantPast,
    reachedAt,
    dayStart: (wall) => {
      const at = reachedAt(wall);
      return Math.floor(wallAt(at) / dayMs) === Math.floor(wall / dayMs) ? at : null;
    },
    changes: (first, end) => {
      const found: ZoneChange[] = [];
      for (let place = Math.max(1, placeAt(first)); place < count && begin(place) < end; place++)
        if (begin(place) >= first) found.push({ at: begin(place), before: offset(place - 1), after: offset(place) });
      return found;
    },
  };
}
