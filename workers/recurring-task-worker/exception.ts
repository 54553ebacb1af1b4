import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { ownDue, type OccurrenceDue } from "../../shared/recurrence/recurrence-due.ts";
import type { Recurrence, Schedule } from "../../shared/recurrence/recurrence.ts";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";

const dayMs = 86_400_000;

/** What a person made of one recurrence of a series: it is left out, or due at another time. */
export type Exception = Readonly<{
  /** The local start as the rule says it, `2026-01-31T09:00:00` or `2026-01-31`. */
  recurrenceId: string;
  /** The start of the recurrence. */
  at: Date;
}> &
  (Readonly<{ kind: "skipped" }> | Readonly<{ kind: "moved"; due: OccurrenceDue }>);

/** By recurrence id. */
export type Exceptions = ReadonlyMap<string, Exception>;

/** The due of a recurrence: where it was moved to, else the rule's. */
export function dueOf(recurrence: Recurrence, schedule: Schedule, exceptions: Exceptions): OccurrenceDue {
  const exception = exceptions.get(plainId(recurrence.id));
  return exception?.kind === "moved" ? exception.due : ownDue(recurrence, schedule);
}

/** When a due has passed: its instant, or the end of its day in the zone. */
export function passesAt(due: OccurrenceDue, tz: string): Date {
  if (due.date !== null) return due.date;
  const tomorrow = Date.parse(due.on) + dayMs;
  const clock = zoneClock(tz);
  return new Date(clock.dayStart(tomorrow) ?? clock.instantPast(tomorrow));
}
