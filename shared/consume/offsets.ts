import type { PartitionOffset, TopicPartition } from "../broker.ts";
import type { Owned } from "./guard.ts";
import { partitionName } from "./partition-name.ts";

/** A record on its way: `finish` once its fate is durable, `isOwned` until its partition is lost. */
export type Tracked = Readonly<{ finish: () => void; isOwned: () => boolean }>;

type Progress = {
  at: TopicPartition;
  next: bigint;
  finished: Set<bigint>;
  /** When each unfinished record was taken, by `performance.now()`. */
  taken: Map<bigint, number>;
  committed: bigint;
  owned: boolean;
};

/**
 * How far each owned partition may be committed: up to the first record whose fate is not durable yet, whatever finished
 * behind it. Offsets of a partition must be tracked in order and without gaps. `onFinished` is told after each finish.
 */
export function makeOffsets(onFinished: () => void = () => {}) {
  const owned = new Map<string, Progress>();
  return {
    acquire: ({ topic, partition, committed }: Owned) => {
      const at = { topic, partition };
      owned.set(partitionName(at), {
        at,
        next: committed,
        finished: new Set(),
        taken: new Map(),
        committed,
        owned: true,
      });
    },
    /** What still runs of a lost partition finishes without being committed: its new owner reads it again and finds it in the inbox. */
    lose: (at: TopicPartition) => {
      const progress = owned.get(partitionName(at));
      if (progress !== undefined) progress.owned = false;
      owned.delete(partitionName(at));
    },
    track: (at: TopicPartition, offset: bigint): Tracked => {
      const progress = owned.get(partitionName(at));
      if (progress === undefined) throw new Error(`${partitionName(at)} is not owned`);
      progress.taken.set(offset, performance.now());
      return {
        isOwned: () => progress.owned,
        finish: () => {
          progress.taken.delete(offset);
          progress.finished.add(offset);
          while (progress.finished.delete(progress.next)) progress.next += 1n;
          onFinished();
        },
      };
    },
    /** Where commits would move something. */
    due: (): readonly PartitionOffset[] =>
      [...owned.values()]
        .filter(({ next, committed }) => next > committed)
        .map(({ at, next }) => ({ ...at, offset: next })),
    /** Records whose fate is durable and whose commit is not. */
    behind: (): number => [...owned.values()].reduce((sum, { next, committed }) => sum + Number(next - committed), 0),
    /** For how many ms the oldest unfinished record of each partition has been waiting; 0 where nothing does. */
    headAges: (): readonly Readonly<{ at: TopicPartition; ms: number }>[] =>
      [...owned.values()].map(({ at, next, taken }) => {
        const since = taken.get(next);
        return { at, ms: since === undefined ? 0 : performance.now() - since };
      }),
    committed: (offsets: readonly PartitionOffset[]) => {
      for (const one of offsets) {
        const progress = owned.get(partitionName(one));
        if (progress !== undefined && one.offset > progress.committed) progress.committed = one.offset;
      }
    },
    /** The next offset to be committed of every owned partition. */
    positions: (): readonly PartitionOffset[] => [...owned.values()].map(({ at, next }) => ({ ...at, offset: next })),
  };
}
export type Offsets = ReturnType<typeof makeOffsets>;
