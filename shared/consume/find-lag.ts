import type { Admin, PartitionOffset } from "../broker.ts";
import { partitionName } from "./partition-name.ts";

export type Lag = Readonly<{
  /** There are records beyond a position. */
  unread: boolean;
  /** Positions the broker knows of an older commit of: a late one of an earlier member has moved it back. */
  movedBack: readonly PartitionOffset[];
}>;

/** Compares what a member has settled with the logs and with the group's commits. Rejects when the broker does not answer. */
export async function findLag(
  admin: Pick<Admin, "offsets" | "committed">,
  group: string,
  positions: readonly PartitionOffset[],
): Promise<Lag> {
  for (const topic of new Set(positions.map((at) => at.topic))) {
    const ends = await admin.offsets(topic, "end");
    if (positions.some((at) => at.topic === topic && (ends.get(at.partition) ?? 0n) > at.offset))
      return { unread: true, movedBack: [] };
  }
  const committed = new Map((await admin.committed(group)).map((at) => [partitionName(at), at.offset]));
  const movedBack = positions.filter((at) => (committed.get(partitionName(at)) ?? at.offset) < at.offset);
  return { unread: false, movedBack };
}
