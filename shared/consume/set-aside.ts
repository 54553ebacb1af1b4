import type { Log } from "../log.ts";
import { backoff, sleep } from "./wait.ts";
import { classify, isConflict, retryAfterSeconds, type FailureClass } from "./classify.ts";
import type { Attempt } from "./dead-letter.ts";
import type { Fetched } from "../broker.ts";

export type Buried = Readonly<{ record: Fetched; class: FailureClass; error: unknown; attempts: readonly Attempt[] }>;

export type SetAside = Readonly<{
  record: Fetched;
  /** What the first try failed with. */
  error: unknown;
  /** Handles the message once more, alone. */
  again: () => Promise<void>;
}>;

/** Retries of an unknown failure, at a random moment within each: 2 s in all. */
const unknownTiersMs = [100, 500, 1_400];
const maxConflicts = 20;
const maxThrottles = 10;
const maxThrottleMs = 60_000;

/**
 * The one place a failed message goes. Settles when the message's fate is durable: handled after all, or buried as a dead letter.
 * `permanent` and `invalid` get one confirming retry, `unknown` three within 2 s, deadlocks twenty at once, `throttled` ten as told.
 * `bury` and `again` wait out what is down by themselves. Rejects when the role stops before that, or with what `bury` rejects with.
 */
export function makeSetAside(
  of: Readonly<{
    bury: (buried: Buried) => Promise<void>;
    isFatal: (error: unknown) => boolean;
    retried: (failure: FailureClass) => void;
    log: Log;
    now: () => Date;
    stop: AbortSignal;
  }>,
) {
  return async ({ record, error: first, again }: SetAside): Promise<void> => {
    const attempts: Attempt[] = [];
    const spent = { confirming: 0, unknown: 0, conflicts: 0, throttles: 0 };
    for (let error = first; ;) {
      if (of.isFatal(error) || of.stop.aborted) throw error;
      const failure = classify(error);
      attempts.push({
        at: of.now(),
        class: failure,
        error: error instanceof Error ? error.message.slice(0, 200) : String(error),
      });
      of.log.warn("message_failed", { ...positionOf(record), class: failure, attempt: attempts.length, error });
      const waitMs = nextWait(spent, failure, error);
      if (waitMs === null) return of.bury({ record, class: failure, error, attempts });
      of.retried(failure);
      await sleep(waitMs, of.stop);
      try {
        return await again();
      } catch (next) {
        error = next;
      }
    }
  };
}

type Spent = { confirming: number; unknown: number; conflicts: number; throttles: number };

/** How long to wait before trying once more, `null` when enough was tried. Counts what it grants. */
function nextWait(spent: Spent, failure: FailureClass, error: unknown): number | null {
  if (isConflict(error) && spent.conflicts < maxConflicts) return backoff(spent.conflicts++, { baseMs: 2, maxMs: 100 });
  if (failure === "throttled" && spent.throttles < maxThrottles) {
    const told = retryAfterSeconds(error);
    return told === null
      ? backoff(spent.throttles++, { baseMs: 250, maxMs: 5_000 })
      : (spent.throttles++, Math.min(maxThrottleMs, told * 1_000));
  }
  if (failure === "permanent" || failure === "invalid") return spent.confirming++ === 0 ? 0 : null;
  const tier = unknownTiersMs[spent.unknown++];
  return tier === undefined ? null : Math.random() * tier;
}

export function positionOf({ topic, partition, offset, key }: Fetched) {
  return { topic, partition, offset, key };
}
