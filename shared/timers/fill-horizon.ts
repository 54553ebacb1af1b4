import type { DueRows } from "./due-rows.ts";
import type { Wakeups } from "./wakeups.ts";

/** Only what is due within an hour is in Redis: a delayed job takes 1.1 KB there. */
export const horizonMs = 60 * 60 * 1000;
const batchSize = 500;

/**
 * Stores the wake-ups of every unarmed row within the horizon, nearest first; returns how many. `rebuild` does it for those
 * armed in an earlier epoch too. A claim whose wake-ups could not be stored is taken back and the error thrown; one whose
 * process died in between is left to the sweeper.
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
  while (!signal.aborted) {
    const batch = await rows.claim({ which, epoch, withinMs: horizonMs, limit: batchSize });
    if (batch.length === 0) break;
    try {
      await wakeups.store(batch, databaseNow());
    } catch (error) {
      await rows.release(batch, epoch);
      throw error;
    }
    stored += batch.length;
  }
  return stored;
}
