import type { ZoneChange } from "../../../shared/recurrence/zone-clock.ts";
import { dayRules, monthDay, type DayRule, type MonthDay } from "./yearly-rule.ts";

/**
 * Changes of a zone's clocks from one offset to another (ms added to UTC), as one part of a VTIMEZONE tells them: by a
 * yearly rule from the first one on, without a rule those listed. `starts` are on the clock before the change, in
 * order. `until`, where the rule ended, is an instant a day after the last one: dateutil, and icalendar with it, take
 * it for a local time.
 */
export type Observance = Readonly<{
  before: number;
  after: number;
  starts: readonly [number, ...number[]];
  rule: Readonly<{ text: string; until: number | null }> | null;
}>;

type LocalZoneChange = ZoneChange & Readonly<{ wall: number; year: number; day: MonthDay; time: string }>;
/** Changes of consecutive years whose day all of `rules` name; the first is the most usual. */
type Run = { first: LocalZoneChange; last: LocalZoneChange; changes: LocalZoneChange[]; rules: readonly DayRule[] };

/** A rule is longer than six dates. */
const fewest = 7;
/** In so many years a date falls on every weekday: a rule that held as long is the rule. */
const cycleYears = 28;
const dayMs = 86_400_000;

/**
 * The changes as few observances, in order of their first: those of consecutive years that follow a rule are a rule,
 * the others lists. A rule that held for 28 years and holds in `lastYear` is taken to go on for ever, if one in the
 * other direction does so too; without such rules the last change stands by itself, so that what holds from then on
 * begins last.
 */
export function observancesOf(changes: readonly ZoneChange[], lastYear: number): readonly Observance[] {
  const all = changes.map(readChange);
  const endless = endlessOf(runsOf(all), lastYear);
  const final = endless.length === 0 ? all.slice(-1) : [];
  const runs = runsOf(all.slice(0, all.length - final.length));
  const ruled = runs.filter((run) => run.changes.length >= fewest);
  const rest = runs.filter((run) => !ruled.includes(run)).flatMap((run) => run.changes);
  const listed = [...Map.groupBy(rest, ({ before, after }) => `${before} ${after}`).values()];
  const isEndless = ({ last }: Run) => endless.some((run) => run.last === last);
  return [
    ...[...listed, final].flatMap((each) =>
      observance(
        each.toSorted((a, b) => a.at - b.at),
        null,
      ),
    ),
    ...ruled.flatMap((run) => {
      const text = `FREQ=YEARLY;BYMONTH=${new Date(run.first.wall).getUTCMonth() + 1};${run.rules[0]?.text}`;
      return observance(run.changes, { text, until: isEndless(run) ? null : run.last.at + dayMs });
    }),
  ].toSorted((a, b) => a.starts[0] - b.starts[0]);
}

function endlessOf(runs: readonly Run[], lastYear: number): readonly Run[] {
  const goOn = runs.filter(({ last, changes }) => last.year === lastYear && changes.length >= cycleYears);
  return new Set(goOn.map(({ first }) => first.after > first.before)).size === 2 ? goOn : [];
}

function observance([first, ...rest]: readonly LocalZoneChange[], rule: Observance["rule"]): readonly Observance[] {
  if (first === undefined) return [];
  return [{ before: first.before, after: first.after, starts: [first.wall, ...rest.map(({ wall }) => wall)], rule }];
}

function runsOf(changes: readonly LocalZoneChange[]): readonly Run[] {
  const runs: Run[] = [];
  const open = new Map<string, Run>();
  for (const change of changes) {
    const key = `${change.before} ${change.after} ${change.time}`;
    const run = open.get(key);
    const rules = run?.last.year === change.year - 1 ? run.rules.filter(({ names }) => names(change.day)) : [];
    if (run === undefined || rules.length === 0) {
      const begun = { first: change, last: change, changes: [change], rules: dayRules(change.day) };
      runs.push(begun);
      open.set(key, begun);
    } else {
      run.changes.push(change);
      Object.assign(run, { last: change, rules });
    }
  }
  return runs;
}

function readChange({ at, before, after }: ZoneChange): LocalZoneChange {
  const wall = at + before;
  const date = new Date(wall);
  const time = `${date.getUTCMonth() + 1} ${wall - Math.floor(wall / dayMs) * dayMs}`;
  return { at, before, after, wall, year: date.getUTCFullYear(), day: monthDay(date), time };
}
