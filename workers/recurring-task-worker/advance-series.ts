import { deriveId } from "../../shared/messages/derive-id.ts";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import { occurrenceId } from "../../shared/tasks/occurrence-id.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { MessageOf } from "../../shared/messages/message.ts";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import {
  decideSeries,
  lastInTurn,
  type OccurrenceRequest,
  type Occurrence,
  type SeriesQuestion,
} from "./decide-series.ts";
import { dueOf } from "./exception.ts";
import type { Series, SeriesMessage } from "./series.ts";
import { takeBack } from "./take-back.ts";
import { templateSchedule, type TemplateSchedule } from "./template-schedule.ts";

type Advance = Readonly<{
  series: Series;
  /** What is known of the template and of tasks that may be occurrences. */
  tasks: ReadonlyMap<string, FoldedTask | null>;
  at: Date;
  by: SeriesQuestion["by"];
  /** The number of the occurrence whose completion or deletion has just been undone. */
  reopened?: number | null;
}>;

/**
 * Moves a series on: takes back the occurrence that an undone completion or deletion had called for, requests the
 * missing ones, sets the timer. An occurrence whose task is closed already (its events came first) is closed from the
 * start, and the series goes on from there.
 */
export function advanceSeries({ series, tasks, at, by, reopened = null }: Advance): Readonly<{
  series: Series;
  messages: readonly SeriesMessage[];
}> {
  const template = templateSchedule(tasks.get(series.templateId) ?? null);
  const back = reopened === null ? { series, messages: [] } : takeBack(series, template, { reopened, tasks, at });
  const messages: SeriesMessage[] = [...back.messages];
  const done = (now: Series) =>
    now.status === "ended" && series.status !== "ended"
      ? { series: now, messages: [...messages, seriesEnded(now, template, at)] }
      : { series: now, messages };
  let now = back.series;
  for (;;) {
    const made = template === null ? 0 : (now.made[template.key] ?? 0);
    const { occurrences, exceptions } = now;
    const decision = decideSeries({ template, occurrences, exceptions, made, at, by });
    const asked = decision.ask.map((ask) => withState(withId(series.id, ask), taskOf(tasks, series.id, ask)));
    const timer = { status: decision.status, wakeAt: decision.wakeAt };
    now = { ...withTimer(now, timer), occurrences: withAsked(now.occurrences, asked) };
    if (template === null || asked.length === 0) return done(now);
    now = { ...now, made: { ...now.made, [template.key]: made + asked.length } };
    for (const occurrence of asked) messages.push(createOccurrence(now, template, { occurrence, at }));
    if (asked.every(({ state }) => state === "open")) return done(now);
  }
}

/**
 * The occurrences and the newly requested ones; a new one takes the place of a dropped one with its id. One whose
 * removal was requested stays taken back: that command is read before the new request, so the task it deleted counts as
 * never made.
 */
export function withAsked(occurrences: readonly Occurrence[], asked: readonly Occurrence[]): readonly Occurrence[] {
  const dropped = new Map(occurrences.filter((each) => each.dropped).map((each) => [each.id, each]));
  const again = new Set(asked.map(({ id }) => id));
  const revived = asked.map((each) => ({ ...each, takenBack: dropped.get(each.id)?.takenBack ?? each.takenBack }));
  return [...occurrences.filter(({ id }) => !again.has(id)), ...revived];
}

/** The occurrence with the id of its task. */
export function withId(seriesId: string, asked: OccurrenceRequest): Occurrence {
  return { ...asked, id: occurrenceId(seriesId, asked.recurrenceId) };
}

function taskOf(tasks: Advance["tasks"], seriesId: string, asked: OccurrenceRequest): FoldedTask | null {
  return tasks.get(withId(seriesId, asked).id) ?? null;
}

/** Asks for the task of an occurrence. */
export function createOccurrence(
  series: Series,
  { schedule }: TemplateSchedule,
  { occurrence, at }: Readonly<{ occurrence: Occurrence; at: Date }>,
): MessageOf<"CreateOccurrence"> {
  const due = dueOf({ id: occurrence.recurrenceId, at: occurrence.at }, schedule, series.exceptions);
  return {
    type: "CreateOccurrence",
    key: series.templateId,
    subject: occurrence.id,
    sequence: 1,
    data: {
      occurrence_id: occurrence.id,
      template_id: series.templateId,
      user_id: series.userId,
      recurrence_id: occurrence.recurrenceId,
      due_date: due.date,
      due_on: due.on,
      due_tz: schedule.tz,
      requested_at: at,
      // Any other one is completed where its task is, which tells it here.
      completed_at: occurrence.ahead && occurrence.state === "completed" ? occurrence.closedAt : null,
    },
  };
}

/** Its id is of the revision that ends: heard of again, it is the same. */
function seriesEnded(series: Series, template: TemplateSchedule | null, at: Date): MessageOf<"SeriesEnded"> {
  const { id, userId, templateId, revision, occurrences } = series;
  const last = template === null ? null : lastInTurn(occurrences, template.key);
  return {
    type: "SeriesEnded",
    key: templateId,
    subject: id,
    sequence: revision + 1,
    id: deriveId("SeriesEnded", id, String(revision)),
    data: {
      series_id: id,
      user_id: userId,
      last_start: last === null ? null : plainId(last.recurrenceId),
      ended_at: at,
    },
  };
}

/** An occurrence with the state its task's events tell. One to be taken back that somebody touched first, stays. */
export function withState(occurrence: Occurrence, task: FoldedTask | null): Occurrence {
  if (task === null) return occurrence;
  const takenBack = occurrence.takenBack && (task.version <= 1 || fieldValue(task.fields, "deleted_at") !== null);
  return { ...occurrence, takenBack, dropped: false, ...stateOf(task) };
}

function stateOf(task: FoldedTask): Pick<Occurrence, "state" | "closedAt"> {
  const deletedAt = fieldValue(task.fields, "deleted_at");
  const completedAt = fieldValue(task.fields, "completed_at");
  const timeOf = (value: unknown) => (typeof value === "string" ? new Date(value) : null);
  if (fieldValue(task.fields, "status") === "completed")
    return { state: "completed", closedAt: timeOf(completedAt) ?? timeOf(deletedAt) };
  if (deletedAt !== null) return { state: "deleted", closedAt: timeOf(deletedAt) };
  return { state: "open", closedAt: null };
}

function withTimer(series: Series, { status, wakeAt }: Pick<Series, "status" | "wakeAt">): Series {
  const same = series.wakeAt?.getTime() === wakeAt?.getTime();
  return { ...series, status, wakeAt, generation: same ? series.generation : series.generation + 1 };
}
