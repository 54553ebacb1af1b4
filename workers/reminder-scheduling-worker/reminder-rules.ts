import type { Setting } from "../../shared/config.ts";
import type { ReminderRule } from "../../shared/records.ts";

const maxRules = 10;
const maxOffsetMs = 366 * 24 * 60 * 60 * 1000;

/**
 * The reminders every task with a due date gets: `at-due=PT0S,hour-before=-PT1H`, a name and an ISO 8601 duration of weeks at
 * most, zero or negative (before the due time). Empty text means none. The order does not matter; the result is sorted by name.
 */
export const reminderRulesSetting: Setting<readonly ReminderRule[]> = {
  name: "DEFAULT_REMINDER_RULES",
  fallback: "at-due=PT0S",
  parse: (text) => {
    const rules = text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
      .map(readRule);
    if (rules.length > maxRules) throw new Error(`may name ${maxRules} rules`);
    if (new Set(rules.map(({ rule }) => rule)).size < rules.length) throw new Error("names a rule twice");
    return rules.toSorted((a, b) => (a.rule < b.rule ? -1 : 1));
  },
};

function readRule(item: string): ReminderRule {
  const [, rule, duration] = /^([a-z][a-z0-9-]{0,39})=(-?P\S+)$/.exec(item) ?? [];
  if (rule === undefined || duration === undefined)
    throw new Error(`must be rules such as at-due=PT0S,hour-before=-PT1H, not "${item}"`);
  const offset_ms = millisecondsOf(duration);
  if (offset_ms > 0 || offset_ms < -maxOffsetMs)
    throw new Error(`${rule} must be at or up to a year before the due time, not "${duration}"`);
  return { rule, offset_ms };
}

/** A day counts 24 hours here: the offset is a distance, not a wall-clock time. */
function millisecondsOf(duration: string): number {
  let parsed: Temporal.Duration;
  try {
    parsed = Temporal.Duration.from(duration);
  } catch (cause) {
    throw new Error(`"${duration}" is not an ISO 8601 duration`, { cause });
  }
  if (parsed.years !== 0 || parsed.months !== 0) throw new Error(`"${duration}" has years or months, which vary`);
  // Adding 0 turns the -0 of "-PT0S" into 0.
  return parsed.with({ weeks: 0, days: parsed.days + 7 * parsed.weeks }).total("milliseconds") + 0;
}
