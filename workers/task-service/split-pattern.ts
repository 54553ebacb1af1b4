import { Problem } from "../../shared/problem.ts";
import { instantOf } from "../../shared/recurrence/find-recurrence.ts";
import type { Rrule } from "../../shared/recurrence/parse-rrule.ts";
import {
  maxExdates,
  parseRecurrencePatternText,
  ruleOf,
  type RecurrencePattern,
} from "../../shared/recurrence/recurrence-pattern.ts";
import { mayClamp } from "../../shared/recurrence/expand-rule.ts";
import { placeIn } from "../../shared/recurrence/place-in.ts";
import { makeRecurrences } from "../../shared/recurrence/recurrence.ts";
import { localStart } from "../../shared/recurrence/wall-time.ts";
import type { TaskPatch } from "../../shared/tasks/task-input.ts";
import { countBefore, endingAfter, lastBefore, scheduleOf } from "./cut-pattern.ts";
import { fillPattern } from "./fill-pattern.ts";
import { placeUnder } from "./follow-schedule.ts";
import type { WithResolvedDue } from "./resolve-due.ts";
import { placeOf, type SeriesRows } from "./series-rows.ts";

type PatternChange = Readonly<{
  patch: WithResolvedDue<TaskPatch>;
  pattern: RecurrencePattern;
  zone: string | null;
  now: Date;
}>;

/**
 * The pattern of the new series, as its row keeps it: from the occurrence on, from its new due, or from the start a new
 * pattern names. A start from before the occurrence says how the rule is laid; the series begins with what that has
 * from the occurrence on. What the old one was through with from its start on is left out by EXDATE: nothing done,
 * deleted or skipped comes back, and no day gets a second task beside one of an earlier schedule that is still open.
 * Throws INVALID_REQUEST for a rule that never occurs, or not from the occurrence on; TOO_MANY_EXCEPTIONS where more is
 * to be left out than a pattern can.
 */
export function splitPattern({ template, target, open, closedPlaces }: SeriesRows, change: PatternChange): string {
  const { patch, pattern, now } = change;
  const zone = change.zone ?? "UTC";
  const place = placeUnder(pattern, target);
  const tz = patch.recurrence_pattern?.tz ?? pattern.tz ?? zone;
  const fill = (wanted: RecurrencePattern) =>
    fillPattern(wanted, {
      before: template.recurrence_pattern,
      dueDate: null,
      dueOn: null,
      dueTz: template.due_tz,
      zone,
      now,
    });
  const filled = (wanted: RecurrencePattern) => parseRecurrencePatternText(fill(wanted));
  const wanted = begun();
  const { exdate = [] } = filled(wanted);
  const start = wanted.start ?? place;
  const schedule = scheduleOf(filled({ ...wanted, exdate: [] }));
  const laid = { schedule, pattern: { anchor: "schedule" } } as const;
  const sameDay = (closed: string): string => `${closed.slice(0, 10)}${start.slice(10)}`;
  // What the rule itself keeps before the place the new one may not overtake anyhow.
  const kept = lastBefore(pattern, place)?.id ?? "";
  const staying = open.map(placeOf).filter((each) => each > kept && each < placeOf(target));
  const closed = [...closedPlaces, ...staying].map((each) => placeIn(laid, each)?.id ?? sameDay(each));
  const ofKind = (each: string) => each.length === start.length && each >= start;
  const left = new Set([...exdate, ...closed].filter(ofKind));
  if (closedPlaces.length > maxExdates || left.size > maxExdates)
    throw new Problem(
      "TOO_MANY_EXCEPTIONS",
      `More than ${maxExdates} dates after it are done, deleted or left out; split it later`,
    );
  return fill({ ...wanted, exdate: [...left].sort() });

  function begun(): RecurrencePattern {
    const named = patch.recurrence_pattern?.start;
    if (patch.recurrence_pattern && named !== undefined)
      return beginningAt(filled({ ...patch.recurrence_pattern, tz }), { place, old: pattern });
    const from = startOf(patch, tz) ?? place;
    const { count } = ruleOf(pattern);
    const rest = count === null ? pattern : endingAfter(pattern, Math.max(1, count - countBefore(pattern, place)));
    const given = patch.recurrence_pattern ?? rest;
    const kept = from.slice(0, 10) === place.slice(0, 10) ? keepingDay(given, pattern, from) : given;
    return { ...kept, tz, start: from };
  }
}

/**
 * A pattern that names its start, from its first recurrence at this place or after it, what a COUNT has before that
 * taken off. Only the day counts where neither rule has several times a day: another time of day may be an earlier one.
 */
function beginningAt(
  pattern: RecurrencePattern,
  { place, old }: Readonly<{ place: string; old: RecurrencePattern }>,
): RecurrencePattern {
  const { tz = "UTC", start = place } = pattern;
  const severalADay = [pattern, old].some((each) => ruleOf(each).parts.has("BYHOUR"));
  const from = severalADay && start.length > 10 ? place : place.slice(0, 10);
  if (start >= from) return pattern;
  const at = instantOf(from, tz);
  const first = at === null ? null : makeRecurrences(scheduleOf(pattern)).next(new Date(at.getTime() - 1));
  if (first === null)
    throw new Problem("INVALID_REQUEST", undefined, {
      mistakes: [{ path: "/recurrence_pattern/start", message: `has the rule end before ${place}; leave it out` }],
    });
  const { count } = ruleOf(pattern);
  const rest = count === null ? pattern : endingAfter(pattern, count - countBefore(pattern, first.id));
  return { ...keepingDay(rest, pattern, first.id), start: first.id };
}

/**
 * A pattern for this start, where it takes its day of the month from an older one: of a month that was clamped the
 * start has another day, and the rule names the old one then. January 31st goes on to March 31st from February 28th
 * too.
 */
function keepingDay(pattern: RecurrencePattern, old: RecurrencePattern, start: string): RecurrencePattern {
  const [rule, before] = [ruleOf(pattern), ruleOf(old)];
  const inherits = ({ month_end }: RecurrencePattern, { parts }: Rrule) =>
    month_end === "clamp" && !parts.has("BYMONTHDAY");
  if (rule.freq !== before.freq || !mayClamp(rule) || !mayClamp(before)) return pattern;
  if (!inherits(pattern, rule) || !inherits(old, before) || old.start === undefined) return pattern;
  const [day, month] = [Number(old.start.slice(8, 10)), Number(start.slice(5, 7))];
  if (day <= Number(start.slice(8, 10))) return pattern;
  // Of a yearly rule that names days only, these are of every month.
  const inMonth = rule.freq === "YEARLY" && !rule.parts.has("BYMONTH") ? `;BYMONTH=${month}` : "";
  return { ...pattern, rrule: `${pattern.rrule}${inMonth};BYMONTHDAY=${day}` };
}

function startOf({ due_date: date, due_on: on }: WithResolvedDue<TaskPatch>, tz: string): string | null {
  if (on) return on;
  if (!date) return null;
  return localStart(date, tz);
}
