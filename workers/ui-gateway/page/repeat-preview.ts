import { expandRule } from "../../../shared/recurrence/expand-rule.ts";
import { parseRrule } from "../../../shared/recurrence/parse-rrule.ts";
import type { RepeatPattern } from "./repeat-rule.ts";

const most = 5;
/** 29 February every three years is 12 years away: nothing a form can say begins later than this many periods on. */
const mostPeriods = 500;

/**
 * The first dates of a pattern the form has made, before it is saved: local times `2026-11-27T17:00:00`, or days. Where
 * the start is in the past they are too. `exists` tells whether the zone has a local time: one that the clocks jump
 * over is left out, and COUNT does not count it. Empty for a series counted from completion, whose second date nobody
 * knows.
 */
export function previewDates(
  { rrule, start, anchor, month_end }: RepeatPattern,
  exists: (local: string) => boolean = existsHere,
): readonly string[] {
  const rule = parseRrule(rrule);
  const isDay = start.length === 10;
  const startMoment = Date.parse(isDay ? `${start}T00:00:00Z` : `${start.padEnd(19, ":00")}Z`) / 1000;
  if (anchor === "completion" || "message" in rule || Number.isNaN(startMoment)) return [];
  const expansion = expandRule(rule, startMoment, month_end === "clamp");
  const count = Math.min(most, rule.count ?? most);
  const found: string[] = [];
  for (let period = 0; period <= Math.min(expansion.last, mostPeriods); period++)
    for (const moment of expansion.momentsOf(period)) {
      const local = new Date(moment * 1000).toISOString().slice(0, isDay ? 10 : 19);
      if (found.length >= count || (rule.until && local.slice(0, 10) > rule.until.iso.slice(0, 10))) return found;
      if (isDay || exists(local)) found.push(local);
    }
  return found;
}

/** In the zone of the browser, which is the one the form speaks in. */
function existsHere(local: string): boolean {
  const date = new Date(local);
  return date.getHours() === Number(local.slice(11, 13)) && date.getMinutes() === Number(local.slice(14, 16));
}
