const dayMs = 86_400_000;
const weekdays = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"] as const;

/** A day by its place in the month; `weekday` is 0 for Sunday, `length` is the month's. */
export type MonthDay = Readonly<{ number: number; weekday: number; length: number }>;

/** A way to name one day of a month, as parts of an RRULE. */
export type DayRule = Readonly<{ text: string; names: (day: MonthDay) => boolean }>;

/** The place of the day that this instant has in UTC. */
export function monthDay(date: Date): MonthDay {
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const length = Math.round((Date.UTC(year, month + 1, 1) - Date.UTC(year, month, 1)) / dayMs);
  return { number: date.getUTCDate(), weekday: date.getUTCDay(), length };
}

/**
 * The ways to name this day, the usual ones first: the last or the first to fourth of its weekday, its number, its
 * weekday in a certain seven days.
 */
export function dayRules({ number, length, weekday }: MonthDay): readonly DayRule[] {
  const name = weekdays[weekday] ?? "";
  const within = (from: number) => (day: MonthDay) => day.weekday === weekday && isBetween(day.number, from, from + 6);
  const nth = Math.ceil(number / 7);
  const isLast = (day: MonthDay) => day.weekday === weekday && day.number > day.length - 7;
  // A window that ends after the 28th would be cut in February.
  const windows = Array.from({ length: 7 }, (_, back) => number - back).filter((from) =>
    isBetween(from, 1, (length === 29 ? 28 : length) - 6),
  );
  return [
    ...(number > length - 7 ? [{ text: `BYDAY=-1${name}`, names: isLast }] : []),
    ...(nth <= 4 ? [{ text: `BYDAY=${nth}${name}`, names: within(nth * 7 - 6) }] : []),
    { text: `BYMONTHDAY=${number}`, names: (day) => day.number === number },
    ...windows.map((from) => ({ text: `BYDAY=${name};BYMONTHDAY=${sevenFrom(from)}`, names: within(from) })),
  ];
}

function isBetween(number: number, least: number, most: number): boolean {
  return number >= least && number <= most;
}

function sevenFrom(first: number): string {
  return Array.from({ length: 7 }, (_, more) => first + more).join(",");
}
