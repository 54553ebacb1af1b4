import { neverRepeats, repeatPattern, weekdays, type RepeatFields, type Weekday } from "./repeat-rule.ts";

const units: Readonly<Record<string, RepeatFields["every"]>> = {
  DAILY: "day",
  WEEKLY: "week",
  MONTHLY: "month",
  YEARLY: "year",
};

/**
 * The fields that say a pattern: the way back from `repeatPattern`. `null` for a rule that the form has no fields for.
 */
export function readRepeat(pattern: Readonly<Record<string, unknown>>): RepeatFields | null {
  const { rrule, start } = pattern;
  if (typeof rrule !== "string" || typeof start !== "string") return null;
  const parts = new Map(
    rrule.split(";").map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]),
  );
  const until = parts.get("UNTIL") ?? "";
  const day = parts.get("BYDAY") ?? "";
  const anchor = pattern["anchor"] === "completion" ? "completion" : "schedule";
  const monthDay = parts.get("BYMONTHDAY") ?? String(Number(start.slice(8, 10)));
  const every = units[parts.get("FREQ") ?? ""] ?? "never";
  const fields: RepeatFields = {
    ...neverRepeats,
    every: day === "MO,TU,WE,TH,FR" && !parts.has("INTERVAL") && every === "week" ? "weekday" : every,
    interval: Number(parts.get("INTERVAL") ?? 1),
    on: weekdays.filter((name) => every === "week" && day.split(",").includes(name)),
    monthly: monthlyOf(parts, anchor),
    monthDay: Math.max(1, Number(monthDay) || 1),
    // What is no ordinal or weekday of the form is told by the comparison below.
    ordinal: (day.slice(0, -2) || "1") as RepeatFields["ordinal"],
    weekday: (day.slice(-2) || "MO") as Weekday,
    ends: until ? "on" : parts.has("COUNT") ? "after" : "never",
    until: until.replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3"),
    count: Number(parts.get("COUNT") ?? neverRepeats.count),
    anchor,
    clamp: pattern["month_end"] === "clamp",
  };
  const said = repeatPattern(fields, { start, tz: "UTC" });
  return said !== null && sameRule(said.rrule, rrule, start) && isOffered(fields) ? fields : null;
}

/** Counted from completion, a month without a day is one from the day on which it was done. */
function monthlyOf(parts: ReadonlyMap<string, string>, anchor: RepeatFields["anchor"]): RepeatFields["monthly"] {
  if (parts.has("BYDAY")) return "weekday";
  if (parts.get("BYMONTHDAY") === "-1") return "last-day";
  return anchor === "completion" && !parts.has("BYMONTHDAY") ? "done" : "day";
}

function isOffered({ every, monthly, ordinal, weekday, monthDay, until }: RepeatFields): boolean {
  if (until !== "" && !/^\d{4}-\d\d-\d\d$/.test(until)) return false; // to the second, or an instant
  if (every !== "month") return true;
  if (monthly === "done") return true;
  if (monthly === "day") return monthDay <= 31;
  return monthly === "last-day" || (["1", "2", "3", "4", "-1"].includes(ordinal) && weekdays.includes(weekday));
}

/** Parts may come in any order; a monthly rule that leaves its day to the start means that day. */
function sameRule(said: string, given: string, start: string): boolean {
  const sorted = (rule: string) => rule.split(";").toSorted().join(";");
  return sorted(said) === sorted(given) || sorted(said) === sorted(`${given};BYMONTHDAY=${Number(start.slice(8, 10))}`);
}
