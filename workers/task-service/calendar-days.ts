import { wallText } from "../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";

// Days of the calendar as `2026-12-31`.

const dayMs = 86_400_000;

/** The day of an instant on a person's calendar. */
export function dayOf(at: Date, zone: string): string {
  return wallText(zoneClock(zone).wallAt(at.getTime())).slice(0, 10);
}

/** A day so many days later; earlier where that is negative. */
export function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10);
}

/** Monday is 0. */
export function weekdayOf(day: string): number {
  return (new Date(day).getUTCDay() + 6) % 7;
}

/** The first day of the month so many months later. */
export function monthStart(day: string, months: number): string {
  const [year = 0, month = 1] = day.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 10);
}

/** The same day of a later month, the last one of a month that is too short. */
export function monthsAfter(day: string, months: number): string {
  const first = monthStart(day, months);
  const last = dayAfter(monthStart(first, 1), -1);
  const same = `${first.slice(0, 8)}${day.slice(8)}`;
  return same > last ? last : same;
}
