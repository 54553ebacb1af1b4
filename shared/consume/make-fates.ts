import type { Log } from "../log.ts";
import type { Db } from "../postgres/db.ts";
import type { GroupName } from "../topics.ts";
import { bury } from "./bury.ts";
import type { Dependency } from "./dependency.ts";
import type { Meters } from "./meters.ts";
import { park, type ParkAt } from "./park.ts";
import type { Keyed } from "./parked-queue.ts";
import { positionOf, type Failed } from "./set-aside.ts";

/** The two ends a failed message can come to in a lane; both wait out a database that is down, and tell of it. */
export function makeFates(
  of: Readonly<{
    db: Pick<Db, "transaction">;
    group: GroupName;
    epoch: number;
    dependency: Dependency;
    meters: Pick<Meters, "dead">;
    /** Called when the outbox has news. */
    notify: () => void;
    /** Called when a queue has news. */
    wake: () => void;
    log: Log;
    now: () => Date;
  }>,
) {
  const { dependency, meters, log } = of;
  return {
    bury: async (failed: Failed) => {
      await dependency.retry(() => bury(of, failed));
      of.notify();
      meters.dead(failed.class);
      const { record, class: failure, error, attempts } = failed;
      log.error("message_dead", { ...positionOf(record), class: failure, attempts: attempts.length, error });
    },
    park: async (failed: Failed & Readonly<{ record: Keyed }>, at: ParkAt) => {
      await dependency.retry(() => park(of, failed, at));
      of.wake();
      log.warn("key_parked", { ...positionOf(failed.record), class: failed.class, delayMs: at.delayMs });
    },
  };
}
