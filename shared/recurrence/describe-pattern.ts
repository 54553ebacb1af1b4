import { parseRrule, type Rrule, type Until } from "./parse-rrule.ts";
import type { RecurrencePattern } from "./recurrence-pattern.ts";
import { intervalOf, namesDays, namesSeveral } from "./span.ts";

/** What of a pattern is told; what is missing is left open. */
export type PatternParts = Readonly<{ rrule: string } & Partial<Omit<RecurrencePattern, "rrule">>>;

const weekdays: Readonly<Record<string, string>> = {
  MO: "Monday",
  TU: "Tuesday",
  WE: "Wednesday",
  TH: "Thursday",
  FR: "Friday",
  SA: "Saturday",
  SU: "Sunday",
};
const months = "January February March April May June July August September October November December".split(" ");
const units = { DAILY: "day", WEEKLY: "week", MONTHLY: "month", YEARLY: "year" } as const;

/**
 * A pattern in English, all of it: "every last Friday of the month at 17:00 (Europe/Berlin), until 31 Dec 2026". What
 * the rule leaves to its start (weekday, day, time) is taken from there, or not told where there is none. A rule this
 * build does not understand comes back as it is. Runs in browsers: it needs neither Temporal nor Intl.
 */
export function describePattern(pattern: PatternParts): string {
  const rule = parseRrule(pattern.rrule);
  if ("message" in rule) return pattern.rrule;
  const days = pattern.anchor === "completion" ? afterCompletion(rule, pattern) : daysOf(rule, pattern);
  const times = timesOf(rule, pattern);
  const zone = times !== "" && pattern.tz !== undefined ? ` (${pattern.tz})` : "";
  return [`${days}${times}${zone}`, ...picked(rule), ...ends(rule), ...exceptions(pattern), ...policies(pattern)].join(
    ", ",
  );
}

function afterCompletion(rule: Rrule, pattern: PatternParts): string {
  const interval = intervalOf(rule);
  const span = `${interval} ${units[rule.freq]}${interval === 1 ? "" : "s"}`;
  if (interval === 1 && namesSeveral(rule, pattern.start ?? "1970-01-01", pattern.month_end ?? "skip"))
    return `after completion, next${namesDays(rule) ? ` ${conditionWords(rule, pattern)}` : ""}`;
  return namesDays(rule)
    ? `${span} or more after completion, ${conditionWords(rule, pattern)}`
    : `${span} after completion`;
}

/** The days a rule names, as what one day must be: "on Monday or Thursday", "on the 15th of the month". */
function conditionWords(rule: Rrule, { start, month_end }: PatternParts): string {
  const { monthDays, byDay, yearDays, weeks, inMonths } = namedParts(rule, start);
  const names = inMonths === null ? null : list(monthNames(inMonths), "or");
  const numbered = byDay?.some((day) => day.length > 2) ?? false;
  const scope = names ?? (rule.freq === "YEARLY" ? "the year" : "the month");
  const words: string[] = [];
  if (weeks !== null) words.push(`in ${weekWords(weeks)}`);
  if (yearDays !== null) words.push(`on ${list(yearDays.map(ordinalDay), "or")} of the year`);
  if (monthDays !== null) words.push(`on ${monthDayWords(monthDays, "or")} of ${names ?? "the month"}`);
  if (byDay !== null) {
    const which = isWorkWeek(byDay)
      ? "a weekday"
      : `${weekdayWords(byDay, "or", numbered ? "a " : "")}${numbered ? ` of ${scope}` : ""}`;
    words.push(`${words.length > 0 || rule.freq === "DAILY" ? "if it is" : "on"} ${which}`);
  }
  if (names !== null && monthDays === null && !numbered) words.push(`in ${names}`);
  return `${words.join(" ")}${monthEndNote(monthDays, inMonths, month_end)}`;
}

/** The parts that name days, what the rule leaves open filled in from its start. */
function namedParts(
  { freq, parts }: Rrule,
  start: string | undefined,
): Readonly<Record<"monthDays" | "byDay" | "yearDays" | "weeks" | "inMonths", readonly string[] | null>> {
  const given = (name: string) => parts.get(name) ?? null;
  const from = start === undefined ? null : new Date(`${start.slice(0, 10)}T00:00:00Z`);
  const weeks = given("BYWEEKNO");
  const yearDays = given("BYYEARDAY");
  let [monthDays, byDay, inMonths] = [given("BYMONTHDAY"), given("BYDAY"), given("BYMONTH")];
  if (monthDays === null && byDay === null && yearDays === null && from !== null) {
    if (freq === "WEEKLY" || weeks !== null) byDay = [Object.keys(weekdays)[(from.getUTCDay() + 6) % 7] ?? ""];
    else if (freq !== "DAILY") monthDays = [String(from.getUTCDate())];
    if (freq === "YEARLY" && weeks === null) inMonths ??= [String(from.getUTCMonth() + 1)];
  }
  return { monthDays, byDay, yearDays, weeks, inMonths };
}

