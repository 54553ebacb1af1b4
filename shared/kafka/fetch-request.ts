/**
 * A fetch of several partitions from one broker. `waitMs` is how long the broker holds it when nothing is there; it
 * answers at once when something comes. Sizes are of compressed bytes and bound the memory: 4 MiB of zstd was measured
 * at 500 MB. `epochs` are of the leaders that wrote the last records read: where its log leaves the one they are of,
 * the broker says so and gives no records.
 */
export function fetchRequest(
  node: number,
  topicId: string,
  offsets: ReadonlyMap<number, bigint>,
  waitMs: number,
  partitionMaxBytes: number = 256 << 10,
  epochs: ReadonlyMap<number, number> = new Map(),
) {
  return {
    node,
    maxWaitTime: waitMs,
    minBytes: 1,
    maxBytes: 1 << 20,
    // Committed records only: what comes of it goes through `emptyAborted`.
    isolationLevel: 1 as const,
    topics: [
      {
        topicId,
        partitions: [...offsets].map(([partition, fetchOffset]) => ({
          partition,
          fetchOffset,
          partitionMaxBytes,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: epochs.get(partition) ?? -1,
        })),
      },
    ],
  };
}
