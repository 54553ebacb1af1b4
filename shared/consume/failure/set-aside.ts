import type { FetchedRecord } from "../../messages/broker.ts";
import type { Log } from "../../role/log.ts";
import { sleep } from "../../waiting/wait.ts";
import { classify, type FailureClass } from "./classify.ts";
import type { Attempt } from "../dead-letters/dead-letter.ts";
import { attemptOf, positionOf, type FailedMessage } from "./failed.ts";
import { fingerprint } from "./fingerprint.ts";
import type { FloodGuard } from "./flood-guard.ts";
import type { RecordWithKey } from "../parking/parked-queue.ts";
import type { ParkAt } from "../parking/park.ts";
import { makeTries, nextTry } from "./retry.ts";

export type SetAside = Readonly<{
  record: FetchedRecord;
  userId: string | null;
  /** What the first try failed with. */
  error: unknown;
  /** Handles the message once more, alone. */
  again: () => Promise<void>;
}>;

/**
 * Decides the fate of a message that failed, and settles when that fate is durable: handled after all, its key parked,
 * or a dead letter. `permanent` and `invalid` are tried once more. `unknown` is tried three times within 2 s: at a
 * random moment of the first 0.1 s, then of 0.5 s, then of 1.4 s. A deadlock is tried twenty times, from 2 to 100 ms
 * apart. After that a flood may hold the message. `giveUp`, `park` and `again` wait by themselves while Postgres or the
 * registry is down. Rejects when the role stops before, or with what `giveUp` and `park` reject with.
 */
export function makeSetAside(
  of: Readonly<{
    giveUp: (failed: FailedMessage) => Promise<void>;
    park: (failed: FailedMessage & Readonly<{ record: RecordWithKey }>, at: ParkAt) => Promise<void>;
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
    const nextWait = makeTries();
    for (let error = first; ;) {
      if (of.isFatal(error) || of.stop.aborted) throw error;
      const failure = classify(error);
      attempts.push(attemptOf(of.now(), failure, error));
      of.log.warn("message_failed", { ...positionOf(record), class: failure, attempt: attempts.length, error });
      const waitMs = nextWait(failure, error);
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

  async function seal(failed: FailedMessage): Promise<"parked" | "dead"> {
    const { record } = failed;
    // `permanent` and `invalid` were confirmed by now. Nothing queues behind a message without a key: not parked.
    const next = nextTry({ ...failed, attempts: 0, before: failed.class }, of.tiersMs);
    if (next === null || record.key === null) {
      await of.giveUp(failed);
      return "dead";
    }
    await of.park({ ...failed, record: { ...record, key: record.key } }, next);
    return "parked";
  }
}
