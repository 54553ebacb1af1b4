import type { MessageType } from "./message.ts";
import { topicNames, topics, type TopicName } from "./topics.ts";

const byRecord: ReadonlyMap<string, TopicName> = new Map(
  topicNames.flatMap((topic) => topics[topic].records.map((record) => [record, topic] as const)),
);

/** The one topic a record belongs to. Throws for a record that `topics` does not know. */
export function topicOf(type: MessageType): TopicName {
  const topic = byRecord.get(type);
  if (topic === undefined) throw new Error(`no topic has the record ${type}`);
  return topic;
}
