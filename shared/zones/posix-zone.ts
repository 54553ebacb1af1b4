/**
 * A moment of a year on a wall clock: the day by one of three ways of counting, and seconds after its midnight, which
 * may lie days away.
 */
type YearlyMoment = Readonly<{ seconds: number }> &
  Readonly<
    | { kind: "weekday"; month: number; week: number; weekday: number }
    /** `day` from 1 to 365; 29 February is never counted. */
    | { kind: "day-but-leap"; day: number }
    /** `day` from 0 to 365, 29 February among them. */
    | { kind: "day"; day: number }
  >;

/**
 * The TZ string at the end of a TZif file (POSIX.1, RFC 8536 §3.3). Offsets from UTC in ms; `summer` is `null` where
 * the clocks never change.
 */
export type PosixZone = Readonly<{
  standard: number;
  summer: Readonly<{ offset: number; begins: YearlyMoment; ends: YearlyMoment }> | null;
}>;

const dayMs = 86_400_000;
const name = "(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)";
const time = "([+-]?\\d{1,3}(?::\\d{2}(?::\\d{2})?)?)";
const moment = "([^,/]+)(?:/([^,]+))?";
const shape = new RegExp(`^${name}${time}(?:${name}${time}?,${moment},${moment})?$`);

/** Throws an Error for text that is no TZ string, one with summer time but without its rule among it. */
export function parsePosixZone(text: string): PosixZone {
  const found = shape.exec(text);
  if (found === null) throw new Error(`ends in "${text}", which is no TZ string`);
  const [, standardText = "", summerText, begins, beginsAt, ends, endsAt] = found;
  // POSIX counts west of Greenwich.
  const standard = -seconds(standardText) * 1000;
  if (begins === undefined || ends === undefined) return { standard, summer: null };
  const offset = summerText === undefined ? standard + 3_600_000 : -seconds(summerText) * 1000;
  if (Math.abs(standard) >= dayMs || Math.abs(offset) >= dayMs) throw new Error("has an offset of a day or more");
  return { standard, summer: { offset, begins: readMoment(begins, beginsAt), ends: readMoment(ends, endsAt) } };
}

/** When the clocks change in a year, in order; empty where they never do. */
export function changesOfYear(
  { standard, summer }: PosixZone,
  year: number,
): readonly Readonly<{ at: number; offset: number }>[] {
  if (summer === null) return [];
  // The moment of a change is told on the clock before it.
  const begins = { at: wallOf(summer.begins, year) - standard, offset: summer.offset };
  const ends = { at: wallOf(summer.ends, year) - summer.offset, offset: standard };
  return begins.at <= ends.at ? [begins, ends] : [ends, begins];
}

/** In ms since 1970, as if the wall clock were UTC's. */
function wallOf(moment: YearlyMoment, year: number): number {
  return Date.UTC(year, 0, 1) + dayOfYear(moment, year) * dayMs + moment.seconds * 1000;
}

/** From 0. */
function dayOfYear(moment: YearlyMoment, year: number): number {
  const dayOf = (month: number, day: number) => (Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / dayMs;
  switch (moment.kind) {
    case "day":
      return moment.day;
    case "day-but-leap":
      // 1 March is day 60 in every year.
      return moment.day - 1 + (moment.day >= 60 && dayOf(2, 1) === 60 ? 1 : 0);
    case "weekday": {
      const first = new Date(Date.UTC(year, moment.month - 1, 1)).getUTCDay();
      const day = 1 + ((moment.weekday - first + 7) % 7) + (moment.week - 1) * 7;
      const days = new Date(Date.UTC(year, moment.month, 0)).getUTCDate();
      // Week 5 is the last one.
      return dayOf(moment.month - 1, day > days ? day - 7 : day);
    }
  }
}

function readMoment(text: string, at = "2"): YearlyMoment {
  const [, month, week, weekday] = (/^M(\d{1,2})\.(\d)\.(\d)$/.exec(text) ?? []).map(Number);
  const clock = { seconds: seconds(at) };
  if (month !== undefined && week !== undefined && weekday !== undefined) {
    if (month < 1 || month > 12 || week < 1 || week > 5 || weekday > 6) throw new Error(`has the rule ${text}`);
    return { kind: "weekday", month, week, weekday, ...clock };
  }
  const [, leap, digits] = /^(J?)(\d{1,3})$/.exec(text) ?? [];
  const day = Number(digits);
  if (digits === undefined || day > 365 || (leap === "J" && day < 1)) throw new Error(`has the rule ${text}`);
  return leap === "J" ? { kind: "day-but-leap", day, ...clock } : { kind: "day", day, ...clock };
}

/** `5`, `-2:30`, `167:59:59`. */
function seconds(text: string): number {
  const [hours = 0, minutes = 0, rest = 0] = text.replace(/^[+-]/, "").split(":").map(Number);
  const size = hours * 3600 + minutes * 60 + rest;
  if (Number.isNaN(size) || hours > 167 || minutes > 59 || rest > 59) throw new Error(`has the time ${text}`);
  return text.startsWith("-") ? -size : size;
}
