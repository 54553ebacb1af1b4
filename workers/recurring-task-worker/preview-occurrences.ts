import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { makeRecurrences, type Recurrence } from "../../shared/recurrence/recurrence.ts";
import { afterCompletion } from "./after-completion.ts";
import { lastInTurn, type Occurrence } from "./decide-series.ts";
import type { OccurrenceDue } from "../../shared/recurrence/recurrence-due.ts";
import { dueOf, passesAt, type Exceptions } from "./exception.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

const dayMs = 86_400_000;
/** Counted from completion, each one is found from the one before. */
const maxExpected = 400;

/** One recurrence of a series, past or to come, as a person sees it. */
export type Told = Readonly<{
  recurrenceId: string;
  at: Date;
  due: OccurrenceDue;
  duePassesAt: Date;
  /**
   * Of its task: `open`, `completed`, `deleted`. Without one: `skipped`; `missed`, passed without having been made; `upcoming`;
   * `expected`, of a series counted from completion, where each one is completed when due.
   */
  state: Occurrence["state"] | "skipped" | "missed" | "upcoming" | "expected";
  moved: boolean;
  taskId: string | null;
  closedAt: Date | null;
}>;

/** How far a series has come under its present schedule. */
export type Reached = Readonly<{ first: Date; last: Date; made: number }>;

export type PreviewOf = Readonly<{
  template: TemplateSchedule | null;
  /** Those made that are told of, those open whenever they start, by start; what was taken back is not among them. */
  occurrences: readonly Occurrence[];
  exceptions: Exceptions;
  /** `null` where nothing was made under the present schedule. */
  reached: Reached | null;
  from: Date;
  to: Date;
  /** What has no task is told up to here; to the end where it is not given. */
  until?: Date | undefined;
  now: Date;
}>;

/**
 * Tells the recurrences that start in [from, to), by start: lazily, so that one takes as many as one wants. The work for each is
 * that of finding the next recurrence of the rule.
 */
export function* previewOccurrences(of: PreviewOf): Generator<Told, void> {
  const { occurrences, from, to, until = to } = of;
  const inRange = ({ at }: Readonly<{ at: Date }>) => at >= from && at < to;
  const made = occurrences.filter(inRange);
  const ids = new Set(occurrences.map(({ recurrenceId }) => plainId(recurrenceId)));
  const computed = unmade(of);
  const nextUnmade = (): Told | null => {
    for (let one = computed.next(); one.done !== true; one = computed.next()) {
      if (one.value.at >= to || one.value.at > until) return null;
      if (one.value.at >= from && !ids.has(one.value.recurrenceId)) return one.value;
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

function toldOf(made: Occurrence, { exceptions }: PreviewOf): Told {
  const { recurrenceId, at, duePassesAt, state, closedAt, id } = made;
  const plain = plainId(recurrenceId);
  const exception = exceptions.get(plain);
  const own: OccurrenceDue = plain.length === 10 ? { date: null, on: plain } : { date: duePassesAt, on: null };
  const moved = exception?.kind === "moved";
  return { recurrenceId, at, due: moved ? exception.due : own, duePassesAt, state, moved, taskId: id, closedAt };
}

/** What the rule names from `from` on; among it what was made, which the caller leaves out. */
function* unmade(of: PreviewOf): Generator<Told, void> {
  if (of.template === null) return;
  if (of.template.pattern.anchor === "completion") return yield* expected(of, of.template);
  const recurrences = makeRecurrences(of.template.schedule);
  // Nothing before tells anything, see `unmadeOf`, but what a person made an exception.
  const told = [...of.exceptions.values()].map(({ at }) => at.getTime());
  const begun = Math.min(of.reached?.first.getTime() ?? Infinity, of.now.getTime() - dayMs, ...told);
  let next = recurrences.next(new Date(Math.max(of.from.getTime(), begun) - 1));
  for (; next !== null; next = recurrences.next(next.at)) {
    const told = unmadeOf(next, of, of.template);
    if (told !== null) yield told;
  }
}

function unmadeOf(
  recurrence: Recurrence,
  { exceptions, reached, now }: PreviewOf,
  template: TemplateSchedule,
): Told | null {
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

function* expected({ occurrences, reached, now }: PreviewOf, template: TemplateSchedule): Generator<Told, void> {
  const { schedule, key } = template;
  const last = lastInTurn(occurrences, key);
  if (last === null || reached === null) return;
  const { count } = schedule.rule;
  let done = last.duePassesAt > now ? last.at : now;
  const most = Math.min(maxExpected, (count ?? Infinity) - reached.made);
  for (let n = 0; n < most; n++) {
    const next = afterCompletion(schedule, done);
    if (next === null) return;
    const due = dueOf(next, schedule, new Map());
    const duePassesAt = passesAt(due, schedule.tz);
    const rest = { state: "expected", moved: false, taskId: null, closedAt: null } as const;
    yield { recurrenceId: next.id, at: next.at, due, duePassesAt, ...rest };
    done = next.at;
  }
}
