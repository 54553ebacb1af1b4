import { plainId } from "./find-recurrence.ts";
import type { Recurrence, Schedule } from "./recurrence.ts";

/** When an occurrence is due: at an instant, or on a day. */
export type OccurrenceDue = Readonly<{ date: Date; on: null }> | Readonly<{ date: null; on: string }>;

/**
 * The due the rule gives a recurrence; of an all-day one its day, though it may have been made when the series had
 * times.
 */
export function ownDue({ id, at }: Recurrence, { start }: Pick<Schedule, "start">): OccurrenceDue {
  return start.length === 10 ? { date: null, on: plainId(id).slice(0, 10) } : { date: at, on: null };
}
