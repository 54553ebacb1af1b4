import type { Admin, PartitionOffset } from "../../messages/broker.ts";
import { partitionName } from "../member/partition-name.ts";

export type Findings = Readonly<{
  /** Topics that were deleted and made again since the member joined. */
  remade: readonly string[];
  /** Topics that have more partitions than before the member joined. */
  grown: readonly string[];
  /** Positions beyond the end of their log: it was cut off at its end. */
  shortened: readonly (PartitionOffset & Readonly<{ end: bigint }>)[];
  /** Positions at which nothing is being handled, now and the last time, although the log goes on. */
  idle: readonly PartitionOffset[];
}>;

/**
 * Compares what a member has read with its logs as they are now. Both functions reject when the broker does not answer.
 */
export function makeExamineLog(admin: Pick<Admin, "offsets" | "topicId">, topics: readonly string[]) {
  const partitions = new Map<string, number>();
  const ids = new Map<string, string>();
  let idleBefore = new Set<string>();
  const count = async () => {
    for (const topic of topics) {
      ids.set(topic, await admin.topicId(topic));
      partitions.set(topic, (await admin.offsets(topic, "end")).size);
    }
  };
  const examine = async (
    positions: readonly PartitionOffset[],
    isSettled: (at: PartitionOffset) => boolean,
  ): Promise<Findings> => {
    const found: PartitionOffset[] = [];
    const shortened: (PartitionOffset & { end: bigint })[] = [];
    const grown: string[] = [];
    const remade: string[] = [];
    for (const topic of topics) {
      if ((await admin.topicId(topic)) !== ids.get(topic)) {
        remade.push(topic);
        continue;
      }
      const ends = await admin.offsets(topic, "end");
      if (ends.size > (partitions.get(topic) ?? ends.size)) grown.push(topic);
      for (const at of positions.filter((one) => one.topic === topic)) {
        const end = ends.get(at.partition);
        if (end === undefined) continue;
        if (end < at.offset) shortened.push({ ...at, end });
        else if (end > at.offset && isSettled(at)) found.push(at);
      }
    }
    // Records just written are on their way to the member: only who stood there the last time too has something to be
    // asked about.
    const idle = found.filter((at) => idleBefore.has(nameOf(at)));
    idleBefore = new Set(found.map(nameOf));
    return { remade, grown, shortened, idle };
  };
  return {
    /**
     * To be called before joining: partitions added from then on, and topics made anew, are noticed, whatever the
     * group's leader knew.
     */
    count,
    examine,
  };
}
export type ExamineLog = ReturnType<typeof makeExamineLog>;

function nameOf(at: PartitionOffset): string {
  return `${partitionName(at)}@${at.offset}`;
}
