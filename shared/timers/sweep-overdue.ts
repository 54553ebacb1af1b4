import type { DueRows, Wakeup } from "./due-rows.ts";
import { batchSize, type Firer } from "./fire-when-due.ts";

/**
 * Rows this much overdue have been missed by their wake-up; younger ones are likely being fired right now. While a herd waits
 * its turn here more patience pays: the sweeper would ask for the very rows that are in line (40 % of a herd of 10,000).
 */
const graceMs = { usual: 250, inHerd: 2_000 };

/**
 * Fires every overdue row once, oldest first. It goes on past rows that do not fire, so one that never can does not hide
 * those behind it. Stops early, between batches, when `signal` is aborted.
 */
export async function sweepOverdue(
  rows: Pick<DueRows, "overdue">,
  firer: Pick<Firer, "fireNow" | "waiting">,
  signal: AbortSignal,
): Promise<void> {
  let after: Wakeup | null = null;
  while (!signal.aborted) {
    const patience = firer.waiting() >= batchSize ? graceMs.inHerd : graceMs.usual;
    const batch: readonly Wakeup[] = await rows.overdue({ graceMs: patience, after, limit: batchSize });
    if (batch.length > 0) await firer.fireNow(batch);
    after = batch.at(-1) ?? null;
    if (batch.length < batchSize) return;
  }
}
