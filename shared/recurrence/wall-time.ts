import { zoneClock, type WallMs } from "./zone-clock.ts";

const shape = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?)?$/;

/**
 * Reads `2026-01-31`, `2026-01-31T09:00` or `2026-01-31T09:00:30`; `null` for other text and for what the calendar does
 * not have.
 */
export function readWall(text: string): WallMs | null {
  if (!shape.test(text)) return null;
  const wall = Date.parse(text.length === 10 ? text : `${text}Z`);
  // February 30th and 24:00 are carried over to another day.
  return !Number.isNaN(wall) && wallText(wall).startsWith(text) ? wall : null;
}

/** `2026-01-31T09:00:00`; milliseconds are dropped. */
export function wallText(wall: WallMs): string {
  return new Date(wall).toISOString().slice(0, 19);
}

/** The wall clock of a zone, `2026-01-31T09:00:00`. */
export function localStart(at: Date, tz: string): string {
  return wallText(zoneClock(tz).wallAt(at.getTime()));
}

/** `18:30` as ms from midnight. */
export function timeMs(clock: string): number {
  return Date.parse(`1970-01-01T${clock}Z`);
}
