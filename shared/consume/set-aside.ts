import type { Fetched } from "../broker.ts";
import type { Log } from "../log.ts";
import { backoff, sleep } from "../wait.ts";
import { classify, isConflict, type FailureClass } from "./classify.ts";
import type { Attempt } from "./dead-letter.ts";
import { fingerprint } from "./fingerprint.ts";
import type { FloodGuard } from "./flood-guard.ts";
import type { Keyed } from "./parked-queue.ts";
import type { ParkAt } from "./park.ts";
import { nextTry, throttleMs } from "./retry-tiers.ts";

/** A message that has failed, and how. */
export type Failed = Readonly<{
  record: Fetched;
  /** Whose it is, where the message could be read. */
  userId: string | null;
  class: FailureClass;
  error: unknown;
  attempts: readonly Attempt[];
}>;

export type SetAside = Readonly<{
  record: Fetched;
  userId: string | null;
  /** What the first try failed with. */
  error: unknown;
  /** Handles the message once more, alone. */
  again: () => Promise<void>;
}>;

/** Retries of an unknown failure, at a random moment within each: 2 s in all. */
const unknownTiersMs = [100, 500, 1_400];
const maxConflicts = 20;
/** What was told to come back later than this is parked meanwhile. */
const maxThrottleMs = 2_000;

/**
 * The one place a failed message goes. Settles when the message's fate is durable: handled after all, its key parked, or buried as
 * a dead letter. `permanent` and `invalid` get one confirming retry, `unknown` three within 2 s, deadlocks twenty at once; then a
 * flood of alike failures holds it. `bury`, `park` and `again` wait out what is down by themselves. Rejects when the role stops
 * before that, or with what `bury` and `park` reject with.
 */
export function makeSetAside(
  of: Readonly<{
    bury: (failed: Failed) => Promise<void>;
    park: (failed: Failed & Readonly<{ record: Keyed }>, at: ParkAt) => Promise<void>;
    flood: Pick<FloodGuard, "hold">;
    tiersMs: readonly number[];
    isFatal: (error: unknown) => boolean;
    retried: (failure: FailureClass) => void;
    log: Log;
    now: () => Date;
    stop: AbortSignal;
  }>,
) {
  return async ({ record, userId, error: first, again }: SetAside): Promise<"handled" | "parked" | "dead"> => {
    const attempts: Attempt[] = [];
    const spent = { confirming: 0, unknown: 0, conflicts: 0 };
    for (let error = first; ;) {
      if (of.isFatal(error) || of.stop.aborted) throw error;
      const failure = classify(error);
      attempts.push(attemptOf(of.now(), failure, error));
      of.log.warn("message_failed", { ...positionOf(record), class: failure, attempt: attempts.length, error });
      const waitMs = nextWait(spent, failure, error);
      if (waitMs === null) {
        const held = {
          key: `${record.topic}/${record.key}`,
          mark: `${failure} ${fingerprint(failure, error)}`,
          again,
          isFatal: of.isFatal,
        };
        if (failure !== "throttled" && (await of.flood.hold(held))) return "handled";
        if (of.stop.aborted) throw error;
        return seal({ record, userId, class: failure, error, attempts });
      }
      of.retried(failure);
      await sleep(waitMs, of.stop);
      try {
        await again();
        return "handled";
      } catch (next) {
        error = next;
      }
    }
  };

  async function seal(failed: Failed): Promise<"parked" | "dead"> {
    const { record } = failed;
    // What is hopeless has been confirmed by now. What has no key has nothing to wait behind it.
    const next = nextTry({ ...failed, attempts: 0, before: failed.class }, of.tiersMs);
    if (next === null || record.key === null) {
      await of.bury(failed);
      return "dead";
    }
    await of.park({ ...failed, record: { ...record, key: record.key } }, next);
    return "parked";
  }
}

type Spent = { confirming: number; unknown: number; conflicts: number };

/** How long to wait before trying once more, `null` when enough was tried in process. Counts what it grants. */
function nextWait(spent: Spent, failure: FailureClass, error: unknown): number | null {
  if (isConflict(error) && spent.conflicts < maxConflicts) return backoff(spent.conflicts++, { baseMs: 2, maxMs: 100 });
  if (failure === "permanent" || failure === "invalid") return spent.confirming++ === 0 ? 0 : null;
  const tier = unknownTiersMs[spent.unknown++];
  if (tier === undefined) return null;
  if (failure !== "throttled") return Math.random() * tier;
  const told = throttleMs(error);
  return told > maxThrottleMs ? null : told;
}

/** One try, for the story of a message. */
export function attemptOf(at: Date, failure: FailureClass, error: unknown): Attempt {
  const text = error instanceof Error ? error.message : String(error);
  // Postgres keeps no NUL in json.
  return { at, class: failure, error: text.slice(0, 200).replaceAll("\0", "\u{fffd}").toWellFormed() };
}

export function positionOf({ topic, partition, offset, key }: Fetched) {
  return { topic, partition, offset, key };
}
