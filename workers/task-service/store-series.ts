import type { Db } from "../../shared/postgres/db.ts";
import { insertOutbox, type OutboxRow } from "../../shared/outbox/outbox.ts";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import type { RequestKey } from "../../shared/http/request-key.ts";
import type { TaskAnswer, KeptTaskAnswer } from "./answer.ts";
import { lockTask, lockTasks, readKept } from "./read-tasks.ts";
import { parseRecurrencePatternText } from "../../shared/recurrence/recurrence-pattern.ts";
import { lastBefore } from "./cut-pattern.ts";
import { placeUnder } from "./follow-schedule.ts";
import { readRivals } from "./restore/read-rivals.ts";
import { readClosedPlaces } from "./read-closed-places.ts";
import type { SeriesRows } from "./series-rows.ts";
import { insertRows, updateRows } from "./store-rows.ts";
import { keepAnswer } from "./store-change.ts";
import type { TaskRow } from "./task-row.ts";

type Write = Readonly<{ row: TaskRow; encoded: OutboxRow }>;

/** A series locked for one change. */
type LockedSeries = Readonly<{
  /** The answer under the key of the request, if there is one by now. */
  kept: KeptTaskAnswer | null;
  /** `null` where the user has no such task; without a template where it is neither an occurrence nor one itself. */
  rows: (Omit<SeriesRows, "template"> & Readonly<{ template: TaskRow | null }>) | null;
  /** Writes all of it, in order, and keeps the answer. */
  store: (writes: readonly Write[], keep: (RequestKey & Readonly<{ answer: TaskAnswer }>) | null) => Promise<void>;
}>;

/** The last recurrence that a series keeps when it is split at this occurrence; `null` where it keeps none. */
function lastKept(template: TaskRow, target: TaskRow): string | null {
  if (template.recurrence_pattern === null || target.template_id === null) return null;
  const pattern = parseRecurrencePatternText(template.recurrence_pattern);
  return lastBefore(pattern, placeUnder(pattern, target))?.id ?? null;
}

export type OpenSeries = <T>(
  userId: string,
  id: string,
  key: string | null,
  work: (series: LockedSeries) => Promise<T>,
) => Promise<T>;

/**
 * Runs `work` in a transaction that holds the template first, then the task addressed, the open occurrences and all
 * later ones in id order: no occurrence is made for the template, and none of them changes, until it is over.
 */
export function openSeries(db: Pick<Db, "transaction">): OpenSeries {
  return (userId, id, key, work) =>
    db.transaction(async (tx) => {
      const [found] = await tx<{ templateId: string | null; place: string | null }[]>`
        select case when is_recurring_template then id else template_id end as "templateId", recurrence_id as place
        from tasks where id = ${id} and user_id = ${userId}`;
      const template = found?.templateId ? await lockTask(tx, found.templateId) : null;
      // No occurrence comes after a template: of its own only the open ones are locked.
      const place = found?.place === null ? "9999-12-31" : plainId(found?.place ?? "");
      const locked = template === null ? [] : await lockTasks(tx, { template, id, place });
      const target = locked.find((row) => row.id === id) ?? (found === undefined ? null : await lockTask(tx, id));
      const kept = key === null ? null : await readKept({ sql: tx })(userId, key);
      const isMine = target !== null && (template === null || template.user_id === userId);
      const closedPlaces =
        template === null || target === null
          ? []
          : await readClosedPlaces(tx, {
              templateId: template.id,
              after: lastKept(template, target) ?? place,
              but: place,
            });
      const isDeletedWith = ({ template_id, deleted_at }: TaskRow) =>
        template_id !== null && deleted_at !== null && deleted_at.getTime() === template?.deleted_at?.getTime();
      const isOpen = ({ status, deleted_at, template_id }: TaskRow) =>
        status === "open" && deleted_at === null && template_id !== null;
      return await work({
        kept,
        rows: isMine
          ? {
              template,
              target,
              open: locked.filter(isOpen),
              closedPlaces,
              deletedWith: locked.filter(isDeletedWith),
              rivals: await readRivals(tx, target),
            }
          : null,
        store: async (writes, keep) => {
          const rows = writes.map(({ row }) => row);
          const isNew = ({ version }: TaskRow) => version === 1;
          await updateRows(
            tx,
            rows.filter((row) => !isNew(row)),
          );
          await insertRows(tx, rows.filter(isNew));
          await insertOutbox(
            tx,
            writes.map(({ encoded }) => encoded),
          );
          if (keep !== null) await keepAnswer({ sql: tx })(userId, keep, keep.answer);
        },
      });
    });
}
