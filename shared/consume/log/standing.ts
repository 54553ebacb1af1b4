import type { TopicPartition } from "../../messages/broker.ts";
import type { Log } from "../../role/log.ts";
import type { ConsumerMeters } from "../meters.ts";
import { partitionName } from "../member/partition-name.ts";

/**
 * Why a partition stands. `cut_off` at its start, `shortened` at its end, or `skipped`: in the log, and never
 * delivered.
 */
type Loss = "cut_off" | "shortened" | "skipped";

/**
 * The partitions of one member that are not read any further: records were lost there, and an operator must say where
 * to go on.
 */
export function makeStanding(of: Readonly<{ meters: Pick<ConsumerMeters, "standing">; log: Log }>) {
  const standing = new Map<string, TopicPartition>();
  const tell = () => of.meters.standing([...standing.values()]);
  return {
    /** Raises the alarm, once for as long as the partition stands. */
    add: (at: TopicPartition, loss: Loss, fields: Readonly<Record<string, unknown>>): void => {
      const { topic, partition } = at;
      const name = partitionName(at);
      if (standing.has(name)) return;
      standing.set(name, { topic, partition });
      tell();
      const note = "this partition stands still until an operator chooses an offset; the others go on";
      of.log.error("consumer_alarm", { partition: name, reason: loss, ...fields, note });
    },
    /** It is another member's now, or nobody's. */
    remove: (partitions: readonly TopicPartition[]): void => {
      for (const at of partitions) standing.delete(partitionName(at));
      tell();
    },
    clear: (): void => {
      standing.clear();
      tell();
    },
    names: (): readonly string[] => [...standing.keys()],
  };
}
export type StandingPartitions = ReturnType<typeof makeStanding>;
