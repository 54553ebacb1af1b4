/** The parts of one RRULE (RFC 5545 §3.3.10) after checking, and its text. */
export type Rrule = Readonly<{
  freq: Freq;
  parts: ReadonlyMap<string, readonly string[]>;
  /** The whole rule, COUNT and UNTIL included: upper case, FREQ first, parts in the order given. */
  canonical: string;
  count: number | null;
  until: Until | null;
}>;

export type Freq = "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY";

/** The last moment allowed, inclusive: a whole local day, a wall-clock time of the series' zone, or an instant. */
export type Until = Readonly<{ kind: "day" | "local" | "instant"; iso: string }>;

/** What is wrong and where: `at` counts characters from 1. */
export type RruleMistake = Readonly<{ at: number; message: string }>;

export const rruleLimits = { characters: 500, interval: 1000, count: 1000 } as const;

const number = (low: number, high: number, signed = false) => ({
  takes: signed ? `numbers from ${low} to ${high} or -${high} to -${low}` : `numbers from ${low} to ${high}`,
  normal: (value: string): string | null => {
    if (!/^[+-]?\d{1,4}$/.test(value)) return null;
    const found = Number(value);
    const size = signed ? Math.abs(found) : found;
    return size >= low && size <= high ? String(found) : null;
  },
});
const pattern = (takes: string, shape: RegExp) => ({
  takes,
  normal: (value: string): string | null => (shape.test(value) ? value.replace("+", "") : null),
});

const weekday = "MO|TU|WE|TH|FR|SA|SU";
/**
 * Every part we take. `list` says whether several values make sense; one BYMINUTE and BYSECOND keep rules an hour
 * apart.
 */
const grammar: Readonly<Record<string, { list: boolean; takes: string; normal: (value: string) => string | null }>> = {
  FREQ: { list: false, ...pattern("DAILY, WEEKLY, MONTHLY or YEARLY", /^(DAILY|WEEKLY|MONTHLY|YEARLY)$/) },
  INTERVAL: { list: false, ...number(1, rruleLimits.interval) },
  COUNT: { list: false, ...number(1, rruleLimits.count) },
  UNTIL: { list: false, ...pattern("a date 20261231 or a time 20261231T235959Z", /^\d{8}(T\d{6}Z?)?$/) },
  WKST: { list: false, ...pattern("a weekday: MO TU WE TH FR SA SU", new RegExp(`^(${weekday})$`)) },
  BYMONTH: { list: true, ...number(1, 12) },
  BYWEEKNO: { list: true, ...number(1, 53, true) },
  BYYEARDAY: { list: true, ...number(1, 366, true) },
  BYMONTHDAY: { list: true, ...number(1, 31, true) },
  BYDAY: {
    list: true,
    ...pattern("weekdays such as MO, 2TU or -1FR", new RegExp(`^([+-]?([1-9]|[1-4]\\d|5[0-3]))?(${weekday})$`)),
  },
  BYHOUR: { list: true, ...number(0, 23) },
  BYMINUTE: { list: false, ...number(0, 59) },
  BYSECOND: { list: false, ...number(0, 59) },
  BYSETPOS: { list: true, ...number(1, 366, true) },
};

/**
 * Checks the text of an RRULE, with or without the property name before it. Returns the rule or the first mistake.
 * Refused beside what RFC 5545 forbids: HOURLY and faster, INTERVAL and COUNT above `rruleLimits`, RSCALE and SKIP
 * (`month_end` is the policy here). The work is linear in the text, at most `rruleLimits.characters`.
 */
