import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import type { Recurrence, Schedule } from "../../shared/recurrence/recurrence.ts";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";

const dayMs = 86_400_000;

/** When an occurrence is due: at an instant, or on a day. */
export type Due = Readonly<{ date: Date; on: null }> | Readonly<{ date: null; on: string }>;

/** What a person made of one recurrence of a series: it is left out, or due at another time. */
export type Exception = Readonly<{
  /** The local start as the rule says it, `2026-01-31T09:00:00` or `2026-01-31`. */
  recurrenceId: string;
  /** The start of the recurrence. */
  at: Date;
}> &
  (Readonly<{ kind: "skipped" }> | Readonly<{ kind: "moved"; due: Due }>);

/** By recurrence id. */
export type Exceptions = ReadonlyMap<string, Exception>;

/** The due the rule gives a recurrence; of an all-day one its day. */
export function ownDue({ id, at }: Recurrence, { start }: Pick<Schedule, "start">): Due {
  return start.length === 10 ? { date: null, on: plainId(id) } : { date: at, on: null };
}

/** The due of a recurrence: where it was moved to, else the rule's. */
export function dueOf(recurrence: Recurrence, schedule: Schedule, exceptions: Exceptions): Due {
  const exception = exceptions.get(plainId(recurrence.id));
  return exception?.kind === "moved" ? exception.due : ownDue(recurrence, schedule);
}

/** When a due has passed: its instant, or the end of its day in the zone. */
export function passesAt(due: Due, tz: string): Date {
  if (due.date !== null) return due.date;
  const tomorrow = Date.parse(due.on) + dayMs;
  const clock = zoneClock(tz);
  return new Date(clock.dayStart(tomorrow) ?? clock.instantPast(tomorrow));
}
