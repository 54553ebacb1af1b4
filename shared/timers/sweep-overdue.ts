import type { DueRows, Wakeup } from "./due-rows.ts";
import { batchSize } from "./fire-when-due.ts";

/** Rows this much overdue have been missed by their wake-up; younger ones are likely being fired right now. */
const graceMs = 250;

/**
 * Fires every overdue row once, oldest first. It goes on past rows that do not fire, so one that never can does not hide
 * those behind it. Stops early, between batches, when `signal` is aborted.
 */
export async function sweepOverdue(
  rows: Pick<DueRows, "overdue">,
  fireNow: (batch: readonly Wakeup[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let after: Wakeup | null = null;
  while (!signal.aborted) {
    const batch: readonly Wakeup[] = await rows.overdue({ graceMs, after, limit: batchSize });
    if (batch.length > 0) await fireNow(batch);
    after = batch.at(-1) ?? null;
    if (batch.length < batchSize) return;
  }
}
