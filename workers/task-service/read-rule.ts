import { calendarRule, type CalendarRule } from "./calendar/calendar-rule.ts";
import { Problem } from "../../shared/problem.ts";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { placeIn } from "../../shared/recurrence/place-in.ts";
import { parseRecurrencePatternText, type RecurrencePattern } from "../../shared/recurrence/recurrence-pattern.ts";
import { scheduleOf } from "./cut-pattern.ts";

/** A pattern as it is stored, read, and as iCalendar says it; `rule` is `null` where that has no word for it. */
type ReadRule = Readonly<{
  pattern: RecurrencePattern | null;
  rule: CalendarRule | null;
  /**
   * The local start that an occurrence stands for by this pattern, though it may have been made under an earlier one.
   */
  placeOf: (recurrenceId: string) => string;
}>;

const most = 1000;
const none: ReadRule = { pattern: null, rule: null, placeOf: plainId };

/**
 * Reads patterns from their JSON text, each text once as long as it is among the last thousand: a series has many
 * tasks. All `null` for no text, and for a pattern that a newer build wrote and this one does not understand.
 */
export function makeReadRule(): (json: string | null) => ReadRule {
  const known = new Map<string, ReadRule>();
  return (json) => {
    if (json === null) return none;
    const found = known.get(json) ?? readRule(json);
    known.delete(json);
    known.set(json, found);
    for (const oldest of known.keys()) if (known.size > most) known.delete(oldest);
    return found;
  };
}

function readRule(json: string): ReadRule {
  try {
    const pattern = parseRecurrencePatternText(json);
    const laid = { schedule: scheduleOf(pattern), pattern };
    const rule = pattern.anchor === "schedule" ? calendarRule(pattern) : null;
    return { pattern, rule, placeOf: (id) => placeIn(laid, id)?.id ?? plainId(id) };
  } catch (error) {
    if (error instanceof Problem) return none;
    throw error;
  }
}
