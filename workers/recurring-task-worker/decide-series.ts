import { firstRecurrence } from "../../shared/recurrence/first-recurrence.ts";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { passedUpTo } from "../../shared/recurrence/passing.ts";
import { standsFor } from "../../shared/recurrence/place-in.ts";
import { makeRecurrences, type Recurrence } from "../../shared/recurrence/recurrence.ts";
import { afterCompletion } from "./after-completion.ts";
import { ownDue } from "../../shared/recurrence/recurrence-due.ts";
import { dueOf, passesAt, type Exceptions } from "./exception.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

/** An occurrence asked for. Its task may not exist yet; what is known of it is folded from its own events. */
export type Occurrence = OccurrenceRequest &
  Readonly<{
    /** The task's id, computed from series and recurrence id. */
    id: string;
  }>;

export type OccurrenceRequest = Readonly<{
  /** Counts the occurrences of the series in the order they were asked for, from 1. */
  number: number;
  /**
   * Local start, unique in the series; `#2` and so on is added where the one before was taken back.
   */
  recurrenceId: string;
  /** The key of the schedule it was made under. */
  scheduleKey: string;
  /** The start of the recurrence. */
  at: Date;
  /**
   * When its due has passed: the instant, or the end of an all-day one's day; of a moved one that of where it was moved
   * to.
   */
  duePassesAt: Date;
  state: "open" | "completed" | "deleted";
  /** When it was completed or deleted; `null` while open. */
  closedAt: Date | null;
  /** A person asked for it before its turn: the series does not go on from it. */
  ahead: boolean;
  /**
   * The number of the occurrence whose completion or deletion called for this one; `null` where time or a person did.
   */
  madeBy: number | null;
  /**
   * Asked to be removed, because that completion or deletion was undone. Once its task is deleted, it counts as never
   * made.
   */
  takenBack: boolean;
  /** Given up before its task was heard of, see `dropUnmade`. Counts as never made, but the task may exist. */
  dropped: boolean;
}>;

/**
 * What a series waits for. `pending`: `wakeAt`, when the last occurrence's due passes. `waiting`: an open occurrence to
 * be completed or deleted.
 * `ended`: the rule has no further recurrence. `stopped`: its template is no live template.
 */
export type SeriesStatus = "pending" | "waiting" | "ended" | "stopped";

type SeriesPlan = Readonly<{
  ask: readonly OccurrenceRequest[];
  status: SeriesStatus;
  wakeAt: Date | null;
}>;

export type SeriesQuestion = Readonly<{
  /** `null` for a template that is none any more. */
  template: TemplateSchedule | null;
  /**
   * At least the open ones, the completed ones of this schedule where it counts from completion, and the latest of all.
   */
  occurrences: readonly Occurrence[];
  /** At least those of recurrences after the last one made. */
  exceptions: Exceptions;
  /** How many were ever made under this schedule, those left out of `occurrences` included. */
  made: number;
  /** The moment decided for: of the event by its own time, or now by the database's clock. */
  at: Date;
  /**
   * Whether an event or the passing of time asks: a person who completes late gets the next one, never one already
   * past.
   */
  by: "event" | "timer";
}>;

/**
 * Which occurrences a series needs now. Pure: the same facts give the same answer whenever they arrive, because an
 * event is judged by its own time. Asked again after the answer was carried out, it asks for nothing more.
 *
 * - Anchor `schedule`: the next one once the last one's due has passed or it was completed, whichever is first.
 * - Anchor `completion`: once the last one was completed or deleted, counted from that day (see `afterCompletion`).
 * - Never while `max_open` are open.
 *
 * A deleted occurrence counts as skipped: anchored on the schedule, its due still has to pass. A recurrence skipped
 * beforehand is passed over, a moved one is made in its turn with its other due. COUNT counts recurrences, skipped ones
 * included.
 */
export function decideSeries({ template, occurrences, exceptions, made, at, by }: SeriesQuestion): SeriesPlan {
  if (template === null) return { ask: [], status: "stopped", wakeAt: null };
  const { pattern, since } = template;
  const moment = new Date(Math.max(at.getTime(), since));
  const ask: OccurrenceRequest[] = [];
  for (;;) {
    const all = [...occurrences, ...ask];
    // What was completed under another schedule is counted from as well.
    const last = lastInTurn(all, template.key) ?? (pattern.anchor === "completion" ? lastInTurn(all, null) : null);
    const open = all.filter(({ state }) => state === "open").length;
    if (open >= pattern.max_open) return { ask, status: "waiting", wakeAt: null };
    if (last !== null && !isDone(last, moment, template))
      return pattern.anchor === "completion"
        ? { ask, status: "waiting", wakeAt: null }
        : { ask, status: "pending", wakeAt: turnPassesAt(last, template) };
    const next =
      last !== null && pattern.anchor === "completion"
        ? nextAfterCompletion(template, { last, all, made: made + ask.length })
        : nextOnSchedule(template, { last, all, exceptions, fresh: occurrences.length === 0, moment, by });
    if (next === null) return { ask, status: "ended", wakeAt: null };
    ask.push({
      ...makeAsked(next, template, { number: nextNumber(all), exceptions }),
      madeBy: last?.state === "completed" || (last?.state === "deleted" && by === "event") ? last.number : null,
    });
  }
}

