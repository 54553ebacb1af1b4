import { Problem } from "../../shared/problem.ts";
import {
  parseRecurrencePattern,
  parseRecurrencePatternText,
  type RecurrencePattern,
} from "../../shared/recurrence/recurrence-pattern.ts";
import { localStart } from "../../shared/recurrence/wall-time.ts";

type PatternDefaults = Readonly<{
  /** The pattern the template had: what the new one leaves open stays as it was. */
  before: string | null;
  dueDate: Date | null;
  /** "YYYY-MM-DD": its occurrences are all-day then. */
  dueOn: string | null;
  dueTz: string | null;
  /** The user's. */
  zone: string;
  now: Date;
  /** The due a request says together with the pattern: it goes before the start and the zone that the template had. */
  said?: Readonly<{
    dueDate?: Date | null | undefined;
    dueOn?: string | null | undefined;
    dueTz?: string | null | undefined;
  }>;
}>;

/**
 * The JSON text a template stores: the pattern with its zone and start filled in. The zone is the one given, else that
 * of the due said with it, else the one before, else the task's, else the user's; the start the one given, else the due
 * said with it, else the one before, else the task's due day or time, else now, on the wall clocks of the zone.
 * Throws INVALID_REQUEST, paths below "/recurrence_pattern", when the whole has no occurrence.
 */
export function fillPattern(
  pattern: RecurrencePattern,
  { before, dueDate, dueOn, dueTz, zone, now, said = {} }: PatternDefaults,
): string {
  const old = before === null ? null : parseRecurrencePatternText(before);
  const tz = pattern.tz ?? said.dueTz ?? old?.tz ?? dueTz ?? zone;
  const saidStart = said.dueOn ?? (said.dueDate ? localStart(said.dueDate, tz) : undefined);
  const start = pattern.start ?? saidStart ?? old?.start ?? dueOn ?? localStart(dueDate ?? now, tz);
  try {
    return JSON.stringify(parseRecurrencePattern({ ...pattern, tz, start }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const mistakes = (error.extra.mistakes ?? []).map(({ path, message }) => ({
      path: `/recurrence_pattern${path}`,
      message,
    }));
    throw new Problem("INVALID_REQUEST", undefined, { mistakes, cause: error });
  }
}
