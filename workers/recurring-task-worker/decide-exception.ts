import { Problem } from "../../shared/problem.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import { findRecurrence, plainId } from "../../shared/recurrence/find-recurrence.ts";
import { standsFor } from "../../shared/recurrence/place-in.ts";
import { dueOfTask } from "./adopt-occurrence.ts";
import { withId } from "./advance-series.ts";
import type { Series } from "./series.ts";
import { freeId, isGone, lastInTurn, makeAsked, nextNumber, type Occurrence } from "./decide-series.ts";
import { ownDue, type OccurrenceDue } from "../../shared/recurrence/recurrence-due.ts";
import { sameContent } from "../../shared/same-content.ts";
import { passesAt, type Exception } from "./exception.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

/** What a person wants of one recurrence that has no task yet. */
export type OccurrenceChange =
  Readonly<{ wants: "skip" | "unskip" | "complete" }> | Readonly<{ wants: "move"; due: OccurrenceDue; local?: string }>;

/**
 * What becomes of the recurrence: its exception (`null`: none), and the occurrence to ask for at once, out of its turn.
 */
type ExceptionDecision = Readonly<{ exception: Exception | null; ask: Occurrence | null }>;

/** So many recurrences from now on may be skipped or moved: all of them are read whenever the series goes on. */
export const maxExceptions = 500;

/**
 * Decides one change of one recurrence; pure. Idempotent: what is so already stays and asks for nothing.
 *
 * | the recurrence is | moved, its task is made | completed | un-skipped                        |
 * | ----------------- | ----------------------- | --------- | --------------------------------- |
 * | behind the series | at once                 | at once   | at once, if its due is still ahead |
 * | still to come     | in its turn             | at once   | in its turn                       |
 *
 * Completing a skipped one un-skips it. Throws OCCURRENCE_NOT_FOUND for a time that is no recurrence, for any
 * recurrence of a series counted from completion and of one that has stopped; OCCURRENCE_MADE for one that has a task,
 * which is changed itself; TOO_MANY_EXCEPTIONS for one more.
 */
export function decideException(
  series: Series,
  template: TemplateSchedule | null,
  of: Readonly<{
    recurrenceId: string;
    change: OccurrenceChange;
    now: Date;
    /** What is known of the tasks of its occurrences. */
    tasks: ReadonlyMap<string, FoldedTask | null>;
  }>,
): ExceptionDecision {
  const { recurrenceId, change, now } = of;
  const before = series.exceptions.get(recurrenceId) ?? null;
  const made = madeOf(series, template, recurrenceId);
  if (made !== undefined) {
    if (isAlready(made, change, { before, task: of.tasks.get(made.id) ?? null }))
      return { exception: before, ask: null };
    throw new Problem("OCCURRENCE_MADE", toldToChange(made), { current: { task_id: made.id, state: made.state } });
  }
  const known = toBeKnown(template);
  const { schedule, key } = known;
  const recurrence = findRecurrence(schedule, recurrenceId);
  if (recurrence === null) throw new Problem("OCCURRENCE_NOT_FOUND", `The series does not recur at ${recurrenceId}`);

  const last = lastInTurn(series.occurrences, key);
  const isPassed = last !== null && recurrence.at <= last.at;
  const ask = (exception: Exception | null): Occurrence => {
    const exceptions = new Map(exception === null ? [] : [[recurrenceId, exception]]);
    const free = { ...recurrence, id: freeId(recurrence.id, series.occurrences) };
    const asked = makeAsked(free, known, { number: nextNumber(series.occurrences), exceptions });
    return withId(series.id, { ...asked, ahead: true });
  };
  const askIfComing = (): Occurrence | null => {
    const asked = isPassed ? ask(null) : null;
    return asked !== null && asked.duePassesAt > now ? asked : null;
  };
  switch (change.wants) {
    case "skip":
      return { exception: allowed(series, { recurrenceId, at: recurrence.at, kind: "skipped" }), ask: null };
    case "unskip":
      return before?.kind === "skipped" ? { exception: null, ask: askIfComing() } : { exception: before, ask: null };
    case "move": {
      const back =
        passesAt(change.due, schedule.tz).getTime() === passesAt(ownDue(recurrence, schedule), schedule.tz).getTime();
      if (back) return { exception: null, ask: before?.kind === "skipped" ? askIfComing() : null };
      const local = change.local === undefined ? {} : { local: change.local };
      const exception = allowed(series, { recurrenceId, at: recurrence.at, kind: "moved", due: change.due, ...local });
      return { exception, ask: isPassed ? ask(exception) : null };
    }
    case "complete": {
      const exception = before?.kind === "moved" ? before : null;
      return { exception, ask: { ...ask(exception), state: "completed", closedAt: now } };
    }
  }
}

/** The template of a series whose recurrences are known beforehand. Throws OCCURRENCE_NOT_FOUND where they are not. */
export function toBeKnown(template: TemplateSchedule | null): TemplateSchedule {
  if (template === null) throw new Problem("OCCURRENCE_NOT_FOUND", "The series has stopped");
  if (template.pattern.anchor === "completion")
    throw new Problem(
      "OCCURRENCE_NOT_FOUND",
      "The series counts from completion: its next date is not known before that",
    );
  return template;
}

/** The occurrence made of a recurrence, under this schedule or an earlier one. */
function madeOf(
  { occurrences }: Series,
  template: TemplateSchedule | null,
  recurrenceId: string,
): Occurrence | undefined {
  const made = occurrences.filter((each) => !isGone(each));
  const own = made.find((each) => plainId(each.recurrenceId) === recurrenceId);
  if (own !== undefined || template === null) return own;
  return made.find((each) => standsFor(template, each.recurrenceId, { id: recurrenceId }));
}

/** Whether the one made is what the change wants, as after the same change before. */
function isAlready(
  { state, recurrenceId, at }: Occurrence,
  change: OccurrenceChange,
  { before, task }: Readonly<{ before: Exception | null; task: FoldedTask | null }>,
): boolean {
  switch (change.wants) {
    case "complete":
      return state === "completed";
    case "skip":
      return state === "deleted";
    case "unskip":
      return state !== "deleted";
    case "move": {
      const plain = plainId(recurrenceId);
      const asked = before?.kind === "moved" ? before.due : ownDue({ id: plain, at }, { start: plain });
      const due = task?.fields["due_date"] !== undefined ? dueOfTask(task, plain, at) : asked;
      return state !== "deleted" && sameContent(due, change.due);
    }
  }
}

function toldToChange({ id, state }: Occurrence): string {
  const task = `/v1/tasks/${id}`;
  return state === "deleted"
    ? `Its task ${id} was deleted, which skipped it for good`
    : `It is a task by now: change it with PATCH or DELETE ${task}, or POST ${task}/complete`;
}

function allowed(series: Series, exception: Exception): Exception {
  if (series.exceptions.size < maxExceptions || series.exceptions.has(exception.recurrenceId)) return exception;
  throw new Problem("TOO_MANY_EXCEPTIONS", `${maxExceptions} recurrences to come are skipped or moved already`);
}
