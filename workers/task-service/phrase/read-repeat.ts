import {
  monthNumber,
  count,
  countNamed,
  dayNumber,
  dayOrdinal,
  month,
  ordinal,
  ordinalNumber,
  type PhraseGroups,
} from "./phrase-words.ts";
import { longUnit, unitNamed, weekday, weekdayCodes, weekdayNumber, type PhraseUnit } from "./phrase-words.ts";

/** How something repeats. `rule` is RRULE without INTERVAL; `time` where the words say one. */
export type RepeatSaid = Readonly<{
  rule: string;
  interval: number;
  anchor: "schedule" | "completion";
  month_end?: "clamp";
  time?: string;
}>;

type RepeatPhrase = Readonly<{ source: string; repeat: (groups: PhraseGroups) => RepeatSaid | null }>;

const freqs: Readonly<Record<PhraseUnit, string | null>> = {
  minute: null,
  hour: null,
  day: "DAILY",
  week: "WEEKLY",
  month: "MONTHLY",
  year: "YEARLY",
};
const weekdayList = `${weekday}s?(?:(?:,| and|, and| &|/) ?(?:every )?${weekday}s?){0,6}`;
const dayList = `(?:${dayOrdinal})(?:(?:,| and|, and| &) ?(?:the )?${dayOrdinal}){0,6}`;
const spelledDay = `(?:${dayOrdinal}|first|second|third|fourth|fifth)`;
const spelledList = `${spelledDay}(?:(?:,| and|, and| &) ?(?:the )?${spelledDay}){0,6}`;
const every = "(?:every|each)";
const other = "(?:other|second|2nd)";

