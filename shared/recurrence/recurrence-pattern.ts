import { Problem, type Mistake } from "../problem.ts";
import { findZone } from "../zones/zones-in-use.ts";
import { parseRrule, type Rrule, type RruleMistake } from "./parse-rrule.ts";
import { mayClamp } from "./expand-rule.ts";
import { makeRecurrences } from "./recurrence.ts";
import { readWall, wallText } from "./wall-time.ts";

/**
 * How a template repeats, every choice filled in. As JSON (`JSON.stringify`) it parses to itself.
 * `tz` is an IANA zone and `start` a wall-clock time in it, `2026-01-31T09:00:00`, or a day, `2026-01-31`, for all-day
 * occurrences; where they are missing the task says: its due date and zone, else the moment it became a template, UTC.
 */
export type RecurrencePattern = Readonly<{
  /** RFC 5545, daily or slower (BYHOUR may name several hours), canonical spelling. */
  rrule: string;
  tz?: string;
  start?: string;
  /**
   * Starts left out, as `start` is written: all times or all days. In order, at most `maxExdates`; COUNT counts them
   * all the same.
   */
  exdate?: readonly string[];
  /** What the next one counts from: the calendar, or the moment the last one was completed. */
  anchor: "schedule" | "completion";
  /** The 31st of a month with 30 days: its last day, or no occurrence. */
  month_end: "clamp" | "skip";
  /** Which of the occurrences missed (worker down, `max_open` reached) are made afterwards. */
  catch_up: "latest" | "all" | "none";
  /** How many may be open at a time, 1 to 100. */
  max_open: number;
}>;

export const recurrencePresets = {
  daily: "FREQ=DAILY",
  weekly: "FREQ=WEEKLY",
  monthly: "FREQ=MONTHLY",
  yearly: "FREQ=YEARLY",
  weekdays: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
} as const;

const choices = {
  anchor: ["schedule", "completion"],
  month_end: ["skip", "clamp"],
  catch_up: ["latest", "all", "none"],
} as const;
const keys: readonly string[] = ["rrule", "tz", "start", "exdate", "anchor", "month_end", "catch_up", "max_open"];
export const maxOpen = 100;
export const maxExdates = 366;
/** Of a pattern as JSON: 366 starts are some 8,100. */
const maxCharacters = 12_000;

/** Of these a day may be missing in a month or year: their presets take the last day then, as people mean them. */
const clamped: readonly string[] = ["monthly", "yearly"];

/**
 * Accepts a preset's name or the object; unknown keys are refused, defaults are filled in. Throws Problem
 * INVALID_REQUEST whose mistakes' paths are JSON pointers into the pattern ("/rrule", "/tz", "" for the whole); put the
 * pointer of the pattern before them. A rule that never occurs is a mistake too. Takes a few milliseconds for any
 * input.
 */
export function parseRecurrencePattern(input: unknown): RecurrencePattern {
  const pattern = typeof input === "string" ? readPreset(input) : readPattern(input, readExdate);
  const mistake = neverOccurs(pattern);
  if (mistake) throw invalid([mistake]);
  return pattern;
}

function readPreset(name: string): RecurrencePattern {
  if (!Object.hasOwn(recurrencePresets, name))
    throw invalid([{ path: "", message: `is an object or one of ${Object.keys(recurrencePresets).join(", ")}` }]);
  const rrule = recurrencePresets[name as keyof typeof recurrencePresets]; // hasOwn has just said so.
  const month_end = clamped.includes(name) ? "clamp" : "skip";
  return { rrule, anchor: "schedule", month_end, catch_up: "latest", max_open: 1 };
}

type ReadExdate = (value: unknown, mistakes: Mistake[]) => readonly string[];

