/**
 * A fetch of several partitions from one broker. `waitMs` is how long the broker holds it when nothing is there; it answers at
 * once when something comes. Sizes are of compressed bytes and bound the memory: 4 MiB of zstd was measured at 500 MB.
 */
export function fetchRequest(
  node: number,
  topicId: string,
  offsets: ReadonlyMap<number, bigint>,
  waitMs: number,
  partitionMaxBytes: number = 256 << 10,
) {
  return {
    node,
    maxWaitTime: waitMs,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 0 as const,
    topics: [
      {
        topicId,
        partitions: [...offsets].map(([partition, fetchOffset]) => ({
          partition,
          fetchOffset,
          partitionMaxBytes,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
        })),
      },
    ],
  };
}
