import { isDatabaseChange } from "../../postgres/database-change.ts";
import type { FloodGuard } from "../failure/flood-guard.ts";
import { makeSetAside } from "../failure/set-aside.ts";
import { isEpochChange } from "../group-epoch.ts";
import { handleBatch, readRecord, type HandleBatch } from "../handle-batch.ts";
import type { HandlingContext } from "../handling.ts";
import { makeFailureActions } from "../make-failure-actions.ts";
import { makeLaneWork, type LaneWork } from "./work-lane.ts";

/**
 * The work of one lane. It counts its ended handlers, and says whether it is this lane that waits, for a dependency or
 * for a flood to end: the watchdog excuses only partitions whose next record is in a waiting lane.
 */
export function makeLane(handling: HandlingContext & Pick<HandleBatch, "life">, settled: LaneWork["settled"]) {
  const { flood, meters, tiersMs, notify, log, now, ending: stop } = handling;
  const dependency = handling.dependency.ofLane();
  let tries = 0;
  let held = 0;
  const hold: FloodGuard["hold"] = async (failed) => {
    held += 1;
    try {
      return await flood.hold(failed);
    } finally {
      held -= 1;
    }
  };
  const actions = makeFailureActions({ ...handling, dependency, wake: handling.wake.now, stop });
  const common = { giveUp: actions.giveUp, log, now, stop };
  const work = makeLaneWork({
    ...common,
    read: async (record) => (handling.concerns(record.headers) ? readRecord(handling.codec, record) : null),
    handle: async (messages) => {
      const handled = await handleBatch(handling, messages).finally(() => tries++);
      if (handled.derived > 0) notify();
      return handled;
    },
    setAside: makeSetAside({
      ...common,
      park: actions.park,
      flood: { hold },
      tiersMs,
      isFatal: (error) => isEpochChange(error) || isDatabaseChange(error),
      retried: meters.retried,
    }),
    worked: flood.worked,
    settled,
    dependency,
    meters,
  });
  return { work, tries: () => tries, isWaiting: () => held > 0 || dependency.isWaiting() };
}
