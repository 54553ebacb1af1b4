import { matches, type IfMatch } from "../../shared/http/if-match.ts";
import { insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import { readToldFloor } from "../../shared/postgres/told-floor.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { passedUpTo } from "../../shared/recurrence/passing.ts";
import { standsFor } from "../../shared/recurrence/place-in.ts";
import { makeRecurrences, type Recurrence } from "../../shared/recurrence/recurrence.ts";
import { occurrenceId } from "../../shared/tasks/occurrence-id.ts";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import { sameContent } from "../../shared/same-content.ts";
import { advanceSeries, createOccurrence, withAsked } from "./advance-series.ts";
import type { Series } from "./series.ts";
import { decideException, toBeKnown, type OccurrenceChange } from "./decide-exception.ts";
import { isGone, type Occurrence } from "./decide-series.ts";
import type { Exception, Exceptions } from "./exception.ts";
import { saveExceptions, type ChangedException } from "./store-exceptions.ts";
import { saveSeries } from "./save-series.ts";
import { lockOneSeries, readTasks } from "./load-series.ts";
import { askingId } from "./asking-id.ts";
import { templateSchedule, type TemplateSchedule } from "./template-schedule.ts";

/** One recurrence by its id, or those that start in a time and have not passed yet. */
export type Reach = Readonly<{ recurrenceId: string }> | Readonly<{ from: Date; to: Date }>;

/** One change of the recurrences it reaches, and who asks for it. */
type OccurrenceChangeRequest = Readonly<{
  seriesId: string;
  reach: Reach;
  change: OccurrenceChange;
  ifMatch: IfMatch;
  userId: string;
  correlationId: string;
  traceparent: string | null;
  /** The representation of the series as it is now, for a 412. */
  current: () => Promise<unknown>;
}>;
/** Gives the version of the series after it. */
export type ChangeOccurrence = (request: OccurrenceChangeRequest) => Promise<number>;

/** So many recurrences are changed at once, at most. */
export const maxReached = 366;

/**
 * Changes recurrences under the lock of their series and moves the series on: one transaction with its commands, one
 * new version. It keeps no answers, because repeating it changes nothing: a recurrence that is as wanted already stays
 * so, and the version with it, whatever `ifMatch` says (RFC 9110 §13.1.1): a retry names the version from before its
 * own success. In a range of time, recurrences that have a task are left alone. Throws SERIES_NOT_FOUND (also for
 * another user's, and where the template was deleted), VERSION_MISMATCH, INVALID_REQUEST for a range with too many, and
 * what `decideException` throws.
 */
export function makeChangeOccurrence(of: {
  db: Pick<Db, "transaction">;
  codec: Encoder;
  /** Called after a commit that wrote messages. */
  onWritten: () => void;
}): ChangeOccurrence {
  return async (request) => {
    const { seriesId, reach, change, userId, correlationId, traceparent } = request;
    const { version, written } = await of.db.transaction(async (tx) => {
      const named = "recurrenceId" in reach ? reach.recurrenceId : null;
      const ids = named === null ? [] : [named, ...Array.from({ length: 8 }, (_, n) => `${named}#${n + 2}`)];
      const wanted = ids.map((id) => occurrenceId(seriesId, id));
      const locked = await lockOneSeries(tx, { id: seriesId, userId, wanted, recurrenceId: named });
      if (locked === null) throw new Problem("SERIES_NOT_FOUND");
      const { series, now } = locked;
      const tasks = await readTasks(tx, [series.templateId, ...wanted]);
      const known = tasks.get(series.templateId) ?? null;
      if (known !== null && fieldValue(known.fields, "deleted_at") !== null) throw new Problem("SERIES_NOT_FOUND");
      const template = templateSchedule(known);
      const reached = "recurrenceId" in reach ? [reach.recurrenceId] : unmadeIn(series, template, { ...reach, now });

      let changed = series;
      const exceptions: ChangedException[] = [];
      const asked: Occurrence[] = [];
      for (const recurrenceId of reached) {
        const { exception, ask } = decideException(changed, template, { recurrenceId, change, now, tasks });
        if (!sameContent(changed.exceptions.get(recurrenceId) ?? null, exception))
          exceptions.push({ recurrenceId, exception });
        if (ask !== null) asked.push(ask);
        changed = {
          ...changed,
          exceptions: withException(changed, recurrenceId, exception),
          occurrences: withAsked(changed.occurrences, ask === null ? [] : [ask]),
        };
      }
      if (exceptions.length === 0 && asked.length === 0) return { version: series.version, written: 0 };
      if (!matches(request.ifMatch, series.version)) return { version: null, written: 0 };
      await saveExceptions(tx, seriesId, exceptions);
      const advanced = advanceSeries({ series: changed, tasks, at: now, by: "timer" });
      const saved = { ...advanced.series, version: Math.max(series.version, await readToldFloor(tx)) + 1 };
      await saveSeries(tx, [saved], new Map([[seriesId, series]]));
      const commands =
        template === null
          ? []
          : asked.map((occurrence) => createOccurrence(changed, template, { occurrence, at: now }));
      const rows = [...commands, ...advanced.messages].map((told) => {
        const message = { ...told, id: told.id ?? askingId(series, told.subject), time: now };
        return outboxRow(of.codec, message, { source: "recurring-task-worker", correlationId, traceparent, now });
      });
      await insertOutbox(tx, rows);
      return { version: saved.version, written: rows.length };
    });
    if (version === null)
      throw new Problem("VERSION_MISMATCH", "The series is at another version", { current: await request.current() });
    if (written > 0) of.onWritten();
    return version;
  };
}

/** The recurrences that start in a time and have neither passed nor a task, by their ids. */
function unmadeIn(
  series: Series,
  template: TemplateSchedule | null,
  { from, to, now }: Readonly<{ from: Date; to: Date; now: Date }>,
): readonly string[] {
  const known = toBeKnown(template);
  const { schedule } = known;
  // Today's all-day one is still to come.
  const coming = new Date(passedUpTo(schedule, now).getTime() + 1);
  const found = makeRecurrences(schedule).between(from > now ? from : coming, to, maxReached + 1);
  if (found.length > maxReached)
    throw new Problem("INVALID_REQUEST", undefined, {
      mistakes: [{ path: "/to", message: `leaves more than ${maxReached} recurrences; take a shorter time` }],
    });
  const made = series.occurrences.filter((each) => !isGone(each));
  const isMade = (one: Recurrence) => made.some(({ recurrenceId }) => standsFor(known, recurrenceId, one));
  return found.filter((one) => !isMade(one)).map(({ id }) => id);
}

function withException(series: Series, id: string, exception: Exception | null): Exceptions {
  const exceptions = new Map(series.exceptions);
  if (exception === null) exceptions.delete(id);
  else exceptions.set(id, exception);
  return exceptions;
}