export function parseRrule(text: string): Rrule | RruleMistake {
  if (text.length > rruleLimits.characters)
    return { at: rruleLimits.characters + 1, message: `is longer than ${rruleLimits.characters} characters` };
  const upper = text.toUpperCase();
  const skipped = upper.startsWith("RRULE:") ? 6 : 0;
  const parts = new Map<string, readonly string[]>();
  let at = skipped + 1;
  for (const part of upper.slice(skipped).split(";")) {
    const equals = part.indexOf("=");
    if (equals < 1) return { at, message: part === "" ? "a part is missing" : `"${shown(part)}" is not NAME=VALUE` };
    const name = part.slice(0, equals);
    const rule = Object.hasOwn(grammar, name) ? grammar[name] : undefined;
    if (!rule) return { at, message: `"${shown(name)}" is not a part of a rule here` };
    if (parts.has(name)) return { at, message: `${name} is given twice` };
    const values: string[] = [];
    let valueAt = at + equals + 1;
    const given = part.slice(equals + 1).split(",");
    for (const value of given) {
      const normal = rule.normal(value);
      if (normal === null) return { at: valueAt, message: `${name} takes ${rule.takes}, not "${shown(value)}"` };
      if (values.length === 1 && !rule.list) return { at: valueAt, message: `${name} takes one value` };
      if (!values.includes(normal)) values.push(normal);
      valueAt += value.length + 1;
    }
    parts.set(name, values);
    at += part.length + 1;
  }
  return complete(parts, skipped + 1);
}

function complete(parts: ReadonlyMap<string, readonly string[]>, start: number): Rrule | RruleMistake {
  const freq = parts.get("FREQ")?.[0] as Freq | undefined; // The grammar let only these four through.
  if (!freq) return { at: start, message: "FREQ is missing" };
  const untilText = parts.get("UNTIL")?.[0];
  const until = untilText === undefined ? null : readUntil(untilText);
  if (until === "impossible") return { at: start, message: `UNTIL=${untilText} is not a date of the calendar` };
  const conflict = conflictOf(freq, parts);
  if (conflict) return { at: start, message: conflict };
  const count = parts.get("COUNT")?.[0];
  const named = [...parts].filter(([name]) => name !== "FREQ").map(([name, values]) => `;${name}=${values.join(",")}`);
  return {
    freq,
    parts,
    canonical: `FREQ=${freq}${named.join("")}`,
    count: count === undefined ? null : Number(count),
    until,
  };
}

/** What RFC 5545 §3.3.10 forbids between parts. */
function conflictOf(freq: Freq, parts: ReadonlyMap<string, readonly string[]>): string | null {
  if (parts.has("COUNT") && parts.has("UNTIL")) return "COUNT and UNTIL exclude each other";
  if (parts.has("BYWEEKNO") && freq !== "YEARLY") return "BYWEEKNO needs FREQ=YEARLY";
  if (parts.has("BYYEARDAY") && freq !== "YEARLY") return "BYYEARDAY needs FREQ=YEARLY";
  if (parts.has("BYMONTHDAY") && freq === "WEEKLY") return "BYMONTHDAY does not go with FREQ=WEEKLY";
  const numbered = parts.get("BYDAY")?.some((day) => day.length > 2) ?? false;
  if (numbered && freq !== "MONTHLY" && freq !== "YEARLY") return "a numbered BYDAY needs FREQ=MONTHLY or YEARLY";
  if (numbered && parts.has("BYWEEKNO")) return "a numbered BYDAY does not go with BYWEEKNO";
  if (parts.has("BYSETPOS") && ![...parts.keys()].some((name) => name.startsWith("BY") && name !== "BYSETPOS"))
    return "BYSETPOS needs another BY part";
  return null;
}

function readUntil(text: string): Until | "impossible" {
  const day = `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}`;
  const time = text.length > 8 ? `T${text.slice(9, 11)}:${text.slice(11, 13)}:${text.slice(13, 15)}` : "";
  // A day or time the calendar does not have is carried over to another. `Date`, because the page parses rules too.
  if (!new Date(Date.parse(`${day}${time || "T00:00:00"}Z`) || 0).toISOString().startsWith(`${day}${time}`))
    return "impossible";
  if (time === "") return { kind: "day", iso: day };
  return text.endsWith("Z") ? { kind: "instant", iso: `${day}${time}Z` } : { kind: "local", iso: `${day}${time}` };
}

function shown(text: string): string {
  return text.length > 20 ? `${text.slice(0, 20)}…` : text;
}
