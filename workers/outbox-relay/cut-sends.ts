import { partitionOf } from "../../shared/kafka/partition.ts";
import { defaultPartitions } from "../../shared/messages/topics.ts";
import type { ClaimedMessage } from "./claim.ts";

/** The broker's limit is on the batch of a partition, so a send carries at most this much for each. */
const maxBytesPerPartition = 200_000;

/**
 * Cuts rows into sends, order kept: a new one begins where a partition would get more than `maxBytes`. A row larger
 * than that has its partition to itself. Partitions are guessed with the default count: with more the batches are
 * smaller than allowed, and where they come out too large the broker refuses them and they are halved.
 */
export function cutSends(
  rows: readonly ClaimedMessage[],
  maxBytes = maxBytesPerPartition,
): readonly (readonly ClaimedMessage[])[] {
  const sends: ClaimedMessage[][] = [];
  let bytes = new Map<string, number>();
  for (const row of rows) {
    const partition = `${row.topic}/${partitionOf(row.key, defaultPartitions)}`;
    const sum = (bytes.get(partition) ?? 0) + row.bytes;
    const current = sends.at(-1);
    if (current && (sum <= maxBytes || sum === row.bytes)) {
      current.push(row);
      bytes.set(partition, sum);
    } else {
      sends.push([row]);
      bytes = new Map([[partition, row.bytes]]);
    }
  }
  return sends;
}
