// What the patterns of phrases are made of: sources of regular expressions, in small letters.

/** What a pattern of a phrase has found, by the names of its groups. */
export type PhraseGroups = Readonly<Record<string, string | undefined>>;

export const weekdayCodes = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
const weekdayNames: Readonly<Record<string, number>> = {
  monday: 0,
  mon: 0,
  tuesday: 1,
  tues: 1,
  tue: 1,
  wednesday: 2,
  wed: 2,
  thursday: 3,
  thurs: 3,
  thur: 3,
  thu: 3,
  friday: 4,
  fri: 4,
  saturday: 5,
  sat: 5,
  sunday: 6,
  sun: 6,
};
const monthNames = "january february march april may june july august september october november december".split(" ");
const numberNames = "zero one two three four five six seven eight nine ten eleven twelve".split(" ");
const ordinalNames = ["", "first", "second", "third", "fourth", "fifth"];

export const weekday = `(?:${Object.keys(weekdayNames).join("|")})`;
export const month = `(?:${monthNames.map((name) => `${name}|${name.slice(0, 3)}\\.?`).join("|")}|sept\\.?)`;
/** `3`, `three`, `a`, `an`, `a couple of`. */
export const count = `(?:\\d{1,4}|an?(?: couple of| few)?|${numberNames.slice(1).join("|")})`;
/** `1st`, `22nd`, `15.`, or `15` alone. */
export const dayNumber = "(?:0?[1-9]|[12]\\d|3[01])(?:st|nd|rd|th)?";
export const dayOrdinal = "(?:[1-9]|[12]\\d|3[01])(?:st|nd|rd|th)";
export const ordinal = "(?:1st|2nd|3rd|4th|first|second|third|fourth|last)";
export const longUnit = "(?:days?|weeks?|months?|years?)";

/** Monday is 0. */
export function weekdayNumber(name: string): number {
  return weekdayNames[name] ?? -1;
}

/** January is 1. */
export function monthNumber(name: string): number {
  const short = name.replace(".", "");
  return monthNames.findIndex((each) => each === short || each.slice(0, 3) === short.slice(0, 3)) + 1;
}

export function countNamed(text: string): number {
  if (/^\d/.test(text)) return Number.parseInt(text, 10);
  if (text.endsWith("couple of")) return 2;
  if (text.endsWith("few")) return 3;
  const named = numberNames.indexOf(text);
  return named < 0 ? 1 : named;
}

/** -1 for the last. */
export function ordinalNumber(text: string): number {
  if (text === "last") return -1;
  return /^\d/.test(text) ? Number.parseInt(text, 10) : ordinalNames.indexOf(text);
}

export type PhraseUnit = "minute" | "hour" | "day" | "week" | "month" | "year";

export function unitNamed(text: string): PhraseUnit {
  if (text === "m" || text.startsWith("min")) return "minute";
  if (text.startsWith("mo")) return "month";
  if (text.startsWith("h")) return "hour";
  if (text.startsWith("d")) return "day";
  return text.startsWith("w") ? "week" : "year";
}
