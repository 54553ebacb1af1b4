const weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;

export type RandomRule = Readonly<{ rrule: string; start: string }>;

/**
 * A rule and a start, such as a person or a hostile client might send: every part RFC 5545 has for daily and slower
 * rules, in combinations that it allows. Days that matter (leap days, month ends, the turn of the year) come often.
 */
export function randomRule(random: () => number): RandomRule {
  const below = (limit: number) => Math.floor(random() * limit);
  const chance = (share: number) => random() < share;
  const one = <T>(of: readonly T[]): T => of[below(of.length)] as T; // never empty here
  const signed = (most: number) => (chance(0.4) ? -1 - below(most) : 1 + below(most));
  const some = (make: () => number | string, most: number) =>
    [...new Set(Array.from({ length: 1 + below(most) }, make))].join(",");

  const freq = one(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"] as const);
  const parts: string[] = [`FREQ=${freq}`];
  const add = (share: number, name: string, value: () => number | string) => {
    const added = chance(share);
    if (added) parts.push(`${name}=${value()}`);
    return added;
  };
  add(0.5, "INTERVAL", () => (chance(0.8) ? 1 + below(5) : 1 + below(40)));
  add(0.3, "WKST", () => one(weekdays));
  let by = add(0.3, "BYMONTH", () => some(() => 1 + below(12), 4));
  const byWeek = freq === "YEARLY" && add(0.25, "BYWEEKNO", () => some(() => signed(chance(0.5) ? 3 : 53), 6));
  if (freq === "YEARLY") by = add(0.25, "BYYEARDAY", () => some(() => signed(366), 20)) || by;
  if (freq !== "WEEKLY") by = add(0.35, "BYMONTHDAY", () => some(() => signed(31), 6)) || by;
  const mayNumber = (freq === "MONTHLY" || freq === "YEARLY") && !byWeek;
  const most = freq === "MONTHLY" || parts.some((part) => part.startsWith("BYMONTH=")) ? 5 : 53;
  const day = () => `${mayNumber && chance(0.5) ? signed(most) : ""}${one(weekdays)}`;
  by = add(0.45, "BYDAY", () => some(day, 4)) || by || byWeek;
  by = add(0.3, "BYHOUR", () => some(() => below(24), 3)) || by;
  add(0.1, "BYMINUTE", () => below(60));
  add(0.1, "BYSECOND", () => below(60));
  if (by) add(0.3, "BYSETPOS", () => some(() => signed(chance(0.7) ? 4 : 366), 3));

  const year = 1995 + below(40);
  const [month, dayOfMonth] = one([
    [1 + below(12), 1 + below(28)],
    [2, year % 4 === 0 ? 29 : 28],
    [one([1, 3, 5, 7, 8, 10, 12]), 31],
    [12, 27 + below(5)],
    [1, 1 + below(5)],
  ]) as [number, number];
  const two = (value: number) => String(value).padStart(2, "0");
  const time = `${two(below(24))}:${two(below(60))}:00`;
  if (chance(0.3)) parts.push(`COUNT=${1 + below(30)}`);
  else if (chance(0.4)) {
    const last = `${year + below(15)}${two(1 + below(12))}${two(1 + below(28))}`;
    parts.push(`UNTIL=${last}${one(["", "T120000", "T235959Z"])}`);
  }
  return { rrule: parts.join(";"), start: `${year}-${two(month)}-${two(dayOfMonth)}T${time}` };
}
