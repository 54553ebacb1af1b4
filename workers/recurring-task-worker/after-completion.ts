import { makeRecurrences, type Recurrence, type Schedule } from "../../shared/recurrence/recurrence.ts";
import {
  everyPeriod,
  isOnePeriod,
  namesDays,
  namesSeveral,
  intervalOf,
  periodAfter,
  spanEnd,
} from "../../shared/recurrence/span.ts";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { wallText } from "../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";

const dayMs = 86_400_000;

/** What a completion closed, and the recurrences that were made before, by their ids, it among them. */
type CompletedRecurrences = Readonly<{ last: Recurrence | null; made: readonly string[] }>;

/**
 * The recurrence that follows a completion. A span of INTERVAL days, weeks, months or years is counted from the day of
 * completion in the zone of the series, shortened to the end of a shorter month. The next recurrence is at the span's
 * end, at the time of the series. If the rule names days, it is the first of them from there on: "every three weeks on
 * Saturday", done on a Tuesday, is the Saturday after three weeks from then.
 *
 * - A rule with INTERVAL 1 that names several times of its period (Monday and Thursday, the 1st and the 15th, 9:00 and
 *   17:00) means each of them: the next one comes after the day of completion, or after its moment if a day has
 *   several.
 * - A date that moves within its month or year (the second Tuesday), done in time, is followed by that of the next
 *   month, even if that is some days less than a month later.
 * - A day that had an occurrence is passed over, above all the one just done.
 *
 * `null` if UNTIL or the year 2200 comes before; the caller checks COUNT.
 */
export function afterCompletion(
  schedule: Schedule,
  completedAt: Date,
  { last, made }: CompletedRecurrences = { last: null, made: [] },
): Recurrence | null {
  const { rule, tz } = schedule;
  const clock = zoneClock(tz);
  const startOf = (day: number): number => clock.dayStart(day * dayMs) ?? clock.instantPast(day * dayMs);
  const done = dayOf(clock.wallAt(completedAt.getTime()));
  const own = last === null ? null : dayOf(Date.parse(`${plainId(last.id).slice(0, 10)}T00:00:00Z`));
  const timesADay = rule.parts.get("BYHOUR")?.length ?? 1;
  // Where a day has several times, each is a date of its own.
  const named = (id: string) => (timesADay > 1 ? plainId(id) : id.slice(0, 10));
  const taken = new Set(made.map(named));
  const firstAfter = (laid: Schedule, moment: number): Recurrence | null => {
    const recurrences = makeRecurrences(laid);
    let next = recurrences.next(new Date(moment));
    while (next !== null && taken.has(named(next.id))) next = recurrences.next(next.at);
    return next;
  };

  const { each, isSeveral } = readingOf(schedule);
  if (isSeveral && intervalOf(rule) === 1) {
    if (timesADay > 1) return firstAfter(each, Math.max(completedAt.getTime(), last?.at.getTime() ?? 0));
    return firstAfter(each, startOf(Math.max(done, own ?? done) + 1) - 1);
  }
  const end = spanEnd(rule, done);
  if (!namesDays(rule)) return firstAfter(dailyFrom(each, end), startOf(end) - 1);
  const isInTime = own !== null && own >= done && isOnePeriod(rule, own, done);
  const from = !isSeveral && isInTime ? Math.min(end, periodAfter(rule, done)) : end;
  return firstAfter(each, startOf(from) - 1);
}

type PatternReading = Readonly<{ each: Schedule; isSeveral: boolean }>;
/** Dates ahead are found one from another, so a schedule is read once. */
const readings = new WeakMap<Schedule, PatternReading>();

/** The schedule with every time its rule names, and whether those are several in a period. */
function readingOf(schedule: Schedule): PatternReading {
  const { rule, start, monthEnd } = schedule;
  const reading = readings.get(schedule) ?? {
    each: { ...schedule, rule: everyPeriod(rule) },
    isSeveral: namesSeveral(rule, start, monthEnd),
  };
  readings.set(schedule, reading);
  return reading;
}

/**
 * Every day from a day on, at the time of the schedule: the first that is to be had, where clocks jump over that time
 * on the day.
 */
function dailyFrom(schedule: Schedule, day: number): Schedule {
  const start = `${wallText(day * dayMs).slice(0, 10)}${schedule.start.slice(10)}`;
  return { ...schedule, rule: { ...schedule.rule, freq: "DAILY" }, start };
}

/** The number of the day that a wall clock shows. */
function dayOf(wall: number): number {
  return Math.floor(wall / dayMs);
}
