import type { DueRows, Wakeup } from "./due-rows.ts";
import { batchSize, type Firer } from "./fire-when-due.ts";

/**
 * Rows this much overdue have been missed by their wake-up; younger ones are likely being fired right now. While a herd
 * waits its turn here more patience pays: other instances would be asked for the very rows that are in line.
 */
const graceMs = { usual: 250, inHerd: 2_000 };
const pageSize = 2_000;
/** So many may wait in memory, 20 MB. What is behind them is not seen: among these the owners take turns. */
export const maxWaiting = 50_000;

type SweepResult = Readonly<{ found: number; after: Wakeup | null }>;

/**
 * Queues every overdue row for firing, oldest first, from `after` on. It goes on past rows that do not fire, so one
 * that never can does not hide those behind it. Returns how many were not queued already, and where the next sweep
 * begins: `null` for the start, unless this one stopped because too many wait.
 */
export async function sweepOverdue(
  rows: Pick<DueRows, "overdue">,
  firer: Pick<Firer, "offer" | "waiting">,
  { after, signal }: Readonly<{ after: Wakeup | null; signal: AbortSignal }>,
): Promise<SweepResult> {
  let last = after;
  let found = 0;
  // Asked once: the rows this sweep lines up are no herd to be patient with.
  const patience = firer.waiting() >= batchSize ? graceMs.inHerd : graceMs.usual;
  while (!signal.aborted) {
    if (firer.waiting() >= maxWaiting) return { found, after: last };
    const page = await rows.overdue({ graceMs: patience, after: last, limit: pageSize });
    found += firer.offer(page);
    if (page.length < pageSize) break;
    last = page.at(-1) ?? null;
  }
  return { found, after: null };
}
