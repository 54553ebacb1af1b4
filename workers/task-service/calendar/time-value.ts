import { wallText } from "../../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { contentLine } from "./content-line.ts";

/** `20260131T080000Z` */
export function utcValue(at: Date): string {
  return `${basic(at.toISOString().slice(0, 19))}Z`;
}

/**
 * A property that holds a local start as recurrences are named: a day `2026-01-31` (VALUE=DATE), or a time
 * `2026-01-31T09:00:00` in a zone (TZID, or `Z` for UTC). Several starts must be of one kind.
 */
export function startLine(name: string, starts: readonly string[], tz: string): string {
  const isDay = starts[0]?.length === 10;
  if (isDay) return contentLine(`${name};VALUE=DATE`, starts.map(basic).join(","));
  if (tz === "UTC") return contentLine(name, starts.map((start) => `${basic(start)}Z`).join(","));
  return contentLine(`${name};TZID=${tz}`, starts.map(basic).join(","));
}

/**
 * A property that holds an instant: on the wall clock of a zone, where that names this instant and no other, else in
 * UTC. Of a time that comes twice RFC 5545 means the first one, ical.js the second.
 */
export function instantLine(name: string, at: Date, tz: string | null): string {
  if (tz === null || tz === "UTC") return contentLine(name, utcValue(at));
  const { wallAt, instantAt, lastInstantAt } = zoneClock(tz);
  const wall = wallAt(at.getTime() - (at.getTime() % 1000));
  return instantAt(wall) === lastInstantAt(wall)
    ? startLine(name, [wallText(wall)], tz)
    : contentLine(name, utcValue(at));
}

function basic(iso: string): string {
  return iso.replace(/[-:]/g, "");
}