function readPattern(input: unknown, readExdate: ReadExdate): RecurrencePattern {
  // In a text it was stored with the defaults of an object, and stays as it was.
  if (typeof input === "string") return { ...readPreset(input), month_end: "skip" };
  if (typeof input !== "object" || input === null || Array.isArray(input))
    throw invalid([{ path: "", message: "is an object or the name of a preset" }]);
  const given: Readonly<Record<string, unknown>> = { ...input };
  const mistakes: Mistake[] = Object.keys(given)
    .filter((key) => !keys.includes(key))
    .slice(0, 10)
    .map((key) => ({ path: `/${pointer(key)}`, message: `is not known here; known are ${keys.join(", ")}` }));

  const rule = readRule(given.rrule, mistakes);
  const tz = readZone(given.tz, mistakes);
  const start = readStart(given.start, mistakes);
  const exdate = readExdate(given.exdate, mistakes);
  const pattern = {
    rrule: endingByKind(rule?.canonical ?? "", start),
    ...(tz === null ? {} : { tz }),
    ...(start === null ? {} : { start }),
    ...(given.exdate === undefined ? {} : { exdate }),
    anchor: readChoice("anchor", given.anchor, mistakes),
    month_end: readChoice("month_end", given.month_end, mistakes),
    catch_up: readChoice("catch_up", given.catch_up, mistakes),
    max_open: readMaxOpen(given.max_open, mistakes),
  };
  if (mistakes.length > 0 || !rule) throw invalid(mistakes);
  const conflict = conflictOf(rule, pattern);
  if (conflict) throw invalid([conflict]);
  return pattern;
}

/**
 * The pattern of an event's or a row's JSON text; the same errors, and "" for text that is not JSON. That it occurs,
 * and each start left out, was looked at when it
 * was written, which may have been a search through two centuries, and is not looked up again.
 */
export function parseRecurrencePatternText(json: string): RecurrencePattern {
  if (json.length > maxCharacters) throw invalid([{ path: "", message: `is longer than ${maxCharacters} characters` }]);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw invalid([{ path: "", message: "is not JSON" }], cause);
  }
  return readPattern(value, keepExdate);
}

/** The rule of a parsed pattern. */
export function ruleOf(pattern: RecurrencePattern): Rrule {
  const rule = parseRrule(pattern.rrule);
  if (isMistake(rule)) throw invalid([{ path: "/rrule", message: described(rule) }]);
  return rule;
}

/** An all-day series ends on a day: of an UNTIL with a time, the day as it is written, whatever the zone. */
function endingByKind(canonical: string, start: string | null): string {
  return start?.length === 10 ? canonical.replace(/(;UNTIL=\d{8})T[^;]*/, "$1") : canonical;
}

function conflictOf(rule: Rrule, pattern: RecurrencePattern): Mistake | null {
  const lateDays = rule.parts.get("BYMONTHDAY")?.some((day) => Number(day) > 28) ?? false;
  if (pattern.month_end === "clamp" && lateDays && !mayClamp(rule))
    return { path: "/month_end", message: "clamp needs a monthly or yearly rule by days of the month alone" };
  const [left] = pattern.exdate ?? [];
  if (left !== undefined && pattern.start !== undefined && left.length !== pattern.start.length)
    return { path: "/exdate", message: `is of ${left.length === 10 ? "days" : "times"}, start is not` };
  const allDay = (pattern.start ?? left)?.length === 10;
  if (allDay && ["BYHOUR", "BYMINUTE", "BYSECOND"].some((name) => rule.parts.has(name)))
    return {
      path: pattern.start === undefined ? "/exdate" : "/start",
      message: "is a day; a rule with BYHOUR, BYMINUTE or BYSECOND needs a time",
    };
  return null;
}

function neverOccurs(pattern: RecurrencePattern): Mistake | null {
  const rule = ruleOf(pattern);
  // Without a start only the shape can be judged: any start will do, and UNTIL may lie before it.
  const tried = pattern.start === undefined ? { ...rule, until: null } : rule;
  const recurrences = makeRecurrences({
    rule: tried,
    start: pattern.start ?? "2024-01-01T09:00:00",
    tz: pattern.tz ?? "UTC",
    monthEnd: pattern.month_end,
    exdate: pattern.exdate ?? [],
  });
  if (recurrences.first()) return null;
  return (pattern.exdate ?? []).length === 0
    ? { path: "/rrule", message: "never occurs" }
    : { path: "/rrule", message: "never occurs, or exdate leaves out every start" };
}