/** Ways to say how something repeats. */
export const repeatPhrases: readonly RepeatPhrase[] = [
  { source: `daily|${every} ?day`, repeat: () => plain("FREQ=DAILY") },
  { source: `${every} morning`, repeat: () => ({ ...plain("FREQ=DAILY"), time: "09:00" }) },
  { source: `${every} afternoon`, repeat: () => ({ ...plain("FREQ=DAILY"), time: "15:00" }) },
  { source: `${every} evening`, repeat: () => ({ ...plain("FREQ=DAILY"), time: "18:00" }) },
  { source: `${every} night|nightly`, repeat: () => ({ ...plain("FREQ=DAILY"), time: "20:00" }) },
  {
    source: `${every} (?:week ?day|work ?day|working day|business day)s?|(?:on )?(?:weekdays|workdays)`,
    repeat: () => plain("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
  },
  { source: `${every} weekend|(?:on )?weekends`, repeat: () => plain("FREQ=WEEKLY;BYDAY=SA,SU") },
  {
    source: `${every} (?<first>${weekday}) ?(?:-|–|to|through) ?(?<last>${weekday})`,
    repeat: ({ first = "", last = "" }) => plain(`FREQ=WEEKLY;BYDAY=${spanOfDays(first, last)}`),
  },
  { source: "weekly", repeat: () => plain("FREQ=WEEKLY") },
  { source: "fortnightly|biweekly|bi-weekly", repeat: () => plain("FREQ=WEEKLY", 2) },
  { source: "monthly", repeat: () => ({ ...plain("FREQ=MONTHLY"), month_end: "clamp" }) },
  { source: `quarterly|${every} quarter`, repeat: () => ({ ...plain("FREQ=MONTHLY", 3), month_end: "clamp" }) },
  { source: "yearly|annually", repeat: () => ({ ...plain("FREQ=YEARLY"), month_end: "clamp" }) },
  {
    source: `${every} ${other} (?<days>${weekdayList})`,
    repeat: ({ days = "" }) => plain(`FREQ=WEEKLY;BYDAY=${daysNamed(days)}`, 2),
  },
  {
    source: `${every} (?<many>${count}) weeks? on (?<days>${weekdayList})|${every} ${other} week on (?<others>${weekdayList})`,
    repeat: ({ many, days, others }) =>
      plain(`FREQ=WEEKLY;BYDAY=${daysNamed(days ?? others ?? "")}`, many === undefined ? 2 : countNamed(many)),
  },
  {
    source: `${every} (?:week on )?(?<days>${weekdayList})(?! ?(?:-|–|to|through) ?${weekday})|weekly on (?<weekly>${weekdayList})|on (?<plural>${weekday}s(?:(?:,| and|, and) ?${weekday}s){0,6})`,
    repeat: ({ days, weekly, plural }) => plain(`FREQ=WEEKLY;BYDAY=${daysNamed(days ?? weekly ?? plural ?? "")}`),
  },
  {
    source:
      `(?:${every}|monthly on the|${every} month on the) (?<nth>${ordinal}) (?<day>${weekday})(?: of (?:the|every|each) month)?|` +
      `(?:on )?the (?<last>${ordinal}) (?<lastDay>${weekday}) (?:of )?(?:every|each) month`,
    repeat: ({ nth, day, last, lastDay }) =>
      plain(
        `FREQ=MONTHLY;BYDAY=${ordinalNumber(nth ?? last ?? "")}${weekdayCodes[weekdayNumber(day ?? lastDay ?? "")] ?? ""}`,
      ),
  },
  {
    source:
      `${every} last day(?: of (?:the|every|each) month)?|monthly on the last day|${every} month on the last day|` +
      `${every} (?:end of (?:the )?month|month end)|on the last day of (?:every|each) month`,
    repeat: () => plain("FREQ=MONTHLY;BYMONTHDAY=-1"),
  },
  {
    source:
      `${every} (?<many>${count}|${other}) months? on the (?<days>${dayList})|` +
      `(?:${every} (?:month on )?(?:the )?|monthly on the )(?<monthly>${spelledList}) of (?:the|every|each) month|` +
      `(?:on )?the (?<ofEvery>${spelledList}) of (?:every|each) month|` +
      `(?:${every} month on the |monthly on the )(?<spelled>${spelledList})|` +
      `(?:${every} (?:month on )?(?:the )?|monthly on the )(?<bare>${dayList})`,
    repeat: ({ many, days, monthly, ofEvery, spelled, bare }) => ({
      ...plain(
        `FREQ=MONTHLY;BYMONTHDAY=${daysOfMonth(days ?? monthly ?? ofEvery ?? spelled ?? bare ?? "")}`,
        many === undefined ? 1 : new RegExp(`^${other}$`).test(many) ? 2 : countNamed(many),
      ),
      month_end: "clamp",
    }),
  },
  {
    source:
      `${every} (?:year on )?(?<month>${month}) (?:the )?(?<day>${dayNumber})|` +
      `${every} (?:year on )?(?:the )?(?<dayFirst>${dayNumber})\\.? (?:of )?(?<monthLast>${month})`,
    repeat: ({ month: first, day, dayFirst, monthLast }) => ({
      ...plain(
        `FREQ=YEARLY;BYMONTH=${monthNumber(first ?? monthLast ?? "")};BYMONTHDAY=${Number.parseInt(day ?? dayFirst ?? "1", 10)}`,
      ),
      month_end: "clamp",
    }),
  },
  {
    source:
      `(?:${every}! ?(?<strict>${count} )?(?<strictUnit>${longUnit})|` +
      `(?:${every} )?(?<many>${count} )?(?<unit>${longUnit}) after (?:completion|completing(?: it)?|it is done|i did it|i do it|i have done it|it's done|done))`,
    repeat: ({ strict, strictUnit, many, unit: said }) => ({
      ...spanned(strict ?? many, strictUnit ?? said ?? "day"),
      anchor: "completion",
    }),
  },
  {
    source: `${every} (?:(?<other>${other}) |(?<many>${count}) )?(?<unit>${longUnit})|once a (?<once>day|week|month|year)`,
    repeat: ({ other: second, many, unit: said, once }) =>
      spanned(second === undefined ? many : "2", said ?? once ?? "day"),
  },
];

function plain(rule: string, interval = 1): RepeatSaid {
  return { rule, interval, anchor: "schedule" };
}

function spanned(many: string | undefined, unit: string): RepeatSaid {
  const named = unitNamed(unit);
  const repeat = plain(`FREQ=${freqs[named] ?? "DAILY"}`, many === undefined ? 1 : countNamed(many.trim()));
  return named === "month" || named === "year" ? { ...repeat, month_end: "clamp" } : repeat;
}

/** All days from one to another, over the weekend where they lie so. */
function spanOfDays(first: string, last: string): string {
  const from = weekdayNumber(first);
  const many = ((weekdayNumber(last) - from + 7) % 7) + 1;
  const days = Array.from({ length: many }, (_, n) => (from + n) % 7);
  return days
    .toSorted((a, b) => a - b)
    .map((day) => weekdayCodes[day])
    .join(",");
}

function daysNamed(list: string): string {
  const days = [...list.matchAll(/[a-z]+/g)].flatMap(([name]) => {
    const number = weekdayNumber(name) >= 0 ? weekdayNumber(name) : weekdayNumber(name.replace(/s$/, ""));
    return number < 0 ? [] : [number];
  });
  return [...new Set(days)]
    .toSorted((a, b) => a - b)
    .map((number) => weekdayCodes[number])
    .join(",");
}

function daysOfMonth(list: string): string {
  const days = [...list.matchAll(/\d+|first|second|third|fourth|fifth/g)].map(([day]) => ordinalNumber(day));
  return [...new Set(days)].toSorted((a, b) => a - b).join(",");
}
