import { isDay } from "../../../shared/tasks/is-day.ts";
import { dayAfter, monthStart, weekdayOf } from "../calendar-days.ts";
import type { Span } from "./due-range.ts";
import { expected, mistakeAt, type FilterToken, type FilterTokens } from "./filter-tokens.ts";

/** A span of days, and what it is called: `due ${words}`. */
type NamedSpan = Readonly<{ span: Span; words: string }>;

const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
const sides = ["before", "after", "on", "from", "since"] as const;
const periods = ["this", "next", "last"] as const;
const neighbours: ReadonlyMap<string, number> = new Map([
  ["yesterday", -1],
  ["today", 0],
  ["tomorrow", 1],
]);
const longest = 3_660;

/** Whether a span may begin with this piece. */
export function beginsSpan({ kind, text }: FilterToken): boolean {
  const begins = [...sides, ...periods, ...neighbours.keys()];
  return kind === "word" && (begins.includes(text) || /^\d/.test(text) || weekdayNamed(text) >= 0);
}

/**
 * Reads `today`, `friday` (the next one, today's included), `2026-12-31`, `before` or `after` such a day, `on` it,
 * `from` it on, `this week`, `next month`, `next 7 days`, `7 days`. Weeks begin on Monday; the next days begin with
 * today, the last ones end with it.
 */
export function readSpan(tokens: FilterTokens, today: string): NamedSpan {
  const token = tokens.take();
  const side = sides.find((name) => name === token.text);
  if (side !== undefined) return besideDay(side, readDay(expectWord(tokens, side), today));
  const period = periods.find((name) => name === token.text);
  if (period !== undefined) return readPeriod(tokens, { period, today });
  if (/^\d+$/.test(token.text)) return nextDays(readDays(tokens, token), today);
  const day = readDay(token, today);
  return { span: oneDay(day), words: neighbours.has(token.text) ? token.text : `on ${day}` };
}

function besideDay(side: (typeof sides)[number], day: string): NamedSpan {
  switch (side) {
    case "before":
      return { span: { before: day }, words: `before ${day}` };
    case "after":
      return { span: { from: dayAfter(day, 1) }, words: `after ${day}` };
    case "on":
      return { span: oneDay(day), words: `on ${day}` };
    case "from":
    case "since":
      return { span: { from: day }, words: `on ${day} or later` };
  }
}

function readPeriod(
  tokens: FilterTokens,
  { period, today }: Readonly<{ period: (typeof periods)[number]; today: string }>,
): NamedSpan {
  const shift = periods.indexOf(period) === 0 ? 0 : period === "next" ? 1 : -1;
  if (tokens.takeWord("week")) {
    const monday = dayAfter(today, 7 * shift - weekdayOf(today));
    return { span: { from: monday, before: dayAfter(monday, 7) }, words: `${period} week` };
  }
  if (tokens.takeWord("month")) {
    const first = monthStart(today, shift);
    return { span: { from: first, before: monthStart(first, 1) }, words: `${period} month` };
  }
  const token = tokens.peek();
  if (period === "this" || token.kind !== "word" || !/^\d+$/.test(token.text))
    throw expected(token, period === "this" ? "week or month" : "week, month or a number of days");
  const days = readDays(tokens, tokens.take());
  if (period === "next") return nextDays(days, today);
  return { span: { from: dayAfter(today, 1 - days), before: dayAfter(today, 1) }, words: `in the last ${days} days` };
}

/** How many days, of `7 days` whose number is taken. */
function readDays(tokens: FilterTokens, { text, at }: FilterToken): number {
  const days = Number(text);
  if (days < 1 || days > longest) throw mistakeAt(at, `"${text.slice(0, 40)}" is not 1 to ${longest} days`);
  if (!tokens.takeWord("day", "days")) throw expected(tokens.peek(), `days after ${text}`);
  return days;
}

function nextDays(days: number, today: string): NamedSpan {
  return { span: { from: today, before: dayAfter(today, days) }, words: `in the next ${days} days` };
}

function expectWord(tokens: FilterTokens, side: string): FilterToken {
  if (tokens.peek().kind !== "word") throw expected(tokens.peek(), `a day after ${side}, such as friday or 2026-12-31`);
  return tokens.take();
}

function readDay({ text, at }: FilterToken, today: string): string {
  const away = neighbours.get(text);
  if (away !== undefined) return dayAfter(today, away);
  const weekday = weekdayNamed(text);
  if (weekday >= 0) return dayAfter(today, (weekday - weekdayOf(today) + 7) % 7);
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    if (isDay(text) && text >= "1970-01-01" && text < "2200-01-01") return text;
    throw mistakeAt(at, `"${text}" is no day from 1970-01-01 to 2199-12-31`);
  }
  throw mistakeAt(
    at,
    `"${text.slice(0, 40)}" is no term: there are today, friday, overdue, this week, next 7 days, due before 2026-12-31, no date, ` +
      'p1 to p4, #tag, open, completed, recurring, all day; words to search for stand in quotes, as "milk"',
  );
}

/** By its name or the first three letters; -1 for other words. */
function weekdayNamed(word: string): number {
  return weekdays.findIndex((name) => name === word || name.slice(0, 3) === word);
}

const oneDay = (day: string): Span => ({ from: day, before: dayAfter(day, 1) });
