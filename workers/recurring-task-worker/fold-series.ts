import { foldTask, type FoldedTask } from "../../shared/tasks/fold-task.ts";
import { eventTime } from "../../shared/tasks/task-event.ts";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import { sameContent } from "../../shared/same-content.ts";
import { adoptOccurrence } from "./adopt-occurrence.ts";
import { advanceSeries, withState } from "./advance-series.ts";
import { newSeries, type Series, type SeriesMessage } from "./series.ts";
import { isGone } from "./decide-series.ts";
import { dropUnmade } from "./drop-unmade.ts";
import { layAnew } from "./lay-anew.ts";
import { withOrigin, type FollowedEvent } from "./series-origin.ts";
import { closingFields, lastSchedule, placeFields, scheduleFields, templateSchedule } from "./template-schedule.ts";

/** What a batch is folded into: the tasks it speaks of, the series they belong to, and those series' templates. */
export type World = Readonly<{
  tasks: ReadonlyMap<string, FoldedTask | null>;
  series: ReadonlyMap<string, Series>;
}>;

export type FoldedSeries = Readonly<{
  /** One answer per event, in their order. */
  answers: readonly (readonly SeriesMessage[])[];
  /** The world after; what did not change is the same object as before. */
  world: World;
}>;

/**
 * Folds a batch of task events and says which occurrences they call for; pure. An event that tells nothing new about
 * the fields kept here changes nothing, whenever and however often it comes. `null` stands for a message that is no
 * task event.
 */
export function foldSeries(events: readonly (FollowedEvent | null)[], before: World): FoldedSeries {
  const tasks = new Map(before.tasks);
  const series = new Map(before.series);
  const answers = events.map((event) => {
    if (event === null) return [];
    const known = tasks.get(event.subject) ?? null;
    const task = withOrigin(keepFields(foldTask(known, event)), known, event);
    if (known !== null && sameContent(known, task)) return [];
    tasks.set(task.id, task);
    const isRescheduled = !sameContent(known?.fields, task.fields);
    return concerned(task, { tasks, series }, { at: eventTime(event), isRescheduled }).flatMap(({ one, reopened }) => {
      const advanced = advanceSeries({ series: one, tasks, at: eventTime(event), by: "event", reopened });
      series.set(one.id, advanced.series);
      return advanced.messages;
    });
  });
  return { answers, world: { tasks, series } };
}

type ConcernedSeries = Readonly<{ one: Series; reopened: number | null }>;

/**
 * Finds the series this task belongs to, as template or as occurrence, and updates the task's entry in it. `reopened`
 * is the number of the occurrence whose completion or deletion this event undid. Starts a series for a new template,
 * with the occurrences known so far.
 */
function concerned(
  task: FoldedTask,
  { tasks, series: all }: World,
  { at, isRescheduled }: Readonly<{ at: Date; isRescheduled: boolean }>,
): readonly ConcernedSeries[] {
  const found = [...all.values()].flatMap((series): readonly ConcernedSeries[] => {
    if (series.templateId === task.id) {
      const template = templateSchedule(task);
      const one = dropUnmade(layAnew(series, template), template, { tasks, now: at });
      return [{ one: isRescheduled ? { ...one, version: one.version + 1 } : one, reopened: null }];
    }
    const before = series.occurrences.find(({ id }) => id === task.id);
    if (before === undefined) {
      if (fieldValue(task.fields, "template_id") !== series.templateId) return [];
      // Its template may have been deleted before it is heard of: it is an occurrence all the same.
      const one = adoptOccurrence(series, lastSchedule(tasks.get(series.templateId) ?? null), task);
      return one === series ? [] : [{ one, reopened: null }];
    }
    const after = withState(before, task);
    const occurrences = series.occurrences.map((each) => (each === before ? after : each));
    // Gone is for good: what is deleted stays so, unless it is restored, and then it was touched.
    const lost = Number(isGone(after)) - Number(isGone(before));
    const key = after.scheduleKey;
    const made = lost === 0 ? series.made : { ...series.made, [key]: (series.made[key] ?? 0) - lost };
    const isReopened = before.state !== "open" && after.state === "open";
    return [{ one: { ...series, occurrences, made }, reopened: isReopened ? after.number : null }];
  });
  const template = templateSchedule(task);
  if (template === null || found.some(({ one }) => one.templateId === task.id)) return found;
  const known = [...tasks.values()]
    .filter((each) => each !== null)
    .filter(({ fields }) => fieldValue(fields, "template_id") === task.id)
    .toSorted((a, b) => placeOf(a).localeCompare(placeOf(b)));
  const one = known.reduce((series, each) => adoptOccurrence(series, template, each), {
    ...newSeries(task.id, task.user_id),
    version: 1,
  });
  return [...found, { one, reopened: null }];
}

function placeOf({ fields }: FoldedTask): string {
  return String(fieldValue(fields, "recurrence_id"));
}

function keepFields(task: FoldedTask): FoldedTask {
  const kept = [...scheduleFields, ...closingFields, ...placeFields].flatMap((name) => {
    const field = task.fields[name];
    return field === undefined ? [] : [[name, field] as const];
  });
  return { ...task, fields: Object.fromEntries(kept) };
}
