import { makeRecurrences, type Recurrence } from "../../shared/recurrence/recurrence.ts";
import { afterCompletion } from "./after-completion.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

/** An occurrence asked for. Its task may not exist yet; what is known of it is folded from its own events. */
export type Occurrence = Asked &
  Readonly<{
    /** The task's id, computed from series and recurrence id. */
    id: string;
  }>;

export type Asked = Readonly<{
  /** Counts the occurrences of the series in the order they were asked for, from 1. */
  number: number;
  /** Local start, unique in the series; `#2` and so on is added where an early completion leads to the same time again. */
  recurrenceId: string;
  /** The key of the schedule it was made under. */
  scheduleKey: string;
  /** The start of the recurrence. */
  at: Date;
  /** When its due has passed: `at`, or the end of an all-day one's day. */
  duePassesAt: Date;
  state: "open" | "completed" | "deleted";
  /** When it was completed or deleted; `null` while open. */
  closedAt: Date | null;
}>;

/**
 * What a series waits for. `pending`: `wakeAt`, when the last occurrence's due passes. `waiting`: an open occurrence to be
 * completed or deleted.
 * `ended`: the rule has no further recurrence. `stopped`: its template is no live template.
 */
export type SeriesStatus = "pending" | "waiting" | "ended" | "stopped";

export type Decision = Readonly<{
  ask: readonly Asked[];
  status: SeriesStatus;
  wakeAt: Date | null;
}>;

export type Question = Readonly<{
  /** `null` for a template that is none any more. */
  template: TemplateSchedule | null;
  /** At least the open ones, the completed ones of this schedule where it counts from completion, and the latest of all. */
  occurrences: readonly Occurrence[];
  /** How many were ever made under this schedule, those left out of `occurrences` included. */
  made: number;
  /** The moment decided for: of the event by its own time, or now by the database's clock. */
  at: Date;
  /** Whether an event or the passing of time asks: a person who completes late gets the next one, never one already past. */
  by: "event" | "timer";
}>;

/**
 * Which occurrences a series needs now. Pure: the same facts give the same answer whenever they are heard, because an event is
 * judged by its own time. Asking again after the answer was carried out asks for nothing more.
 *
 * Anchor `schedule`: the next one once the last one's due has passed or it was completed, whichever is first. Anchor
 * `completion`: once the last one was completed or deleted, counted from that moment. Never while `max_open` are open. A deleted
 * occurrence counts as skipped: anchored on the schedule, its due still has to pass.
 */
export function decideSeries({ template, occurrences, made, at, by }: Question): Decision {
  if (template === null) return { ask: [], status: "stopped", wakeAt: null };
  const { pattern, key, since } = template;
  const moment = new Date(Math.max(at.getTime(), since));
  const ask: Asked[] = [];
  for (;;) {
    const all = [...occurrences, ...ask];
    const own = all.filter(({ scheduleKey }) => scheduleKey === key);
    const last = latestOf(own);
    const open = all.filter(({ state }) => state === "open").length;
    if (open >= pattern.max_open) return { ask, status: "waiting", wakeAt: null };
    if (last !== null && !isDone(last, moment, pattern.anchor))
      return pattern.anchor === "completion"
        ? { ask, status: "waiting", wakeAt: null }
        : { ask, status: "pending", wakeAt: last.duePassesAt };
    const used = new Set(all.map(({ recurrenceId }) => recurrenceId));
    const next =
      last !== null && pattern.anchor === "completion"
        ? nextAfterCompletion(template, { last, used, made: made + ask.length })
        : nextOnSchedule(template, { last, used, fresh: occurrences.length === 0, moment, by });
    if (next === null) return { ask, status: "ended", wakeAt: null };
    ask.push(asked(next, template, Math.max(0, ...all.map(({ number }) => number)) + 1));
  }
}

function isDone(last: Asked, moment: Date, anchor: "schedule" | "completion"): boolean {
  if (anchor === "completion") return last.state !== "open";
  return last.state === "completed" || last.duePassesAt <= moment;
}

type Place = Readonly<{ last: Asked | null; used: ReadonlySet<string> }>;

function nextOnSchedule(
  { pattern, schedule }: TemplateSchedule,
  { last, used, fresh, moment, by }: Place & Readonly<{ fresh: boolean; moment: Date; by: Question["by"] }>,
): Recurrence | null {
  const recurrences = makeRecurrences(schedule);
  const first = (): Recurrence | null => {
    if (last === null && !fresh) return recurrences.next(moment); // A changed schedule counts from its change.
    if (pattern.catch_up === "all") return last === null ? recurrences.first() : recurrences.next(last.at);
    const missedToo = pattern.catch_up === "latest" && (last === null || by === "timer");
    const missed = missedToo ? recurrences.latest(last?.at ?? null, moment) : null;
    return missed ?? recurrences.next(last !== null && last.at > moment ? last.at : moment);
  };
  let next = first();
  while (next !== null && used.has(next.id)) next = recurrences.next(next.at);
  return next;
}

function nextAfterCompletion(
  { schedule }: TemplateSchedule,
  { last, used, made }: Readonly<{ last: Asked; used: ReadonlySet<string>; made: number }>,
): Recurrence | null {
  if (schedule.rule.count !== null && made >= schedule.rule.count) return null;
  const next = afterCompletion(schedule, last.closedAt ?? last.at);
  if (next === null || !used.has(next.id)) return next;
  // Completed early, the interval may end at the very time the last one was due: a second occurrence of that time.
  let copy = 2;
  while (used.has(`${next.id}#${copy}`)) copy++;
  return { ...next, id: `${next.id}#${copy}` };
}

function asked({ id, at }: Recurrence, { key, schedule }: TemplateSchedule, number: number): Asked {
  const allDay = schedule.start.length === 10;
  const duePassesAt = allDay ? nextDay(at, schedule.tz) : at;
  return { number, recurrenceId: id, scheduleKey: key, at, duePassesAt, state: "open", closedAt: null };
}

function nextDay(at: Date, tz: string): Date {
  const day = Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(tz);
  return new Date(day.add({ days: 1 }).startOfDay().epochMilliseconds);
}

function latestOf(occurrences: readonly Asked[]): Asked | null {
  return occurrences.reduce<Asked | null>(
    (latest, each) => (latest === null || each.number > latest.number ? each : latest),
    null,
  );
}
