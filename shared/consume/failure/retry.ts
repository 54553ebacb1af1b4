import { backoff } from "../../waiting/wait.ts";
import { isConflict, retryAfterSeconds, type FailureClass } from "./classify.ts";

// When a failed message is tried again: in process first, for 2 s at most, then by tiers, its key parked meanwhile.

/** Retries in process of an unknown failure, at a random moment within each: 2 s in all. */
const unknownTiersMs = [100, 500, 1_400];
/** A throttled message that has to wait longer than this is parked meanwhile. */
const longestInProcessMs = 2_000;
const longestThrottleMs = 3_600_000;
/**
 * Tries after deadlocks. A handler's follow one another soon; parking and dead letters can wait longer, so that others
 * finish.
 */
const maxConflicts = 20;
const conflictPaces = { handling: { baseMs: 2, maxMs: 100 }, fate: { baseMs: 5, maxMs: 500 } } as const;

/** How long to wait after so many conflicts before trying once more, `null` when enough was tried. */
export function conflictWait(conflicts: number, what: keyof typeof conflictPaces): number | null {
  return conflicts < maxConflicts ? backoff(conflicts, conflictPaces[what]) : null;
}

/**
 * Counts the tries of one message in the process. The function returns how long to wait before the next, `null` when
 * enough was tried: twenty conflicts, one confirmation of `permanent` or `invalid`, three tries of the rest.
 * `throttled` waits as long as it was told.
 */
export function makeTries(): (failure: FailureClass, error: unknown) => number | null {
  const spent = { confirming: 0, unknown: 0, conflicts: 0 };
  return (failure, error) => {
    const conflict = isConflict(error) ? conflictWait(spent.conflicts, "handling") : null;
    if (conflict !== null) {
      spent.conflicts += 1;
      return conflict;
    }
    if (isHopeless(failure)) return spent.confirming++ === 0 ? 0 : null;
    const tier = unknownTiersMs[spent.unknown++];
    if (tier === undefined) return null;
    if (failure !== "throttled") return Math.random() * tier;
    const told = throttleMs(error);
    return told > longestInProcessMs ? null : told;
  };
}

/** How long a message that failed waits for its next try, after each: 5 s, 30 s, 2 min, 10 min, 1 h. */
export const defaultTiersMs: readonly number[] = [5_000, 30_000, 120_000, 600_000, 3_600_000];

type NextTry = Readonly<{ delayMs: number; attempts: number }>;

/**
 * When a parked message is tried next after a failed try; `null` when enough was tried. Full jitter: at a random moment
 * of its tier, so within 5 s after the first failure, within 30 s after the second, within 1 h after the fifth.
 * `permanent` and `invalid` are tried once more, at once. `throttled` waits as long as it was told, and that counts as
 * no try.
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
): NextTry | null {
  const attempts = failed.attempts + 1;
  if (isHopeless(failed.class))
    return failed.before !== null && isHopeless(failed.before) ? null : { delayMs: 0, attempts };
  if (failed.class === "throttled") return { delayMs: throttleMs(failed.error), attempts: failed.attempts };
  const tier = tiersMs[attempts - 1];
  return tier === undefined ? null : { delayMs: random() * tier, attempts };
}

/** How long a throttled message waits: as told, from 1 s to 1 h. */
function throttleMs(error: unknown): number {
  return Math.min(longestThrottleMs, Math.max(1_000, (retryAfterSeconds(error) ?? 1) * 1_000));
}

function isHopeless(failure: string): boolean {
  return failure === "permanent" || failure === "invalid";
}
