import { calendarRule, type CalendarRule } from "../../shared/calendar/calendar-rule.ts";
import { Problem } from "../../shared/problem.ts";
import { parseRecurrencePatternText, type RecurrencePattern } from "../../shared/recurrence/recurrence-pattern.ts";

/** A pattern as it is stored, read, and as iCalendar says it; `rule` is `null` where that has no word for it. */
export type ReadRule = Readonly<{ pattern: RecurrencePattern | null; rule: CalendarRule | null }>;

const most = 1000;
const none: ReadRule = { pattern: null, rule: null };

/**
 * Reads patterns from their JSON text, each text once as long as it is among the last thousand: a series has many tasks. All `null` for
 * no text, and for a pattern that a newer build wrote and this one does not understand.
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
    return { pattern, rule: pattern.anchor === "schedule" ? calendarRule(pattern) : null };
  } catch (error) {
    if (error instanceof Problem) return none;
    throw error;
  }
}
