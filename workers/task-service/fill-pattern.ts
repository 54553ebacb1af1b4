import { Problem } from "../../shared/problem.ts";
import { placeIn } from "../../shared/recurrence/place-in.ts";
import {
  parseRecurrencePattern,
  parseRecurrencePatternText,
  type RecurrencePattern,
} from "../../shared/recurrence/recurrence-pattern.ts";
import { localStart } from "../../shared/recurrence/wall-time.ts";
import { scheduleOf } from "./cut-pattern.ts";

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
 * said with it, else the one before, else the task's due day or time, else now, on the wall clocks of the zone. The
 * starts left out are those given, none for an empty list, else those before, each on its day.
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
    const whole = parseRecurrencePattern({ ...pattern, tz, start });
    const { exdate, ...filled } = whole;
    if (exdate === undefined && old?.exdate !== undefined) return leavingOut(old.exdate, { ...filled, start });
    return JSON.stringify(exdate?.length === 0 ? filled : whole);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const mistakes = (error.extra.mistakes ?? []).map(({ path, message }) => ({
      path: `/recurrence_pattern${path}`,
      message,
    }));
    throw new Problem("INVALID_REQUEST", undefined, { mistakes, cause: error });
  }
}

/**
 * The pattern without the starts on these days. A day that its rule does not have stays left out: the next rule may
 * have it. Where nothing would be left of the rule, they are forgotten.
 */
function leavingOut(starts: readonly string[], pattern: RecurrencePattern & Readonly<{ start: string }>): string {
  // By its rule alone: counted from completion any day would do.
  const laid = { schedule: scheduleOf(pattern), pattern: { anchor: "schedule" } } as const;
  const onDay = (each: string) => placeIn(laid, each)?.id ?? `${each.slice(0, 10)}${pattern.start.slice(10)}`;
  try {
    return JSON.stringify(parseRecurrencePattern({ ...pattern, exdate: starts.map(onDay) }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return JSON.stringify(pattern);
  }
}
