import type { PhraseGroups } from "./phrase-words.ts";

/** A time of day, `HH:MM`, and what was chosen where the words leave it open. */
export type ClockTime = Readonly<{ time: string; note?: string }>;

/** Names of times, and when they are. */
const named: Readonly<Record<string, string>> = {
  noon: "12:00",
  midday: "12:00",
  morning: "09:00",
  afternoon: "15:00",
  evening: "18:00",
  tonight: "20:00",
  night: "20:00",
  eod: "17:00",
  "end of day": "17:00",
  "close of business": "17:00",
};

/** `17:00`, `at 17.30`, `5pm`, `5:30 pm`, `at 5`, `noon`, `in the evening`, `tonight`. */
export const clockTime =
  "(?:at |by |@ ?)?(?:(?<hour24>[01]?\\d|2[0-3]):(?<minute24>[0-5]\\d)(?! ?[ap]\\.?m)(?:h| uhr| o'clock)?(?<end> ?(?:-|–|to) ?(?:[01]?\\d|2[0-3])[:.][0-5]\\d)?|" +
  "(?<hour12>1[0-2]|0?[1-9])(?:[:.](?<minute12>[0-5]\\d))? ?(?<half>[ap])\\.?m\\.?|" +
  "(?<named>noon|midday|eod|end of day|close of business))|" +
  // A number with a dot is an amount or a version as well.
  "(?:at |by |@ ?)(?<dotHour>[01]?\\d|2[0-3])\\.(?<dotMinute>[0-5]\\d)(?: ?h| uhr)?|" +
  "(?:at |by |@ ?)(?<bare>[01]?\\d|2[0-3])(?: o'clock)?|" +
  "(?:in the |this )(?<part>morning|afternoon|evening)|(?<night>tonight)|at (?<atNight>night)";

/** What may follow a day: `tomorrow morning`. */
export const partOfDay = "(?<part>morning|afternoon|evening|night)";

/** Reads what `clockTime` found. */
export function readClock(groups: PhraseGroups): ClockTime {
  const { hour24, minute24, hour12, minute12, half, bare, dotHour, dotMinute } = groups;
  if (dotHour !== undefined) return { time: clock(Number(dotHour), dotMinute) };
  if (hour24 !== undefined) {
    const time = clock(Number(hour24), minute24);
    return groups["end"] === undefined ? { time } : { time, note: "a task has no end time: its beginning is its due" };
  }
  if (hour12 !== undefined) return { time: clock((Number(hour12) % 12) + (half === "p" ? 12 : 0), minute12) };
  if (bare !== undefined) return readBare(bare);
  return { time: named[groups["named"] ?? groups["part"] ?? groups["night"] ?? groups["atNight"] ?? ""] ?? "09:00" };
}

/** `at 5` is 17:00 and `at 9` is 09:00, as people mean them who say no more. */
function readBare(hour: string): ClockTime {
  const said = Number(hour);
  if (said > 12 || said === 0 || hour.length === 2) return { time: clock(said) };
  const time = clock(said < 7 ? said + 12 : said);
  return { time, note: `"${hour}" was read as ${time}; write ${hour} am or ${hour} pm to choose` };
}

function clock(hour: number, minute = "00"): string {
  return `${String(hour).padStart(2, "0")}:${minute}`;
}
