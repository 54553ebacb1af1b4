import { deriveId } from "../../shared/messages/derive-id.ts";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import { findRecurrence, instantOf, plainId } from "../../shared/recurrence/find-recurrence.ts";
import { passedUpTo } from "../../shared/recurrence/passing.ts";
import { standsFor } from "../../shared/recurrence/place-in.ts";
import { makeRecurrences, type Recurrence } from "../../shared/recurrence/recurrence.ts";
import { withState } from "./advance-series.ts";
import type { Series } from "./series.ts";
import { isGone, lastInTurn, nextNumber } from "./decide-series.ts";
import type { OccurrenceDue } from "../../shared/recurrence/recurrence-due.ts";
import { passesAt } from "./exception.ts";
import { occurrenceAnew } from "./lay-anew.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

/** The key of what was made under a schedule that is not known any more. */
const otherSchedule = deriveId("schedule", "another");

/**
 * Adds an occurrence that the series did not request, if the task is one: task-service makes such when a series is
 * split, and tables that are rebuilt from the topic know no requests. A task whose id is not that of its place in the
 * series is left alone. If recurrences before it were to come when it was made, and have no task, it was made ahead of
 * its turn: they still come.
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
  const duePassesAt = passesAt(dueOfTask(task, plain, at), schedule.tz);
  const rest = { closedAt: null, ahead: false, madeBy: null, takenBack: false, dropped: false } as const;
  const found = { id: task.id, number: nextNumber(series.occurrences), recurrenceId, at, duePassesAt, ...rest };
  const own = { ...found, state: "open", scheduleKey: otherSchedule } as const;
  const laid =
    findRecurrence(schedule, plain) === null
      ? occurrenceAnew(own, template, series.exceptions)
      : { ...own, scheduleKey: key };
  const { scheduleKey } = laid;
  const ahead = isAhead(series, template, { at: laid.at, madeAt: task.fields["template_id"]?.time ?? 0 });
  const adopted = { ...laid, duePassesAt, ahead };
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
  const taken = occurrences.filter((each) => !isGone(each));
  const isTaken = (one: Recurrence) =>
    taken.some(({ recurrenceId }) => standsFor({ schedule, pattern }, recurrenceId, one));
  const recurrences = makeRecurrences(schedule);
  const passed = passedUpTo(schedule, new Date(madeAt));
  const last = lastInTurn(occurrences, key)?.at ?? passed;
  let next = recurrences.next(last > passed ? last : passed);
  while (next !== null && (isTaken(next) || exceptions.get(next.id)?.kind === "skipped"))
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
