import type { Until } from "./parse-rrule.ts";
import { readWall, wallText } from "./wall-time.ts";
import { zoneClock } from "./zone-clock.ts";
import { makeRecurrences, type Recurrence, type Schedule } from "./recurrence.ts";

/**
 * The recurrence of a schedule that starts at this local time or day; `null` for any other text, or a time the rule
 * does not name.
 */
export function findRecurrence(schedule: Schedule, id: string): Recurrence | null {
  const at = instantOf(id, schedule.tz);
  if (at === null) return null;
  const found = makeRecurrences(schedule).next(new Date(at.getTime() - 1));
  return found?.id === id ? found : null;
}

/** The instant of a local start in a zone, the first one where it comes twice; `null` for what is no local start. */
export function instantOf(id: string, tz: string): Date | null {
  const wall = id.length === 16 ? null : readWall(id);
  if (wall === null) return null;
  const clock = zoneClock(tz);
  return new Date((id.length === 10 ? clock.dayStart(wall) : null) ?? clock.instantPast(wall));
}

/** The local start a recurrence id names, without the `#2` of a further occurrence of the same time. */
export function plainId(recurrenceId: string): string {
  return recurrenceId.split("#", 1)[0] ?? recurrenceId;
}

/** Whether a start lies past an UNTIL, which is inclusive. */
export function isPastUntil({ kind, iso }: Until, at: Date, tz: string): boolean {
  if (kind === "instant") return at.getTime() > Date.parse(iso);
  return wallText(zoneClock(tz).wallAt(at.getTime())).slice(0, iso.length) > iso;
}
