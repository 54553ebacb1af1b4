import type { PartitionOffset } from "../../../shared/messages/broker.ts";
import type { GroupName } from "../../../shared/messages/topics.ts";

export type ResetStep = Readonly<{
  topic: string;
  partition: number;
  /** The next offset read now; null where nothing was ever committed. */
  from: bigint | null;
  to: bigint;
  /** Messages handled once more, and messages never handled. */
  again: number;
  skipped: number;
}>;

type ResetFacts = Readonly<{
  group: GroupName;
  committed: readonly PartitionOffset[];
  start: readonly PartitionOffset[];
  to: readonly PartitionOffset[];
}>;

/** Groups with effects outside the database: handled again, their messages reach people again. */
export const groupsWithOutsideEffects: ReadonlySet<GroupName> = new Set<GroupName>(["notification-service"]);

/**
 * What moving each partition means, in the order of `to`. What is below the log's start counts from there: it is gone.
 */
export function planReset({ committed, start, to }: Omit<ResetFacts, "group">): readonly ResetStep[] {
  const at = (places: readonly PartitionOffset[], { topic, partition }: PartitionOffset) =>
    places.find((one) => one.topic === topic && one.partition === partition)?.offset ?? null;
  return to.map((target) => {
    const from = at(committed, target);
    const first = at(start, target) ?? 0n;
    const next = from === null || from < first ? first : from;
    const moved = Number(target.offset - next);
    return {
      topic: target.topic,
      partition: target.partition,
      from,
      to: target.offset,
      again: Math.max(0, -moved),
      skipped: Math.max(0, moved),
    };
  });
}
