import { sleep } from "../../shared/waiting/wait.ts";

/** How a long change is kept from getting in the way of live traffic. */
export type ChangePace = Readonly<{
  ratePerSecond: number;
  /** Why to wait, or null to go on; asked before every batch. */
  inTheWay: () => Promise<string | null>;
  /** Told once per wait, with its reason. */
  onWait?: (why: string) => void;
  signal: AbortSignal;
}>;

const recheckMs = 500;

/**
 * Calls `step` with the size of the next batch until it says that nothing is left, at most `ratePerSecond` items a
 * second on average and never while something is in the way. Resolves with false when the signal ended it first.
 */
export async function inBatches(
  { ratePerSecond, inTheWay, onWait, signal }: ChangePace,
  step: (size: number) => Promise<Readonly<{ items: number; more: boolean }>>,
): Promise<boolean> {
  const size = Math.max(1, Math.min(100, Math.ceil(ratePerSecond / 4)));
  while (!signal.aborted) {
    let told = false;
    for (let why = await inTheWay(); why !== null; why = await inTheWay()) {
      if (!told) onWait?.(why);
      told = true;
      await sleep(recheckMs, signal);
      if (signal.aborted) return false;
    }
    const started = performance.now();
    const { items, more } = await step(size);
    if (!more) return true;
    const restMs = (items / ratePerSecond) * 1000 - (performance.now() - started);
    if (restMs > 0) await sleep(restMs, signal);
  }
  return false;
}
