import { replayOf } from "../../shared/http/request-key.ts";
import { matches, type IfMatch } from "../../shared/http/if-match.ts";
import type { OutboxRow } from "../../shared/outbox/outbox.ts";
import { Problem } from "../../shared/problem.ts";
import type { TaskAnswer } from "./answer.ts";
import type { DecideSeriesChange, RowWithEvent } from "./series-rows.ts";
import type { OpenSeries } from "./store-series.ts";
import type { TaskRow } from "./task-row.ts";
import { notFound, staleError, type WriteDeps, type Writer, type WriteResult } from "./write-task.ts";

export type SeriesChangeRequest = Readonly<{
  /** The task addressed. */
  id: string;
  /**
   * `occurrence`: any other task is refused; `template`: one is given as `target` and `template`, any other task
   * likewise.
   */
  of: "occurrence" | "template";
  ifMatch: IfMatch;
  decide: DecideSeriesChange;
  answer: (row: TaskRow) => TaskAnswer;
  /** A tombstone is given to `decide` instead of being answered with 404. */
  seesDeleted?: boolean;
}>;

export type SeriesDeps = Pick<WriteDeps, "now" | "encode" | "notify" | "quota"> & Readonly<{ openSeries: OpenSeries }>;

const maxAttempts = 5;
const namesTemplate =
  "This is the template of a series: name one of its occurrences, or change the template itself, without a scope";

/**
 * Changes a task together with its series by a rule: one transaction that holds the template and its open occurrences,
 * writes what the rule says with one event each, and keeps the answer. If-Match is compared with the task addressed;
 * where it is a tombstone, only if there is something to write.
 * Throws TASK_NOT_FOUND (also for another's), VERSION_MISMATCH with the occurrence as it is, INVALID_REQUEST for a task
 * that is no occurrence, and what the rule throws.
 */
export async function changeSeries(
  deps: SeriesDeps,
  writer: Writer,
  request: SeriesChangeRequest,
): Promise<WriteResult> {
  const { userId, key } = writer;
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    try {
      const { written, wrote } = await deps.openSeries(userId, request.id, key?.key ?? null, async (series) => {
        if (series.kept !== null && key !== null)
          return { written: { answer: await replayOf(series.kept, key), replayed: true }, wrote: false };
        const { rows } = series;
        if (rows === null || (rows.target.deleted_at !== null && !request.seesDeleted)) throw notFound(request.id);
        const { target } = rows;
        const template = request.of === "template" ? target : rows.template;
        const isAlone = template === null || (request.of === "occurrence" && target.template_id === null);
        if (isAlone && target.deleted_at !== null) throw notFound(request.id);
        if (isAlone) throw new Problem("TASK_HAS_NO_SERIES", target.is_recurring_template ? namesTemplate : undefined);
        const isStale = !matches(request.ifMatch, target.version);
        if (isStale && target.deleted_at === null) throw staleError(target);
        const now = deps.now();
        const decided = request.decide({ ...rows, template }, now);
        // Of a tombstone the same deletion sent again is let through: it finds nothing left to do.
        if (isStale && decided.writes.length > 0) throw staleError(target);
        const answer = request.answer(decided.row);
        const writes: (RowWithEvent & Readonly<{ encoded: OutboxRow }>)[] = [];
        for (const write of decided.writes)
          writes.push({ ...write, encoded: await deps.encode(write.event, { ...writer, now }) });
        await series.store(writes, key === null ? null : { ...key, answer });
        return { written: { answer, replayed: false, events: writes.length }, wrote: writes.length > 0 };
      });
      if (wrote) deps.notify();
      if (wrote) deps.quota.forget(userId);
      return written;
    } catch (error) {
      // Lost against another change of the same rows, or against the same request sent twice: looked at again from the
      // start.
      if (!isRace(error)) throw error;
    }
  }
  throw new Problem("UNAVAILABLE", "The series is being changed by too many at once", { retryAfterSeconds: 1 });
}

/** A deadlock, or a unique key that another transaction took first. */
export function isRace(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "40P01" || error.code === "23505");
}