function monthNames(numbers: readonly string[]): readonly string[] {
  return numbers.map((month) => months[Number(month) - 1] ?? "");
}

/** Which days, without the time of day. */
function daysOf(rule: Rrule, { start, month_end }: PatternParts): string {
  const { freq, parts } = rule;
  const interval = intervalOf(rule);
  const every = interval === 1 ? `every ${units[freq]}` : `every ${interval} ${units[freq]}s`;
  const { weeks, yearDays, monthDays, byDay, inMonths } = namedParts(rule, start);
  const weekStart = parts.get("WKST")?.[0] ?? "MO";
  const counted = weeks !== null || (freq === "WEEKLY" && interval > 1);
  const weekNote = counted && weekStart !== "MO" ? `, weeks beginning on ${weekdays[weekStart]}` : "";
  const short = monthEndNote(monthDays, inMonths, month_end);
  const names = inMonths === null ? null : monthNames(inMonths);
  const single = [monthDays, byDay, yearDays, weeks].filter((part) => part !== null).length === 1;
  const numbered = byDay?.some((day) => day.length > 2) ?? false;

  // The usual ones, as people say them.
  if (single && interval === 1 && freq === "WEEKLY" && byDay !== null && names === null) {
    if (isWorkWeek(byDay)) return "every weekday";
    if (byDay.length === 7) return "every day";
  }
  if (single && interval === 1 && freq === "MONTHLY" && monthDays !== null)
    return `on ${monthDayWords(monthDays)} of ${names === null ? "every month" : list(names)}${short}`;
  if (single && interval === 1 && freq === "MONTHLY" && byDay !== null)
    return `every ${isWorkWeek(byDay) ? "weekday" : weekdayWords(byDay, "or", "")} of ${names === null ? "the month" : list(names)}`;

  const words = [every];
  if (weeks !== null) words.push(`in ${weekWords(weeks)}`);
  if (yearDays !== null) words.push(`on ${list(yearDays.map((day) => ordinalDay(day)))} of the year`);
  const scope = freq === "YEARLY" && names === null ? "year" : "month";
  if (monthDays !== null) {
    const ofMonths =
      names === null
        ? freq === "YEARLY"
          ? " of every month"
          : freq === "DAILY"
            ? " of the month"
            : ""
        : ` of ${list(names)}`;
    words.push(`on ${monthDayWords(monthDays)}${ofMonths}`);
  }
  if (byDay !== null) {
    const isCondition = monthDays !== null || yearDays !== null || freq === "DAILY";
    const of = numbered ? ` of ${names === null || monthDays !== null ? `the ${scope}` : list(names)}` : "";
    if (isCondition) words.push(`if it is ${weekdayWords(byDay, "or", "a ")}${of}`);
    else if (isWorkWeek(byDay)) words.push("on weekdays");
    else words.push(`on ${weekdayWords(byDay, "and", freq === "WEEKLY" || weeks !== null ? "" : "every ")}${of}`);
  }
  const monthsTold = monthDays !== null || (numbered && yearDays === null && freq !== "DAILY");
  if (names !== null && !monthsTold) words.push(`in ${list(names)}`);
  return `${words.join(" ")}${short}${weekNote}`;
}

/** What becomes of a day some months do not have. */
function monthEndNote(
  monthDays: readonly string[] | null,
  inMonths: readonly string[] | null,
  monthEnd: PatternParts["month_end"],
): string {
  const lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  const shortest = Math.min(...(inMonths?.map((month) => lengths[Number(month) - 1] ?? 31) ?? [29]));
  const isFebruary = inMonths === null || inMonths.includes("2");
  const late = monthDays?.some((day) => Number(day) > shortest || (Number(day) === 29 && isFebruary)) ?? false;
  if (!late) return "";
  return monthEnd === "clamp" ? ", or its last day" : ", where there is one";
}

function weekWords(weeks: readonly string[]): string {
  const positive = weeks.filter((week) => !week.startsWith("-"));
  const told = positive.length > 0 ? [`week${positive.length > 1 ? "s" : ""} ${list(positive)}`] : [];
  const negative = weeks.filter((week) => week.startsWith("-")).map((week) => `the ${ordinal(week)} week`);
  return `${list([...told, ...negative])} of the year`;
}

