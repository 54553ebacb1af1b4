import type { Offsets } from "./offsets.ts";
import { partitionName } from "./partition-name.ts";
import { makeWatchdog } from "./watchdog.ts";

type WatchPartitions = Readonly<{
  offsets: Offsets;
  stuckMs: number;
  /** The number of the lane that items of this key go to. */
  laneOf: (key: string) => number;
  /** Counts a lane's handlers that have come to an end. */
  tries: (lane: number) => number;
  /** Whether it is no wonder that a partition stands still whose next record is in this lane; in none yet: `null`. */
  isExcused: (partition: string, lane: number | null) => boolean;
}>;

/** A watchdog for each owned partition, so that one that stands still is seen while others move. */
export function makeWatchPartitions({ offsets, stuckMs, laneOf, tries, isExcused }: WatchPartitions) {
  const watchdogs = new Map<string, ReturnType<typeof makeWatchdog>>();
  return {
    /** The positions of those that have not moved for `stuckMs`, though their lane may have tried. */
    still: (at: number) =>
      offsets.heads().filter((head) => {
        const name = partitionName(head);
        const watchdog = watchdogs.get(name) ?? makeWatchdog(stuckMs);
        watchdogs.set(name, watchdog);
        const lane = head.lane === null ? null : laneOf(head.lane);
        const signature = `${head.offset} ${lane === null ? "" : tries(lane)}`;
        return watchdog.isSuspicious(at, signature, isExcused(name, lane));
      }),
    /** There was nothing to do there, or it has just been acquired: the time counts anew. */
    reset: (partition: string) => void watchdogs.delete(partition),
  };
}
