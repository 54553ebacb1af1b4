import type { FailureClass } from "./classify.ts";
import { retryAfterSeconds } from "./classify.ts";

/** How long a message that failed waits for its next try, after each: 5 s, 30 s, 2 min, 10 min, 1 h. */
export const defaultTiersMs: readonly number[] = [5_000, 30_000, 120_000, 600_000, 3_600_000];

const maxThrottleMs = 3_600_000;

export type Next = Readonly<{ delayMs: number; attempts: number }>;

/**
 * What comes after a failed try of a parked message: when it is tried next, or `null` when enough was tried. Full jitter: at any
 * moment of its tier. `permanent` and `invalid` are confirmed once, at once; `throttled` waits as told and spends nothing.
 */
export function nextTry(
  failed: Readonly<{
    class: FailureClass;
    error: unknown;
    /** Tries before this one. */
    attempts: number;
    /** What the one before failed with. */
    before: string | null;
  }>,
  tiersMs: readonly number[],
  random: () => number = Math.random,
): Next | null {
  const attempts = failed.attempts + 1;
  if (isHopeless(failed.class))
    return failed.before !== null && isHopeless(failed.before) ? null : { delayMs: 0, attempts };
  if (failed.class === "throttled") return { delayMs: throttleMs(failed.error), attempts: failed.attempts };
  const tier = tiersMs[attempts - 1];
  return tier === undefined ? null : { delayMs: random() * tier, attempts };
}

/** How long a throttled message waits: as told, from 1 s to 1 h. */
export function throttleMs(error: unknown): number {
  return Math.min(maxThrottleMs, Math.max(1_000, (retryAfterSeconds(error) ?? 1) * 1_000));
}

function isHopeless(failure: string): boolean {
  return failure === "permanent" || failure === "invalid";
}
