import { deriveId } from "../../shared/derive-id.ts";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import { findRecurrence, instantOf, plainId } from "../../shared/recurrence/find-recurrence.ts";
import { makeRecurrences } from "../../shared/recurrence/recurrence.ts";
import { withState, type Series } from "./advance-series.ts";
import { isGone, lastInTurn, nextNumber } from "./decide-series.ts";
import type { OccurrenceDue } from "../../shared/recurrence/recurrence-due.ts";
import { passesAt } from "./exception.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

/** The key of what was made under a schedule that is not known any more. */
const otherSchedule = deriveId("schedule", "another");

/**
 * The series with an occurrence it did not ask for, if the task is one: the task service makes such where a series is split, and
 * tables rebuilt from the topic know none. A task whose id is not that of its place in the series is left alone. One with recurrences
 * before it that were to come when it was made, and have no task, was made ahead of its turn: they still come.
 */
export function adoptOccurrence(series: Series, template: TemplateSchedule | null, task: FoldedTask): Series {
  const recurrenceId = fieldValue(task.fields, "recurrence_id");
  if (template === null || typeof recurrenceId !== "string" || task.user_id !== series.userId) return series;
  if (fieldValue(task.fields, "template_id") !== series.templateId) return series;
  if (task.id !== deriveId("occurrence", series.id, recurrenceId)) return series;
  if (series.occurrences.some(({ id }) => id === task.id)) return series;
  const { schedule, key } = template;
  const plain = plainId(recurrenceId);
  const at = instantOf(plain, schedule.tz);
  if (at === null) return series;
  const scheduleKey = findRecurrence(schedule, plain) === null ? otherSchedule : key;
  const adopted = {
    id: task.id,
    number: nextNumber(series.occurrences),
    recurrenceId,
    scheduleKey,
    at,
    duePassesAt: passesAt(dueOfTask(task, plain, at), schedule.tz),
    state: "open",
    closedAt: null,
    ahead: isAhead(series, template, { at, madeAt: task.fields["template_id"]?.time ?? 0 }),
    madeBy: null,
    takenBack: false,
    dropped: false,
  } as const;
  return {
    ...series,
    occurrences: [...series.occurrences, withState(adopted, task)],
    made: { ...series.made, [scheduleKey]: (series.made[scheduleKey] ?? 0) + 1 },
  };
}

function isAhead(
  { occurrences, exceptions }: Series,
  { key, pattern, schedule }: TemplateSchedule,
  { at, madeAt }: Readonly<{ at: Date; madeAt: number }>,
): boolean {
  if (pattern.anchor === "completion") return false;
  const taken = new Set(occurrences.filter((each) => !isGone(each)).map(({ recurrenceId }) => plainId(recurrenceId)));
  const recurrences = makeRecurrences(schedule);
  const from = Math.max(lastInTurn(occurrences, key)?.at.getTime() ?? madeAt, madeAt);
  let next = recurrences.next(new Date(from));
  while (next !== null && (taken.has(next.id) || exceptions.get(next.id)?.kind === "skipped"))
    next = recurrences.next(next.at);
  return next !== null && next.at < at;
}

/** The due of an occurrence's task; that of its place in the series where the task has none. */
export function dueOfTask({ fields }: FoldedTask, plain: string, at: Date): OccurrenceDue {
  const date = fieldValue(fields, "due_date");
  if (typeof date === "string") return { date: new Date(date), on: null };
  const on = fieldValue(fields, "due_on");
  if (typeof on === "string") return { date: null, on };
  return plain.length === 10 ? { date: null, on: plain } : { date: at, on: null };
}
