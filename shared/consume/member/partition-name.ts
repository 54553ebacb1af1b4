import type { TopicPartition } from "../../messages/broker.ts";

/** "task-events/3": a partition as a key of maps and in logs. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
