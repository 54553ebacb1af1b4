import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/**
 * An instant on a person's clock, for reading: `Sat 28 Nov 2026, 21:58 (Asia/Kolkata, UTC+05:30)`. `tz` must be known
 * to `zoneClock`.
 */
export function localTimeWords(at: Date, tz: string): string {
  const wall = new Date(zoneClock(tz).wallAt(at.getTime()));
  const zone = tz === "UTC" ? tz : `${tz}, UTC${offsetText(wall.getTime() - at.getTime())}`;
  return `${dayWords(wall.toISOString().slice(0, 10))}, ${wall.toISOString().slice(11, 16)} (${zone})`;
}

/** The same for programs, to the millisecond: `2026-11-28T21:58:00.000+05:30`. */
export function localTime(at: Date, tz: string): string {
  const wall = zoneClock(tz).wallAt(at.getTime());
  return `${new Date(wall).toISOString().slice(0, 23)}${offsetText(wall - at.getTime())}`;
}

/** A day `2026-11-28` for reading: `Sat 28 Nov 2026`. */
export function dayWords(day: string): string {
  const date = new Date(day);
  const [weekday, month] = [weekdays[date.getUTCDay()], months[date.getUTCMonth()]];
  return `${weekday} ${date.getUTCDate()} ${month} ${date.getUTCFullYear()}`;
}

/** To the minute, as RFC 3339 has it; clocks of before 1972 may be some seconds off it. */
function offsetText(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return `${ms < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
