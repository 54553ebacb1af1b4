import { deriveId } from "../../shared/derive-id.ts";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { MessageOf } from "../../shared/message.ts";
import { decideSeries, type Occurrence, type Question, type SeriesStatus } from "./decide-series.ts";
import { templateSchedule } from "./template-schedule.ts";

/** A series as its rows tell it. */
export type Series = Readonly<{
  id: string;
  templateId: string;
  userId: string;
  status: SeriesStatus;
  wakeAt: Date | null;
  /** Raised with every new `wakeAt`, so that an older timer is stale. */
  generation: number;
  /** Those that can matter: see `Question`. */
  occurrences: readonly Occurrence[];
  /** How many occurrences were made under each schedule, by its key. */
  made: Readonly<Record<string, number>>;
}>;

export type Advance = Readonly<{
  series: Series;
  /** What is known of the template and of tasks that may be occurrences. */
  tasks: ReadonlyMap<string, FoldedTask | null>;
  at: Date;
  by: Question["by"];
}>;

export function newSeries(templateId: string, userId: string): Series {
  const rest = { status: "stopped", wakeAt: null, generation: 0, occurrences: [], made: {} } as const;
  return { id: templateId, templateId, userId, ...rest };
}

/**
 * Brings a series to where it should be: asks for what is missing and sets its timer. An occurrence whose task is known to be
 * closed already (its events were heard first) is closed from the start, and the series goes on from there.
 */
export function advanceSeries({ series, tasks, at, by }: Advance): Readonly<{
  series: Series;
  commands: readonly MessageOf<"CreateOccurrence">[];
}> {
  const template = templateSchedule(tasks.get(series.templateId) ?? null);
  const commands: MessageOf<"CreateOccurrence">[] = [];
  let now = series;
  for (;;) {
    const made = template === null ? 0 : (now.made[template.key] ?? 0);
    const decision = decideSeries({ template, occurrences: now.occurrences, made, at, by });
    const asked = decision.ask.map((ask) => {
      const id = deriveId("occurrence", series.id, ask.recurrenceId);
      return withState({ ...ask, id }, tasks.get(id) ?? null);
    });
    const timer = { status: decision.status, wakeAt: decision.wakeAt };
    now = { ...withTimer(now, timer), occurrences: [...now.occurrences, ...asked] };
    if (template === null || asked.length === 0) return { series: now, commands };
    now = { ...now, made: { ...now.made, [template.key]: made + asked.length } };
    const tz = template.schedule.tz;
    const allDay = template.schedule.start.length === 10;
    for (const occurrence of asked)
      commands.push({
        type: "CreateOccurrence",
        key: series.templateId,
        subject: occurrence.id,
        sequence: 1,
        data: {
          occurrence_id: occurrence.id,
          template_id: series.templateId,
          user_id: series.userId,
          recurrence_id: occurrence.recurrenceId,
          due_date: allDay ? null : occurrence.at,
          due_on: allDay ? occurrence.recurrenceId.slice(0, 10) : null,
          due_tz: tz,
          requested_at: at,
          completed_at: null,
        },
      });
    if (asked.every(({ state }) => state === "open")) return { series: now, commands };
  }
}

/** An occurrence with the state its task's events tell. */
export function withState(occurrence: Occurrence, task: FoldedTask | null): Occurrence {
  if (task === null) return occurrence;
  const deletedAt = fieldValue(task.fields, "deleted_at");
  const completedAt = fieldValue(task.fields, "completed_at");
  const timeOf = (value: unknown) => (typeof value === "string" ? new Date(value) : null);
  if (fieldValue(task.fields, "status") === "completed")
    return { ...occurrence, state: "completed", closedAt: timeOf(completedAt) ?? timeOf(deletedAt) };
  if (deletedAt !== null) return { ...occurrence, state: "deleted", closedAt: timeOf(deletedAt) };
  return { ...occurrence, state: "open", closedAt: null };
}

function withTimer(series: Series, { status, wakeAt }: Pick<Series, "status" | "wakeAt">): Series {
  const same = series.wakeAt?.getTime() === wakeAt?.getTime();
  return { ...series, status, wakeAt, generation: same ? series.generation : series.generation + 1 };
}
