import type { MessageOf } from "../../shared/messages/message.ts";
import { placeIn, standsFor } from "../../shared/recurrence/place-in.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { Series } from "./series.ts";
import { decideSeries, type Occurrence } from "./decide-series.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

/** The version of a task nobody has touched since it was made. */
const untouched = 1;

/**
 * Takes back what the completion or deletion of an occurrence called for, now that it is undone: asks for those tasks
 * to be removed, as far as nobody has touched them. What would be called for again at once, because time calls for it
 * too, stays; another task of the same recurrence, asked for before the restore was heard of, does not. Whether a task
 * was removed is told by its own events: until then it counts as open, deleted it counts as never made, touched it
 * stays (see `withState`).
 */
export function takeBack(
  series: Series,
  template: TemplateSchedule | null,
  of: Readonly<{ reopened: number; tasks: ReadonlyMap<string, FoldedTask | null>; at: Date }>,
): Readonly<{ series: Series; messages: readonly MessageOf<"RemoveOccurrence">[] }> {
  const back = series.occurrences.find(({ number }) => number === of.reopened);
  if (template === null || back === undefined) return { series, messages: [] };
  const place = placeIn(template, back.recurrenceId);
  const isDouble = ({ id, recurrenceId }: Occurrence): boolean =>
    id !== back.id && place !== null && standsFor(template, recurrenceId, place);
  const mayGo = ({ state, takenBack, id }: Occurrence): boolean =>
    state === "open" && !takenBack && (of.tasks.get(id)?.version ?? untouched) <= untouched;
  const calledFor = series.occurrences.filter((each) => mayGo(each) && each.madeBy === of.reopened);
  const doubles = series.occurrences.filter((each) => mayGo(each) && isDouble(each));
  const all = new Set([...calledFor, ...doubles]);
  if (all.size === 0) return { series, messages: [] };
  const occurrences = series.occurrences.filter((each) => !all.has(each));
  const { exceptions } = series;
  const made = (series.made[template.key] ?? 0) - all.size;
  const isCalledFor = decideSeries({ template, occurrences, exceptions, made, at: of.at, by: "timer" }).ask.length > 0;
  const taken = isCalledFor ? new Set(doubles) : all;
  if (taken.size === 0) return { series, messages: [] };
  return {
    series: {
      ...series,
      occurrences: series.occurrences.map((each) => (taken.has(each) ? { ...each, takenBack: true } : each)),
    },
    messages: [...taken].map(({ id }) => ({
      type: "RemoveOccurrence",
      key: series.templateId,
      subject: id,
      sequence: untouched,
      data: {
        occurrence_id: id,
        template_id: series.templateId,
        user_id: series.userId,
        version: untouched,
        requested_at: of.at,
      },
    })),
  };
}