/** The occurrence the series goes on from: the last one asked for in its turn under this schedule; `null` for any. */
export function lastInTurn(occurrences: readonly OccurrenceRequest[], key: string | null): OccurrenceRequest | null {
  return occurrences
    .filter((each) => (key === null || each.scheduleKey === key) && !each.ahead && !isGone(each))
    .reduce<OccurrenceRequest | null>(
      (latest, each) => (latest === null || each.number > latest.number ? each : latest),
      null,
    );
}

/** Dropped, or taken back and deleted: as if it had never been made, but for its id, see `freeId`. */
export function isGone({
  takenBack,
  dropped,
  state,
}: Pick<OccurrenceRequest, "takenBack" | "dropped" | "state">): boolean {
  return dropped || (takenBack && state === "deleted");
}

export function nextNumber(occurrences: readonly OccurrenceRequest[]): number {
  return Math.max(0, ...occurrences.map(({ number }) => number)) + 1;
}

/** An open occurrence of a recurrence, to be asked for; its id is that of the recurrence, see `freeId`. */
export function makeAsked(
  { id, at }: Recurrence,
  { key, schedule }: TemplateSchedule,
  { number, exceptions }: Readonly<{ number: number; exceptions: Exceptions }>,
): OccurrenceRequest {
  const duePassesAt = passesAt(dueOf({ id, at }, schedule, exceptions), schedule.tz);
  const rest = { state: "open", closedAt: null, ahead: false, madeBy: null, takenBack: false, dropped: false } as const;
  return { number, recurrenceId: id, scheduleKey: key, at, duePassesAt, ...rest };
}

/**
 * An id for one more occurrence of this local start: itself, or with the first number nobody has. What was dropped is
 * asked for again under its own, since its task may exist; a deleted task comes back only if its person restores it.
 */
export function freeId(id: string, occurrences: readonly OccurrenceRequest[]): string {
  const used = new Set(occurrences.filter(({ dropped }) => !dropped).map(({ recurrenceId }) => recurrenceId));
  if (!used.has(id)) return id;
  let copy = 2;
  while (used.has(`${id}#${copy}`)) copy++;
  return `${id}#${copy}`;
}

function isDone(last: OccurrenceRequest, moment: Date, template: TemplateSchedule): boolean {
  if (template.pattern.anchor === "completion") return last.state !== "open";
  return last.state === "completed" || turnPassesAt(last, template) <= moment;
}

/** Moved to later, an occurrence does not hold up those after it; moved to earlier, they may come earlier. */
function turnPassesAt({ recurrenceId, at, duePassesAt }: OccurrenceRequest, { schedule }: TemplateSchedule): Date {
  const own = passesAt(ownDue({ id: recurrenceId, at }, schedule), schedule.tz);
  return duePassesAt < own ? duePassesAt : own;
}

type SeriesProgress = Readonly<{ last: OccurrenceRequest | null; all: readonly OccurrenceRequest[] }>;

function nextOnSchedule(
  template: TemplateSchedule,
  {
    last,
    all,
    exceptions,
    fresh,
    moment,
    by,
  }: SeriesProgress & Readonly<{ exceptions: Exceptions; fresh: boolean; moment: Date; by: SeriesQuestion["by"] }>,
): Recurrence | null {
  const isSkipped = ({ id }: Recurrence) => exceptions.get(id)?.kind === "skipped";
  if (last === null && fresh) return firstRecurrence(template, moment, isSkipped);
  const { pattern, schedule } = template;
  const recurrences = makeRecurrences(schedule);
  const passed = passedUpTo(schedule, moment);
  // A changed schedule that nothing made stands in counts from its change.
  const reached = last?.at ?? passedUpTo(schedule, new Date(template.since));
  // The latest that has begun: today's all-day one stands for those missed before it, or two live tasks would mean one
  // thing.
  const latestMissed = (): Recurrence | null => {
    let found = recurrences.latest(reached, moment);
    while (found !== null && isSkipped(found)) found = recurrences.latest(reached, new Date(found.at.getTime() - 1));
    return found;
  };
  const first = (): Recurrence | null => {
    if (pattern.catch_up === "all") return recurrences.next(reached);
    const missed = pattern.catch_up === "latest" && by === "timer" ? latestMissed() : null;
    return missed ?? recurrences.next(reached > passed ? reached : passed);
  };
  const taken = all.filter((each) => !isGone(each));
  const isTaken = (one: Recurrence) => taken.some(({ recurrenceId }) => standsFor(template, recurrenceId, one));
  let next = first();
  while (next !== null && (isTaken(next) || isSkipped(next))) next = recurrences.next(next.at);
  return next === null ? null : { ...next, id: freeId(next.id, all) };
}

function nextAfterCompletion(
  { schedule }: TemplateSchedule,
  { last, all, made }: Readonly<{ last: OccurrenceRequest; all: readonly OccurrenceRequest[]; made: number }>,
): Recurrence | null {
  if (schedule.rule.count !== null && made >= schedule.rule.count) return null;
  const done = { id: plainId(last.recurrenceId), at: last.at };
  const before = all.filter((each) => !isGone(each)).map(({ recurrenceId }) => recurrenceId);
  const next = afterCompletion(schedule, last.closedAt ?? last.at, { last: done, made: before });
  return next === null ? null : { ...next, id: freeId(next.id, all) };
}
