import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { beginsFrom, endsAt } from "../../shared/recurrence/passing.ts";
import { placeIn, standsFor } from "../../shared/recurrence/place-in.ts";
import { makeRecurrences, type Recurrence } from "../../shared/recurrence/recurrence.ts";
import { afterCompletion } from "./after-completion.ts";
import { lastInTurn, type Occurrence } from "./decide-series.ts";
import type { OccurrenceDue } from "../../shared/recurrence/recurrence-due.ts";
import { dueOf, passesAt, type Exceptions } from "./exception.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

/** Counted from completion, each one is found from the one before. */
const maxExpected = 400;

/** Of a series that has stopped: what its occurrences are, their ids tell. */
export const unknownSchedule = { start: "", tz: "UTC" } as const;

/** One recurrence of a series, past or to come, as a person sees it. */
export type RecurrenceView = Readonly<{
  recurrenceId: string;
  at: Date;
  due: OccurrenceDue;
  duePassesAt: Date;
  /**
   * Of its task: `open`, `completed`, `deleted`. Without one: `skipped`; `missed`, passed without having been made;
   * `upcoming`; `expected`, of a series counted from completion, where each one is completed when due.
   */
  state: Occurrence["state"] | "skipped" | "missed" | "upcoming" | "expected";
  moved: boolean;
  taskId: string | null;
  closedAt: Date | null;
}>;

/** How far a series has come under its present schedule. */
export type SeriesExtent = Readonly<{ first: Date; last: Date; made: number }>;

export type PreviewOf = Readonly<{
  template: TemplateSchedule | null;
  /** Those made that are told of, those open whenever they start, by start; what was taken back is not among them. */
  occurrences: readonly Occurrence[];
  exceptions: Exceptions;
  /** `null` where nothing was made under the present schedule. */
  reached: SeriesExtent | null;
  /** An all-day one of the day this lies in is told too. */
  from: Date;
  to: Date;
  /** What has no task is told up to here; to the end where it is not given. */
  until?: Date | undefined;
  now: Date;
}>;

/**
 * The recurrences that start in [from, to), and an all-day one that ends in it, by start. Lazy: the caller takes as
 * many as it wants, and each costs one step of the rule.
 */
export function* previewOccurrences(of: PreviewOf): Generator<RecurrenceView, void> {
  const { occurrences, from, to, until = to } = of;
  const schedule = of.template?.schedule ?? unknownSchedule;
  const inRange = ({ recurrenceId: id, at }: Readonly<{ recurrenceId: string; at: Date }>) =>
    at < to && (at >= from || endsAt({ id, at }, schedule) > from);
  const made = occurrences.filter(inRange);
  const byDay = Map.groupBy(occurrences, ({ recurrenceId }) => recurrenceId.slice(0, 10));
  const isMade = ({ recurrenceId: id }: RecurrenceView) =>
    (byDay.get(id.slice(0, 10)) ?? []).some(
      (each) => of.template !== null && standsFor(of.template, each.recurrenceId, { id }),
    );
  const computed = unmade(of);
  const nextUnmade = (): RecurrenceView | null => {
    for (let one = computed.next(); one.done !== true; one = computed.next()) {
      if (one.value.at >= to || one.value.at > until) return null;
      if (inRange(one.value) && !isMade(one.value)) return one.value;
    }
    return null;
  };
  let place = 0;
  let waiting = nextUnmade();
  for (;;) {
    const next = made[place];
    if (next !== undefined && (waiting === null || next.at <= waiting.at)) {
      yield toldOf(next, of);
      place++;
    } else if (waiting !== null) {
      yield waiting;
      waiting = nextUnmade();
    } else return;
  }
}

function toldOf(made: Occurrence, { exceptions, template }: PreviewOf): RecurrenceView {
  const { recurrenceId, at, duePassesAt, state, closedAt, id, scheduleKey } = made;
  const plain = plainId(recurrenceId);
  const place = template?.key === scheduleKey ? placeIn(template, recurrenceId) : null;
  const exception = exceptions.get(place?.id ?? plain);
  // What is closed keeps the due it had; what is open follows a changed schedule.
  const isDay = (state === "open" && place !== null ? place.id : plain).length === 10;
  const own: OccurrenceDue = isDay ? { date: null, on: plain.slice(0, 10) } : { date: duePassesAt, on: null };
  const moved = exception?.kind === "moved";
  return { recurrenceId, at, due: moved ? exception.due : own, duePassesAt, state, moved, taskId: id, closedAt };
}

/** The recurrences of the rule from `from` on, made ones included: the caller leaves those out. */
function* unmade(of: PreviewOf): Generator<RecurrenceView, void> {
  if (of.template === null) return;
  if (of.template.pattern.anchor === "completion") return yield* expected(of, of.template);
  const recurrences = makeRecurrences(of.template.schedule);
  // Earlier dates are shown only if a person changed them, see `unmadeOf`.
  const told = [...of.exceptions.values()].map(({ at }) => at.getTime());
  const today = beginsFrom(of.template.schedule, of.now).getTime();
  const begun = Math.min(of.reached?.first.getTime() ?? Infinity, today, ...told);
  const from = beginsFrom(of.template.schedule, of.from).getTime();
  let next = recurrences.next(new Date(Math.max(from, begun) - 1));
  for (; next !== null; next = recurrences.next(next.at)) {
    const told = unmadeOf(next, of, of.template);
    if (told !== null) yield told;
  }
}

function unmadeOf(
  recurrence: Recurrence,
  { exceptions, reached, now }: PreviewOf,
  template: TemplateSchedule,
): RecurrenceView | null {
  const { schedule, pattern } = template;
  const due = dueOf(recurrence, schedule, exceptions);
  const duePassesAt = passesAt(due, schedule.tz);
  const exception = exceptions.get(recurrence.id);
  const told = { recurrenceId: recurrence.id, at: recurrence.at, due, duePassesAt, taskId: null, closedAt: null };
  if (exception?.kind === "skipped") return { ...told, state: "skipped", moved: false };
  const moved = exception !== undefined;
  if (duePassesAt > now) return { ...told, state: "upcoming", moved };
  // What passed before the series began, or before this schedule did, was never called for.
  if (reached === null || recurrence.at < reached.first) return null;
  const isStillMade = pattern.catch_up === "all" && recurrence.at > reached.last;
  return { ...told, state: isStillMade ? "upcoming" : "missed", moved };
}

function* expected(
  { occurrences, reached, now }: PreviewOf,
  template: TemplateSchedule,
): Generator<RecurrenceView, void> {
  const { schedule, key } = template;
  const last = lastInTurn(occurrences, key);
  if (last === null || reached === null) return;
  const { count } = schedule.rule;
  // Closed, it has no next one, unless the rule has changed since.
  let done = last.closedAt ?? (last.duePassesAt > now ? last.at : now);
  let closed: Recurrence = { id: plainId(last.recurrenceId), at: last.at };
  const made = occurrences.map(({ recurrenceId }) => recurrenceId);
  const most = Math.min(maxExpected, (count ?? Infinity) - reached.made);
  for (let n = 0; n < most; n++) {
    const next = afterCompletion(schedule, done, { last: closed, made });
    if (next === null) return;
    const due = dueOf(next, schedule, new Map());
    const duePassesAt = passesAt(due, schedule.tz);
    const rest = { state: "expected", moved: false, taskId: null, closedAt: null } as const;
    yield { recurrenceId: next.id, at: next.at, due, duePassesAt, ...rest };
    done = next.at;
    closed = next;
    made.push(next.id);
  }
}
