import { readWall, wallText } from "../recurrence/wall-time.ts";
import { zoneClock, type WallMs } from "../recurrence/zone-clock.ts";
import type { Clock, Due, RelativeReminder } from "./relative-reminder.ts";

const dayMs = 86_400_000;

/**
 * The instant a rule stands for. Days are days of the calendar in the zone, hours are hours; a wall-clock time in a gap
 * moves past it.
 */
export function remindAt(rule: RelativeReminder, due: Due, { tz, allDayAt }: Clock): Date {
  const clock = zoneClock(tz);
  const dueAt = due.kind === "instant" ? due.at.getTime() : clock.instantPast(wallOn(due.on, allDayAt));
  const wall = clock.wallAt(dueAt) - rule.days * dayMs;
  if (rule.kind === "at") return new Date(clock.instantPast(wallOn(wallText(wall).slice(0, 10), rule.time)));
  // On the day itself it is the very instant, the second one too where its time comes twice.
  return new Date((rule.days === 0 ? dueAt : clock.instantPast(wall)) - rule.ms);
}

/** The instant a task counts as due. */
export function dueInstant(due: Due, clock: Clock): Date {
  return remindAt({ kind: "before", days: 0, ms: 0, text: "PT0S" }, due, clock);
}

/** `09:00` of a day of the calendar. */
function wallOn(day: string, time: string): WallMs {
  const wall = readWall(`${day}T${time}`);
  if (wall === null) throw new RangeError(`"${day}T${time}" is no local time`);
  return wall;
}
