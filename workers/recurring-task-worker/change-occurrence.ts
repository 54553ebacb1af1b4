import { deriveId } from "../../shared/derive-id.ts";
import { matches, type IfMatch } from "../../shared/http/if-match.ts";
import { insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { advanceSeries, createOccurrence, withAsked, type Series } from "./advance-series.ts";
import { decideException, type OccurrenceChange } from "./decide-exception.ts";
import type { Exception, Exceptions } from "./exception.ts";
import { saveException } from "./store-exceptions.ts";
import { saveSeries } from "./save-series.ts";
import { lockOneSeries, readTasks } from "./load-series.ts";
import { askingId } from "./asking-id.ts";
import { templateSchedule } from "./template-schedule.ts";

/** One change of one recurrence, and who asks for it. */
export type ChangeRequest = Readonly<{
  seriesId: string;
  recurrenceId: string;
  change: OccurrenceChange;
  ifMatch: IfMatch;
  userId: string;
  correlationId: string;
  traceparent: string | null;
  /** The representation of the series as it is now, for a 412. */
  current: () => Promise<unknown>;
}>;
export type ChangeOccurrence = (request: ChangeRequest) => Promise<void>;

/**
 * Changes one recurrence under the lock of its series, and lets the series go on from there: one transaction with the commands it
 * calls for. Idempotent by itself, so it keeps no answers: what is so already is left as it is, the version too, whatever `ifMatch` says
 * (RFC 9110 §13.1.1), since a retry names the version before its own success.
 * Throws SERIES_NOT_FOUND (also for another's), VERSION_MISMATCH, and what `decideException` throws.
 */
export function makeChangeOccurrence(of: {
  db: Pick<Db, "transaction">;
  codec: Encoder;
  /** Called after a commit that wrote messages. */
  onWritten: () => void;
}): ChangeOccurrence {
  return async (request) => {
    const { seriesId, recurrenceId, change, userId, correlationId, traceparent } = request;
    const written = await of.db.transaction(async (tx) => {
      const ids = [recurrenceId, ...Array.from({ length: 8 }, (_, n) => `${recurrenceId}#${n + 2}`)];
      const wanted = ids.map((id) => deriveId("occurrence", seriesId, id));
      const locked = await lockOneSeries(tx, { id: seriesId, userId, wanted, recurrenceId });
      if (locked === null) throw new Problem("SERIES_NOT_FOUND");
      const { series, now } = locked;
      const tasks = await readTasks(tx, [series.templateId, ...wanted]);
      const template = templateSchedule(tasks.get(series.templateId) ?? null);
      const { exception, ask } = decideException(series, template, { recurrenceId, change, now, tasks });
      const before = series.exceptions.get(recurrenceId) ?? null;
      const isSame = Bun.deepEquals(before, exception);
      if (isSame && ask === null) return 0;
      if (!matches(request.ifMatch, series.version)) return "mismatch";
      if (!isSame) await saveException(tx, { seriesId, recurrenceId }, exception);
      const changed: Series = {
        ...series,
        exceptions: withException(series, recurrenceId, exception),
        occurrences: withAsked(series.occurrences, ask === null ? [] : [ask]),
      };
      const advanced = advanceSeries({ series: changed, tasks, at: now, by: "timer" });
      await saveSeries(tx, [advanced.series], new Map([[seriesId, series]]));
      const asked =
        ask === null || template === null ? [] : [createOccurrence(changed, template, { occurrence: ask, at: now })];
      const rows = [...asked, ...advanced.commands].map((command) => {
        const message = { ...command, id: askingId(series, command.subject), time: now };
        return outboxRow(of.codec, message, { source: "recurring-task-worker", correlationId, traceparent, now });
      });
      await insertOutbox(tx, rows);
      return rows.length;
    });
    if (written === "mismatch")
      throw new Problem("VERSION_MISMATCH", "The series is at another version", { current: await request.current() });
    if (written > 0) of.onWritten();
  };
}

function withException(series: Series, id: string, exception: Exception | null): Exceptions {
  const exceptions = new Map(series.exceptions);
  if (exception === null) exceptions.delete(id);
  else exceptions.set(id, exception);
  return exceptions;
}
