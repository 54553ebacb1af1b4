import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { dayEnd } from "../../shared/recurrence/passing.ts";
import { ownDue, type OccurrenceDue } from "../../shared/recurrence/recurrence-due.ts";
import type { Recurrence, Schedule } from "../../shared/recurrence/recurrence.ts";

/** What a person made of one recurrence of a series: it is left out, or due at another time. */
export type Exception = Readonly<{
  /** The local start as the rule says it, `2026-01-31T09:00:00` or `2026-01-31`. */
  recurrenceId: string;
  /** The start of the recurrence. */
  at: Date;
}> &
  (
    | Readonly<{ kind: "skipped" }>
    | Readonly<{
        kind: "moved";
        due: OccurrenceDue;
        /** What the due was said as, see `localDue`; missing for a day and where it was said as an instant. */
        local?: string;
      }>
  );

/** By recurrence id. */
export type Exceptions = ReadonlyMap<string, Exception>;

/** The due of a recurrence: where it was moved to, else the rule's. */
export function dueOf(recurrence: Recurrence, schedule: Schedule, exceptions: Exceptions): OccurrenceDue {
  const exception = exceptions.get(plainId(recurrence.id));
  return exception?.kind === "moved" ? exception.due : ownDue(recurrence, schedule);
}

/** When a due has passed: its instant, or the end of its day in the zone. */
export function passesAt(due: OccurrenceDue, tz: string): Date {
  return due.date ?? dayEnd(due.on, tz);
}
