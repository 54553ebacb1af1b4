import type { FetchedRecord, PartitionOffset, TopicPartition } from "../../messages/broker.ts";
import { partitionName } from "./partition-name.ts";

/**
 * What to do with a delivered record. Only `take` moves the guard.
 * - `gap`: offsets between the last record and this one were not delivered. The caller asks the log whether it has
 *   records there.
 * - `rewritten`: this offset was read before, and a later leader has written it again: the log was cut off and has
 *   grown since.
 * - `new_leader`: a later leader than that of the last record wrote it. The caller asks whether the log still has the
 *   last record.
 * - `standing`: an operator must say where this partition is read on.
 */
export type GuardVerdict =
  "take" | "not_owned" | "standing" | "stale" | "repeated" | "rewritten" | "new_leader" | "gap";

export type OwnedPartition = TopicPartition & Readonly<{ committed: bigint; leaderEpoch?: number }>;
type BoundedPartition = OwnedPartition & Readonly<{ start: bigint; end: bigint }>;
/** A commit outside its log: records were deleted before they were read, or the log was replaced by a shorter one. */
type OutOfLog = BoundedPartition;

type AssignmentChange = Readonly<{
  acquired: readonly OwnedPartition[];
  lost: readonly TopicPartition[];
  outOfLog: readonly OutOfLog[];
}>;

/**
 * Decides record by record which deliveries count. After a rebalance a client delivers the rest of its old buffer, of
 * lost partitions and of those lost and regained alike. Whoever goes on with the latter, and drops the re-fetched
 * records below as repeated, loses records (56 in one measured run). So a record fetched in a generation before its
 * partition was acquired is stale, whatever its offset.
 */
export function makeGuard() {
  type State = { at: TopicPartition; acquired: number; last: bigint; epoch: number; stands: boolean };
  let owned = new Map<string, State>();
  return {
    assign: ({
      generation,
      partitions,
    }: Readonly<{ generation: number; partitions: readonly BoundedPartition[] }>): AssignmentChange => {
      const before = owned;
      const acquired = partitions.filter((one) => !before.has(partitionName(one)));
      const names = new Set(partitions.map(partitionName));
      const lost = [...before].filter(([name]) => !names.has(name)).map(([, { at }]) => at);
      owned = new Map(
        partitions.map((one) => {
          const name = partitionName(one);
          const at = { topic: one.topic, partition: one.partition };
          const { committed, leaderEpoch: epoch = -1 } = one;
          return [name, before.get(name) ?? { at, acquired: generation, last: committed - 1n, epoch, stands: false }];
        }),
      );
      return {
        acquired,
        lost,
        outOfLog: acquired.filter(({ committed, start, end }) => committed < start || committed > end),
      };
    },
    judge: (record: FetchedRecord): GuardVerdict => {
      const state = owned.get(partitionName(record));
      if (state === undefined) return "not_owned";
      if (state.stands) return "standing";
      if (record.generation < state.acquired) return "stale";
      const { offset, leaderEpoch = -1 } = record;
      if (offset <= state.last) return state.epoch >= 0 && leaderEpoch > state.epoch ? "rewritten" : "repeated";
      if (offset !== state.last + 1n) return "gap";
      if (state.epoch >= 0 && leaderEpoch > state.epoch) return "new_leader";
      state.last = offset;
      state.epoch = leaderEpoch;
      return "take";
    },
    /** The log has nothing before `upTo`: the next record may be that one. */
    pass: (at: TopicPartition, upTo: bigint): void => {
      const state = owned.get(partitionName(at));
      if (state !== undefined && upTo - 1n > state.last) state.last = upTo - 1n;
    },
    /**
     * Offset and leader epoch (-1 if unknown) of the last record taken of an owned partition; at first the one before
     * its commit.
     */
    last: (at: TopicPartition): Readonly<{ offset: bigint; epoch: number }> | null => {
      const state = owned.get(partitionName(at));
      return state === undefined ? null : { offset: state.last, epoch: state.epoch };
    },
    /** The log is the same under the leader of `epoch`. */
    trust: (at: TopicPartition, epoch: number): void => {
      const state = owned.get(partitionName(at));
      if (state !== undefined) state.epoch = epoch;
    },
    /** Takes nothing more of a partition for as long as it is owned. */
    stand: (at: TopicPartition): void => {
      const state = owned.get(partitionName(at));
      if (state !== undefined) state.stands = true;
    },
    /** The owned partitions that are read, and the offset the next record of each must have. */
    positions: (): readonly PartitionOffset[] =>
      [...owned.values()].filter(({ stands }) => !stands).map(({ at, last }) => ({ ...at, offset: last + 1n })),
    /** The offset the next record of an owned partition must have. */
    expects: (at: TopicPartition): bigint | null => {
      const state = owned.get(partitionName(at));
      return state === undefined ? null : state.last + 1n;
    },
  };
}
export type Guard = ReturnType<typeof makeGuard>;
