import type { Commit, PartitionOffset, TopicPartition } from "../../messages/broker.ts";
import type { OwnedPartition } from "./guard.ts";
import { partitionName } from "./partition-name.ts";

/** A record on its way: `finish` once its fate is durable, `isOwned` until its partition is lost. */
export type TrackedRecord = Readonly<{ finish: () => void; isOwned: () => boolean }>;

type PartitionProgress = {
  at: TopicPartition;
  next: bigint;
  finished: Set<bigint>;
  /** Where the log has nothing, by the first of these offsets: the one after the last. */
  holes: Map<bigint, bigint>;
  /** Each unfinished record: when it was taken, by `performance.now()`, and the key of its lane. */
  taken: Map<bigint, Readonly<{ since: number; lane: string }>>;
  /** From which offset on records have which leader epoch, -1 if nobody knows it; rising, at least one. */
  epochs: readonly Readonly<{ from: bigint; epoch: number }>[];
  stored: bigint;
  committed: bigint;
  owned: boolean;
};

/**
 * How far each owned partition may be committed: up to the first record whose fate is not durable yet, whatever
 * finished behind it. Offsets of a partition must be tracked in order, and holes of the log passed. `onFinished` is
 * told after each finish.
 */
export function makeOffsets(onFinished: () => void = () => {}) {
  const owned = new Map<string, PartitionProgress>();
  return {
    acquire: ({ topic, partition, committed, leaderEpoch = -1 }: OwnedPartition) => {
      const at = { topic, partition };
      owned.set(partitionName(at), {
        at,
        next: committed,
        finished: new Set(),
        holes: new Map(),
        taken: new Map(),
        epochs: [{ from: committed - 1n, epoch: leaderEpoch }],
        stored: committed,
        committed,
        owned: true,
      });
    },
    /**
     * What still runs of a lost partition finishes without being committed: its new owner reads it again and finds it
     * in the inbox.
     */
    lose: (at: TopicPartition) => {
      const progress = owned.get(partitionName(at));
      if (progress !== undefined) progress.owned = false;
      owned.delete(partitionName(at));
    },
    isOwned: (at: TopicPartition): boolean => owned.has(partitionName(at)),
    track: (at: TopicPartition & Readonly<{ leaderEpoch?: number }>, offset: bigint, lane = ""): TrackedRecord => {
      const progress = owned.get(partitionName(at));
      if (progress === undefined) throw new Error(`${partitionName(at)} is not owned`);
      const { leaderEpoch: epoch = -1 } = at;
      if (progress.epochs.at(-1)?.epoch !== epoch) progress.epochs = [...progress.epochs, { from: offset, epoch }];
      progress.taken.set(offset, { since: performance.now(), lane });
      return {
        isOwned: () => progress.owned,
        finish: () => {
          progress.taken.delete(offset);
          progress.finished.add(offset);
          advance(progress);
          onFinished();
        },
      };
    },
    /** The log has nothing from `from` to before `to`: commits go on behind it. */
    pass: (at: TopicPartition, from: bigint, to: bigint): void => {
      const progress = owned.get(partitionName(at));
      if (progress === undefined || to <= from) return;
      progress.holes.set(from, to);
      advance(progress);
      onFinished();
    },
    /** Where commits would move something. */
    due: (): readonly Commit[] =>
      [...owned.values()]
        .filter(({ next, committed }) => next > committed)
        .map((progress) => commitOf(progress, progress.next)),
    /** Records whose fate is durable and whose commit is not. */
    behind: (): number => [...owned.values()].reduce((sum, { next, committed }) => sum + Number(next - committed), 0),
    /** For how many ms the oldest unfinished record of each partition has been waiting; 0 where nothing does. */
    headAges: (): readonly Readonly<{ at: TopicPartition; ms: number }>[] =>
      [...owned.values()].map(({ at, next, taken }) => {
        const head = taken.get(next);
        return { at, ms: head === undefined ? 0 : performance.now() - head.since };
      }),
    /** What of that is on record in the database already. */
    storedDue: (): readonly Commit[] =>
      [...owned.values()]
        .filter(({ stored, committed }) => stored > committed)
        .map((progress) => commitOf(progress, progress.stored)),
    stored: (offsets: readonly PartitionOffset[]) => {
      for (const one of offsets) {
        const progress = owned.get(partitionName(one));
        if (progress !== undefined && one.offset > progress.stored && one.offset <= progress.next)
          progress.stored = one.offset;
      }
    },
    /**
     * Where each owned partition stands, and the lane key of the record that it waits for; `null` where none has been
     * taken.
     */
    heads: (): readonly (PartitionOffset & Readonly<{ lane: string | null }>)[] =>
      [...owned.values()].map(({ at, next, taken }) => ({ ...at, offset: next, lane: taken.get(next)?.lane ?? null })),
    committed: (offsets: readonly PartitionOffset[]) => {
      for (const one of offsets) {
        const progress = owned.get(partitionName(one));
        if (progress === undefined || one.offset <= progress.committed) continue;
        progress.committed = one.offset;
        const { epochs } = progress;
        progress.epochs = epochs.filter((_, n) => (epochs[n + 1]?.from ?? one.offset) >= one.offset);
      }
    },
    /** The next offset to be committed of every owned partition. */
    positions: (): readonly PartitionOffset[] => [...owned.values()].map(({ at, next }) => ({ ...at, offset: next })),
  };
}

/** The commit at this offset, with the leader epoch of the last record before it. */
function commitOf({ at, epochs }: PartitionProgress, offset: bigint): Commit {
  const { epoch = -1 } = epochs.findLast(({ from }) => from < offset) ?? {};
  return epoch < 0 ? { ...at, offset } : { ...at, offset, leaderEpoch: epoch };
}

function advance(progress: PartitionProgress): void {
  for (;;) {
    const behindHole = progress.holes.get(progress.next);
    if (behindHole !== undefined) {
      progress.holes.delete(progress.next);
      progress.next = behindHole;
    } else if (progress.finished.delete(progress.next)) progress.next += 1n;
    else return;
  }
}

export type Offsets = ReturnType<typeof makeOffsets>;
