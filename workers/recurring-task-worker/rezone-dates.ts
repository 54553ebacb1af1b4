import { findRecurrence } from "../../shared/recurrence/find-recurrence.ts";
import { placeIn } from "../../shared/recurrence/place-in.ts";
import { localStart } from "../../shared/recurrence/wall-time.ts";
import { instantOfLocalDue } from "../../shared/tasks/local-due.ts";
import { sameContent } from "../../shared/same-content.ts";
import type { Series } from "./series.ts";
import type { Occurrence } from "./decide-series.ts";
import { passesAt, type Exception, type Exceptions } from "./exception.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

const hourMs = 3_600_000;
/** What has passed for a day stays as it was. */
const pastMs = 24 * hourMs;

/**
 * Computes the instants of a series' occurrences and exceptions again from their places in the schedule, by the zone
 * data in use; the same object if none moves. Pure. Instants that passed more than a day before `now` stay, and so do
 * those of another schedule, whose zone is not known.
 */
export function rezoneDates(series: Series, template: TemplateSchedule, now: Date): Series {
  const isAhead = (...times: readonly Date[]) => times.some((time) => time.getTime() > now.getTime() - pastMs);
  const after = new Map(
    [...series.exceptions].map(
      ([id, each]) => [id, isAhead(each.at) ? rezoneException(each, template) : each] as const,
    ),
  );
  const exceptions = { before: series.exceptions, after };
  const occurrences = series.occurrences.map((each) =>
    each.scheduleKey === template.key && isAhead(each.at, each.duePassesAt)
      ? rezoneOccurrence(each, template, exceptions)
      : each,
  );
  const isSame =
    occurrences.every((each, place) => each === series.occurrences[place]) &&
    [...after].every(([id, each]) => each === series.exceptions.get(id));
  return isSame ? series : { ...series, occurrences, exceptions: after };
}

function rezoneException(exception: Exception, { schedule }: TemplateSchedule): Exception {
  const at = findRecurrence(schedule, exception.recurrenceId)?.at ?? exception.at;
  const local = exception.kind === "moved" ? exception.local : undefined;
  const date = local === undefined ? null : instantOfLocalDue(local);
  const moved: Exception =
    date === null || exception.kind !== "moved" ? { ...exception, at } : { ...exception, at, due: { date, on: null } };
  return sameContent(moved, exception) ? exception : moved;
}

type ExceptionsChange = Readonly<{ before: Exceptions; after: Exceptions }>;

function rezoneOccurrence(
  occurrence: Occurrence,
  template: TemplateSchedule,
  exceptions: ExceptionsChange,
): Occurrence {
  const place = placeIn(template, occurrence.recurrenceId);
  if (place === null) return occurrence;
  const { tz } = template.schedule;
  const duePassesAt = duePassesAnew(occurrence, { tz, place: place.id, at: place.at, exceptions });
  const isSame =
    place.at.getTime() === occurrence.at.getTime() && duePassesAt.getTime() === occurrence.duePassesAt.getTime();
  return isSame ? occurrence : { ...occurrence, at: place.at, duePassesAt };
}

function duePassesAnew(
  { at: before, duePassesAt }: Occurrence,
  of: Readonly<{ tz: string; place: string; at: Date; exceptions: ExceptionsChange }>,
): Date {
  const { tz, place, at, exceptions } = of;
  const [was, is] = [exceptions.before.get(place), exceptions.after.get(place)];
  const isMovedTo = was?.kind === "moved" && was.due.date?.getTime() === duePassesAt.getTime();
  if (isMovedTo && is?.kind === "moved" && is.due.date !== null) return is.due.date;
  if (place.length > 10) return duePassesAt.getTime() === before.getTime() ? at : duePassesAt;
  // The end of a day, which data of another edition put an hour or two off: twelve hours before, it is that day in
  // both.
  const day = localStart(new Date(duePassesAt.getTime() - 12 * hourMs), tz).slice(0, 10);
  return passesAt({ date: null, on: day }, tz);
}
