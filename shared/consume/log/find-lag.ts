import type { Admin, PartitionOffset } from "../../messages/broker.ts";
import { partitionName } from "../member/partition-name.ts";

type Lag = Readonly<{
  /** Positions beyond which there are records. */
  unread: readonly PartitionOffset[];
  /** Positions the broker knows of an older commit of: a late one of an earlier member has moved it back. */
  movedBack: readonly PartitionOffset[];
}>;

/**
 * Compares what a member has settled with the logs and with the group's commits. Rejects when the broker does not
 * answer.
 */
export async function findLag(
  admin: Pick<Admin, "offsets" | "committed" | "nextRecord">,
  group: string,
  positions: readonly PartitionOffset[],
): Promise<Lag> {
  const unread: PartitionOffset[] = [];
  for (const topic of new Set(positions.map((at) => at.topic))) {
    const ends = await admin.offsets(topic, "end");
    const behind = positions.filter((at) => at.topic === topic && (ends.get(at.partition) ?? 0n) > at.offset);
    // There may be nothing but markers up to the end.
    for (const at of behind) if ((await admin.nextRecord(at)) < (ends.get(at.partition) ?? 0n)) unread.push(at);
  }
  if (unread.length > 0) return { unread, movedBack: [] };
  const committed = new Map((await admin.committed(group)).map((at) => [partitionName(at), at.offset]));
  const movedBack = positions.filter((at) => (committed.get(partitionName(at)) ?? at.offset) < at.offset);
  return { unread, movedBack };
}