function readRule(value: unknown, mistakes: Mistake[]): Rrule | null {
  if (typeof value !== "string") {
    mistakes.push({ path: "/rrule", message: value === undefined ? "is missing" : "is text" });
    return null;
  }
  const rule = parseRrule(value);
  if (!isMistake(rule)) return rule;
  mistakes.push({ path: "/rrule", message: described(rule) });
  return null;
}

function readZone(value: unknown, mistakes: Mistake[]): string | null {
  if (value === undefined) return null;
  const zone = typeof value === "string" ? knownZone(value) : null;
  if (zone === null) mistakes.push({ path: "/tz", message: "is not an IANA time zone such as Europe/Berlin" });
  return zone;
}

/**
 * The zone in its usual spelling, `null` when there is none of that name. Offsets such as +01:00 are not zones: they
 * know no summer.
 */
export function knownZone(name: string): string | null {
  return name.length > 64 ? null : findZone(name);
}

function readStart(value: unknown, mistakes: Mistake[]): string | null {
  if (value === undefined) return null;
  const start = localStart(value);
  if (start === null) mistakes.push({ path: "/start", message: localStartTakes });
  return start;
}

const localStartTakes = "is a local time 2026-01-31T09:00 or a day 2026-01-31, from 1970 to 2199, without an offset";

/** In the usual spelling; `null` for anything else, a day or time the calendar does not have among it. */
function localStart(value: unknown): string | null {
  if (typeof value !== "string" || !/^(?:19[7-9]|2[01]\d)/.test(value)) return null;
  const wall = readWall(value);
  if (wall === null) return null;
  return value.length === 16 ? wallText(wall) : value;
}

/**
 * What was in order when it was written: looking at 366 starts again would be most of the work of reading a pattern.
 */
function keepExdate(value: unknown, mistakes: Mistake[]): readonly string[] {
  if (value === undefined) return [];
  const isKept = Array.isArray(value) && value.length <= maxExdates && value.every((each) => typeof each === "string");
  if (isKept) return value;
  mistakes.push({ path: "/exdate", message: `is an array of at most ${maxExdates} starts` });
  return [];
}

/** Empty for none. */
function readExdate(value: unknown, mistakes: Mistake[]): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > maxExdates) {
    mistakes.push({ path: "/exdate", message: `is an array of at most ${maxExdates} starts` });
    return [];
  }
  const found: string[] = [];
  for (const [index, each] of (value as readonly unknown[]).entries()) {
    const start = localStart(each);
    if (start === null) mistakes.push({ path: `/exdate/${index}`, message: localStartTakes });
    else if (found[0] !== undefined && start.length !== found[0].length)
      mistakes.push({ path: `/exdate/${index}`, message: "is not of the kind of the first: all times, or all days" });
    else found.push(start);
    if (mistakes.length >= 10) break;
  }
  return [...new Set(found)].sort();
}

function readChoice<K extends keyof typeof choices>(
  key: K,
  value: unknown,
  mistakes: Mistake[],
): (typeof choices)[K][number] {
  const allowed: readonly (typeof choices)[K][number][] = choices[key];
  const [standard] = choices[key];
  if (value === undefined) return standard;
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) mistakes.push({ path: `/${key}`, message: `is one of ${allowed.join(", ")}` });
  return found ?? standard;
}

function readMaxOpen(value: unknown, mistakes: Mistake[]): number {
  if (value === undefined) return 1;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= maxOpen) return value;
  mistakes.push({ path: "/max_open", message: `is a whole number from 1 to ${maxOpen}` });
  return 1;
}

function isMistake(rule: Rrule | RruleMistake): rule is RruleMistake {
  return "at" in rule;
}

function described(mistake: RruleMistake): string {
  return `${mistake.message} (character ${mistake.at})`;
}

function pointer(key: string): string {
  return key.slice(0, 40).replaceAll("~", "~0").replaceAll("/", "~1");
}

function invalid(mistakes: readonly Mistake[], cause?: unknown): Problem {
  const first = mistakes[0];
  const detail = first ? `recurrence_pattern${first.path} ${first.message}` : undefined;
  return new Problem("INVALID_REQUEST", detail, { mistakes, ...(cause === undefined ? {} : { cause }) });
}
