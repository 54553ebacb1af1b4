import type { Log } from "../role/log.ts";
import type { Db } from "../postgres/db.ts";
import type { GroupName } from "../messages/topics.ts";
import { sleep } from "../waiting/wait.ts";
import { conflictWait } from "./failure/retry.ts";
import { giveUp } from "./dead-letters/give-up.ts";
import { isConflict } from "./failure/classify.ts";
import type { LaneDependency } from "./failure/dependency.ts";
import type { ConsumerMeters } from "./meters.ts";
import { park, type ParkAt } from "./parking/park.ts";
import type { RecordWithKey } from "./parking/parked-queue.ts";
import { positionOf, type FailedMessage } from "./failure/failed.ts";

/**
 * Parks a failed message's key, or makes the message a dead letter, and logs it. Both wait for as long as the database
 * is down, because the message has no other way to go. Deadlocks and serialization failures are tried again, up to
 * twenty times.
 */
export function makeFailureActions(
  of: Readonly<{
    db: Pick<Db, "transaction">;
    group: GroupName;
    epoch: number;
    life: () => string | null;
    dependency: LaneDependency;
    meters: Pick<ConsumerMeters, "dead">;
    /** Called when the outbox has news. */
    notify: () => void;
    /** Called when a queue has news. */
    wake: () => void;
    log: Log;
    now: () => Date;
    stop: AbortSignal;
  }>,
) {
  const { dependency, meters, log } = of;
  const durably = (work: () => Promise<void>) =>
    dependency.await(async () => {
      for (let tries = 0; ; tries++)
        try {
          return await work();
        } catch (error) {
          const waitMs = isConflict(error) ? conflictWait(tries, "fate") : null;
          if (waitMs === null || of.stop.aborted) throw error;
          await sleep(waitMs, of.stop);
        }
    });
  return {
    giveUp: async (failed: FailedMessage) => {
      await durably(() => giveUp(of, failed));
      of.notify();
      meters.dead(failed.class);
      const { record, class: failure, error, attempts } = failed;
      log.error("message_dead", { ...positionOf(record), class: failure, attempts: attempts.length, error });
    },
    park: async (failed: FailedMessage & Readonly<{ record: RecordWithKey }>, at: ParkAt) => {
      await durably(() => park(of, failed, at));
      of.wake();
      log.warn("key_parked", { ...positionOf(failed.record), class: failed.class, delayMs: at.delayMs });
    },
  };
}
