import { foldTask, type FoldedTask, type TaskEvent } from "../../shared/tasks/fold-task.ts";
import type { MessageOf } from "../../shared/message.ts";
import { advanceSeries, newSeries, withState, type Series } from "./advance-series.ts";
import { closingFields, scheduleFields, templateSchedule } from "./template-schedule.ts";

/** What a batch is folded into: the tasks it speaks of, the series they belong to, and those series' templates. */
export type World = Readonly<{
  tasks: ReadonlyMap<string, FoldedTask | null>;
  series: ReadonlyMap<string, Series>;
}>;

export type FoldedSeries = Readonly<{
  /** One answer per event, in their order. */
  answers: readonly (readonly MessageOf<"CreateOccurrence">[])[];
  /** The world after; what did not change is the same object as before. */
  world: World;
}>;

/**
 * Folds a batch of task events and says which occurrences they call for; pure. An event that tells nothing new about the
 * fields kept here changes nothing, whenever and however often it comes. `null` stands for a message that is no task event.
 */
export function foldSeries(events: readonly (TaskEvent | null)[], before: World): FoldedSeries {
  const tasks = new Map(before.tasks);
  const series = new Map(before.series);
  const answers = events.map((event) => {
    if (event === null) return [];
    const known = tasks.get(event.subject) ?? null;
    const task = keepFields(foldTask(known, event));
    if (known !== null && Bun.deepEquals(known, task)) return [];
    tasks.set(task.id, task);
    return concerned(task, series).flatMap((one) => {
      const advanced = advanceSeries({ series: one, tasks, at: eventTime(event), by: "event" });
      series.set(one.id, advanced.series);
      return advanced.commands;
    });
  });
  return { answers, world: { tasks, series } };
}

/** The series a task is template or occurrence of, its own state in it brought up to date; a new one for a new template. */
function concerned(task: FoldedTask, all: ReadonlyMap<string, Series>): readonly Series[] {
  const found = [...all.values()].flatMap((series) => {
    if (series.templateId === task.id) return [series];
    if (!series.occurrences.some(({ id }) => id === task.id)) return [];
    const occurrences = series.occurrences.map((each) => (each.id === task.id ? withState(each, task) : each));
    return [{ ...series, occurrences }];
  });
  const isTemplate = found.some(({ templateId }) => templateId === task.id);
  return isTemplate || templateSchedule(task) === null ? found : [...found, newSeries(task.id, task.user_id)];
}

export function eventTime(event: TaskEvent): Date {
  switch (event.type) {
    case "TaskCreated":
      return event.data.created_at;
    case "TaskUpdated":
      return event.data.timestamp;
    case "TaskCompleted":
      return event.data.completed_at;
    case "TaskDeleted":
      return event.data.deleted_at;
  }
}

function keepFields(task: FoldedTask): FoldedTask {
  const kept = [...scheduleFields, ...closingFields].flatMap((name) => {
    const field = task.fields[name];
    return field === undefined ? [] : [[name, field] as const];
  });
  return { ...task, fields: Object.fromEntries(kept) };
}
