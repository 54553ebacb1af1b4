import type { DueRows, Wakeup } from "./due-rows.ts";
import type { Wakeups } from "./wakeups.ts";

/** Only what is due within an hour is in Redis: a delayed job takes 1.1 KB there. */
const horizonMs = 60 * 60 * 1000;
const batchSize = 500;

/**
 * Stores the wake-ups of every unarmed row within the horizon, nearest first; returns how many. `rebuild` does it for
 * those armed in an earlier epoch too. The next batch is claimed and sent while the last one is being stored. A claim
 * whose wake-ups could not be stored is taken back and the error thrown; one whose process died in between is left to
 * the sweeper.
 */
export async function fillHorizon({
  rows,
  wakeups,
  epoch,
  rebuild,
  databaseNow,
  signal,
}: Readonly<{
  rows: Pick<DueRows, "claim" | "release">;
  wakeups: Pick<Wakeups, "store">;
  epoch: number;
  rebuild: boolean;
  databaseNow: () => number;
  signal: AbortSignal;
}>): Promise<number> {
  const which = rebuild ? "of-earlier-epochs" : "unarmed";
  let stored = 0;
  const store = async (batch: readonly Wakeup[]) => {
    try {
      await wakeups.store(batch, databaseNow());
      stored += batch.length;
    } catch (error) {
      await rows.release(batch, epoch);
      throw error;
    }
  };
  // Claimed rows stay in the index that is read, so each claim begins where the last one ended.
  let from: Date | null = null;
  let storing = Promise.resolve();
  while (!signal.aborted) {
    const batch: readonly Wakeup[] = await rows.claim({ which, epoch, from, withinMs: horizonMs, limit: batchSize });
    const last = batch.at(-1);
    if (last === undefined && from === null) break;
    // At the end once more from the start, for rows that were locked or came meanwhile.
    from = last === undefined ? null : last.dueAt;
    if (last === undefined) continue;
    const before = storing;
    storing = store(batch);
    // It is awaited after the next one has been sent; until then its failure must not count as unhandled.
    storing.catch(() => {});
    await before;
  }
  await storing;
  return stored;
}