function ordinalDay(day: string): string {
  return day.startsWith("-") ? `the ${ordinal(day)} day` : `day ${day}`;
}

/** "the 1st, the 7th to the 13th and the last day" */
function monthDayWords(days: readonly string[], word: "and" | "or" = "and"): string {
  const numbers = days.map(Number).sort((a, b) => a - b);
  const runs: (readonly [first: number, last: number])[] = [];
  for (const day of numbers.filter((each) => each > 0)) {
    const run = runs.at(-1);
    if (run && run[1] === day - 1) runs[runs.length - 1] = [run[0], day];
    else runs.push([day, day]);
  }
  const the = (day: number) => `the ${ordinal(String(day))}`;
  const fromStart = runs.flatMap(([first, last]) => {
    if (last - first > 1) return [`${the(first)} to ${the(last)}`];
    return first === last ? [the(first)] : [the(first), the(last)];
  });
  return list([...fromStart, ...numbers.filter((each) => each < 0).map((day) => `${the(day)} day`)], word);
}

/**
 * "every Monday and the 2nd Tuesday": `before` is put before weekdays without a number, "the" before the others where
 * it is not "".
 */
function weekdayWords(days: readonly string[], word: "and" | "or", before: "" | "a " | "every "): string {
  return list(
    days.map((day) => {
      const name = weekdays[day.slice(-2)] ?? day;
      return day.length === 2
        ? `${before}${name}`
        : `${before === "" ? "" : "the "}${ordinal(day.slice(0, -2))} ${name}`;
    }),
    word,
  );
}

function timesOf(rule: Rrule, { start }: PatternParts): string {
  const time = start?.slice(11) ?? "";
  const hours = rule.parts.get("BYHOUR") ?? (time === "" ? [] : [time.slice(0, 2)]);
  if (hours.length === 0) return "";
  const minute = two(rule.parts.get("BYMINUTE")?.[0] ?? (time.slice(3, 5) || "0"));
  const second = two(rule.parts.get("BYSECOND")?.[0] ?? (time.slice(6, 8) || "0"));
  const sorted = [...hours].sort((a, b) => Number(a) - Number(b));
  return ` at ${list(sorted.map((hour) => `${two(hour)}:${minute}${second === "00" ? "" : `:${second}`}`))}`;
}

function picked({ parts, freq }: Rrule): readonly string[] {
  const positions = parts.get("BYSETPOS");
  if (positions === undefined) return [];
  return [`only ${list(positions.map((at) => `the ${ordinal(at)}`))} of these in each ${units[freq]}`];
}

function ends({ until, count }: Rrule): readonly string[] {
  if (until !== null) return [`until ${untilWords(until)}`];
  if (count === null) return [];
  return [count === 1 ? "once" : `${count} times`];
}

function untilWords({ kind, iso }: Until): string {
  if (kind === "day") return dayWords(iso);
  return `${dayWords(iso)}, ${iso.slice(11, 16)}${kind === "instant" ? " UTC" : ""}`;
}

function exceptions({ exdate = [] }: PatternParts): readonly string[] {
  if (exdate.length === 0) return [];
  const days = [...new Set(exdate.map(dayWords))];
  return [days.length <= 3 ? `except on ${list(days)}` : `except on ${days.length} days`];
}

function policies({ max_open = 1, catch_up = "latest" }: PatternParts): readonly string[] {
  return [
    ...(max_open > 1 ? [`up to ${max_open} open at a time`] : []),
    ...(catch_up === "all" ? ["missed ones are made up for"] : []),
    ...(catch_up === "none" ? ["missed ones are left out"] : []),
  ];
}

/** "31 Dec 2026" */
function dayWords(iso: string): string {
  return `${Number(iso.slice(8, 10))} ${(months[Number(iso.slice(5, 7)) - 1] ?? "").slice(0, 3)} ${iso.slice(0, 4)}`;
}

/** "1st", "22nd"; from the end "last", "2nd to last". */
function ordinal(value: string): string {
  const number = Number(value);
  if (number === -1) return "last";
  if (number < 0) return `${ordinal(String(-number))} to last`;
  const teens = number % 100 >= 11 && number % 100 <= 13;
  const ending = teens ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${number}${ending}`;
}

function isWorkWeek(days: readonly string[]): boolean {
  return days.length === 5 && ["MO", "TU", "WE", "TH", "FR"].every((day) => days.includes(day));
}

function two(value: string): string {
  return value.padStart(2, "0");
}

function list(words: readonly string[], word: "and" | "or" = "and"): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} ${word} ${last}`;
}
