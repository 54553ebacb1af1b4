import type { RequestKey } from "../../../shared/http/request-key.ts";
import { insertOutbox, type OutboxRow } from "../../../shared/outbox/outbox.ts";
import type { Db, Tx } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import { readToldFloor } from "../../../shared/postgres/told-floor.ts";
import type { KeptTaskAnswer, TaskAnswer } from "../answer.ts";
import { readKept } from "../read-tasks.ts";
import { insertAnswer } from "../store-change.ts";
import { storeCreates, type Creation } from "../store-creates.ts";
import { updateRows, updateStates } from "../store-rows.ts";
import { rowColumns, rowOf, type RawRow, type TaskRow } from "../task-row.ts";

/** What a batch writes. */
type BatchWrites = Readonly<{
  /** New tasks with their events, as they were made. */
  creations: readonly Creation[];
  /** The newest row of each task that a patch changed; those made by this batch are in `creations` too. */
  patched: readonly TaskRow[];
  /** The same of those that were only completed, reopened or deleted. */
  restated: readonly TaskRow[];
  /** The events of the changes, in order. */
  events: readonly OutboxRow[];
  /** `null` for a request without an Idempotency-Key. */
  keep: (RequestKey & Readonly<{ answer: TaskAnswer }>) | null;
}>;

/** The tasks of a batch, locked. */
type LockedBatch = Readonly<{
  /** The answer under the key of the request, if there is one by now. */
  kept: KeptTaskAnswer | null;
  /** Those of the ids that the user has, tombstones too, by id. */
  rows: readonly TaskRow[];
  /** See `TaskSnapshot`. */
  floor: number;
  /** Writes all of it. Rejects with a unique violation where another request took the key meanwhile. */
  store: (writes: BatchWrites) => Promise<void>;
}>;

export type OpenBatch = <T>(
  userId: string,
  asked: Readonly<{ ids: readonly string[]; key: string | null }>,
  work: (batch: LockedBatch) => Promise<T>,
) => Promise<T>;

/** A batch of 500 takes some 0.1 s; the rest is for waiting for locks. */
const deadlineMs = 10_000;
const createsAtOnce = 250;
/** What the tasks of a batch may have before it; 500 full ones would be 35 MB to read, and to answer. */
const maxTextBytes = 2_000_000;

/**
 * Runs `work` in a transaction that holds the named tasks of the user, locked in id order, so that two batches cannot
 * wait for each other. However many operations there are, it writes by at most six statements: two for creates, two for
 * changed rows, one for their events, one for the answer. Throws INVALID_REQUEST where the tasks have too much text.
 */
export function openBatch(db: Pick<Db, "transaction">): OpenBatch {
  return (userId, { ids, key }, work) =>
    db.transaction(
      async (tx) => {
        const rows = ids.length === 0 ? [] : await lockOwn(tx, userId, ids);
        const floor = await readToldFloor(tx);
        const kept = key === null ? null : await readKept({ sql: tx })(userId, key);
        return await work({
          kept,
          rows,
          floor,
          store: async ({ creations, patched, restated, events, keep }) => {
            for (let at = 0; at < creations.length; at += createsAtOnce)
              await storeCreates({ sql: tx })(creations.slice(at, at + createsAtOnce));
            await updateRows(tx, patched);
            await updateStates(tx, restated);
            await insertOutbox(tx, events);
            if (keep !== null) await insertAnswer(tx, userId, keep, keep.answer);
          },
        });
      },
      { deadlineMs },
    );
}

/** Their locks are taken before the text is read, of which there may be 60 kB in each. */
async function lockOwn(tx: Tx, userId: string, ids: readonly string[]): Promise<readonly TaskRow[]> {
  const locked = await tx<{ id: string; bytes: number }[]>`
    select id, octet_length(title) + coalesce(octet_length(description), 0) + octet_length(array_to_string(tags, ''))
      + coalesce(octet_length(recurrence_pattern), 0) as bytes
    from tasks
    where id = any(${ids}::uuid[]) and user_id = ${userId}
    order by id
    for update`;
  if (locked.reduce((sum, { bytes }) => sum + bytes, 0) > maxTextBytes) {
    const message = `name tasks that have more than ${maxTextBytes} bytes of text together: send fewer at once`;
    throw new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path: "/operations", message }] });
  }
  const rows = await tx<RawRow[]>`
    select ${tx.unsafe(rowColumns)} from tasks where id = any(${locked.map(({ id }) => id)}::uuid[])`;
  return rows.map(rowOf);
}
