import { Problem } from "../../shared/problem.ts";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import type { Message } from "../../shared/messages/message.ts";
import { decideDelete } from "./decide-task.ts";
import type { TaskRow } from "./task-row.ts";

/** A series as the table has it when one of its occurrences is addressed. */
export type SeriesRows = Readonly<{
  template: TaskRow;
  /** The occurrence addressed. */
  target: TaskRow;
  /** Its occurrences that are open and not deleted, the one addressed among them if it is. */
  open: readonly TaskRow[];
  /**
   * The local starts that the series is through with, done, deleted or skipped, after the last recurrence before the
   * one addressed; at most
   * 367. Between the two lie those of an earlier schedule.
   */
  closedPlaces: readonly string[];
  /** Where the template is deleted: its occurrences that were deleted at the same moment. */
  deletedWith: readonly TaskRow[];
  /** Where the occurrence addressed is deleted: the tasks that may have taken its place, see `readRivals`. */
  rivals: readonly TaskRow[];
}>;

/** A row to be written with the event that tells it; version 1 is a new task. */
export type RowWithEvent = Readonly<{ row: TaskRow; event: Message }>;

/** What becomes of a series, in the order it is to be told; `row` is what the answer shows. */
export type SeriesDecision = Readonly<{ writes: readonly RowWithEvent[]; row: TaskRow }>;

/** A rule over a series: pure. Throws INVALID_REQUEST, TASK_DELETED and TASK_COMPLETED for what cannot be. */
export type DecideSeriesChange = (rows: SeriesRows, now: Date) => SeriesDecision;

/** The local start an occurrence stands for. */
export function placeOf({ recurrence_id }: Pick<TaskRow, "recurrence_id">): string {
  return plainId(recurrence_id ?? "");
}

/** The other open occurrences that come after the one addressed. */
export function laterThan({ target, open }: SeriesRows): readonly TaskRow[] {
  return open.filter((row) => row.id !== target.id && placeOf(row) > placeOf(target));
}

/** Those decisions that are changes. */
export function writesOf(
  decisions: readonly Readonly<{ row: TaskRow; event: Message | null }>[],
): readonly RowWithEvent[] {
  return decisions.flatMap(({ row, event }) => (event === null ? [] : [{ row, event }]));
}

export function deletions(rows: readonly TaskRow[], now: Date): readonly RowWithEvent[] {
  return writesOf(rows.map((row) => decideDelete(row, now)));
}

/** The pattern of a template that can still make occurrences. */
export function livePattern({ template }: SeriesRows): string {
  if (template.deleted_at !== null) throw new Problem("TASK_DELETED", "The template of the series was deleted");
  if (template.recurrence_pattern === null)
    throw new Problem("TASK_HAS_NO_SERIES", "The template of this occurrence is no template any more");
  return template.recurrence_pattern;
}
