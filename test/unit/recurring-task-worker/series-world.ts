import { deriveId } from "../../../shared/messages/derive-id.ts";
import type { MessageOf } from "../../../shared/messages/message.ts";
import type { TaskEvent } from "../../../shared/tasks/task-event.ts";
import type { TaskCreated } from "../../../shared/messages/records.ts";
import { advanceSeries } from "../../../workers/recurring-task-worker/advance-series.ts";
import type { Series, SeriesMessage } from "../../../workers/recurring-task-worker/series.ts";
import { foldSeries, type World } from "../../../workers/recurring-task-worker/fold-series.ts";
import { taskCreated } from "../../support/task-created.ts";

const user_id = "0193a0b0-0000-7000-8000-0000000000aa";
export const template = "0193a0b0-0000-7000-8000-000000000001";
export const nothing: World = { tasks: new Map(), series: new Map() };
export const at = (text: string) => new Date(`2026-${text}:00Z`);
export const occurrence = (recurrenceId: string) => deriveId("occurrence", template, recurrenceId);

type Fields = Record<string, null | boolean | number | string>;
export const created = (
  version: number,
  time: string,
  pattern: unknown,
  over: Partial<TaskCreated> = {},
  id = template,
): TaskEvent => ({
  type: "TaskCreated",
  subject: id,
  sequence: version,
  data: taskCreated({
    id,
    user_id,
    title: "Water the plants",
    created_at: at(time),
    is_recurring_template: pattern !== null,
    recurrence_pattern: pattern === null ? null : JSON.stringify(pattern),
    ...over,
  }),
});
export const updated = (version: number, time: string, updated_fields: Fields, id = template): TaskEvent => ({
  type: "TaskUpdated",
  subject: id,
  sequence: version,
  data: { id, user_id, updated_fields, timestamp: at(time) },
});
export const completed = (version: number, time: string, id: string): TaskEvent => ({
  type: "TaskCompleted",
  subject: id,
  sequence: version,
  data: { id, user_id, completed_at: at(time) },
});
export const deleted = (version: number, time: string, id = template): TaskEvent => ({
  type: "TaskDeleted",
  subject: id,
  sequence: version,
  data: { id, user_id, deleted_at: at(time) },
});

/** Hears events one by one; `pass` is the timer's look at a moment. */
export function hear(from: World = nothing) {
  let world = from;
  const asked: string[] = [];
  const removed: string[] = [];
  const ended: MessageOf<"SeriesEnded">[] = [];
  const note = (messages: readonly SeriesMessage[]) => {
    for (const message of messages)
      if (message.type === "CreateOccurrence") asked.push(message.data.recurrence_id);
      else if (message.type === "RemoveOccurrence") removed.push(message.data.occurrence_id);
      else ended.push(message);
  };
  const it = {
    events: (...events: readonly TaskEvent[]) => {
      const folded = foldSeries(events, world);
      world = folded.world;
      for (const answer of folded.answers) note(answer);
      return it;
    },
    pass: (time: string) => {
      const now = at(time);
      for (const series of world.series.values()) {
        if (series.wakeAt === null || series.wakeAt > now) continue;
        const advanced = advanceSeries({ series, tasks: world.tasks, at: now, by: "timer" });
        world = { ...world, series: new Map(world.series).set(series.id, advanced.series) };
        note(advanced.messages);
      }
      return it;
    },
    asked: () => asked,
    removed: () => removed,
    ended: () => ended,
    series: (): Series => {
      const found = world.series.get(template);
      if (!found) throw new Error("no series");
      return found;
    },
    world: () => world,
  };
  return it;
}

export const daily = { rrule: "FREQ=DAILY", tz: "UTC", start: "2026-11-24T09:00" };
export const [tue, wed, thu, fri] = ["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"].map(
  (day) => `${day}T09:00:00`,
) as [string, string, string, string];
