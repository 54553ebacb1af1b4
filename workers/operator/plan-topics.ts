import type { TopicState } from "../../shared/messages/broker.ts";
import type { TopicLayout } from "../../shared/outbox/topic-layouts.ts";
import { integer, optional, type Config } from "../../shared/role/config.ts";
import {
  deadLetterTopics,
  defaultPartitions,
  defaultRetentionMs,
  maxMessageBytes,
  topicNames,
} from "../../shared/messages/topics.ts";

export const topicSettings = {
  partitions: integer("TOPIC_PARTITIONS", defaultPartitions, { min: 1, max: 1000 }),
  retentionMs: integer("TOPIC_RETENTION_MS", defaultRetentionMs, { min: 60_000, max: Number.MAX_SAFE_INTEGER }),
  /** Copies of every partition; unset leaves it to the broker's default. */
  replication: optional("TOPIC_REPLICATION"),
};

type WantedTopic = TopicState & Readonly<{ replication: number | null }>;

/** One step towards the topics as they should be. `refuse` changes nothing and says why. */
export type TopicStep = Readonly<
  | { kind: "keep"; topic: WantedTopic }
  | { kind: "create"; topic: WantedTopic }
  | { kind: "alter"; topic: WantedTopic; changes: readonly ConfigChange[] }
  | { kind: "refuse"; topic: WantedTopic; reason: string }
>;
type ConfigChange = Readonly<{ name: string; from: string; to: string }>;

/**
 * Every topic of the product as the settings want it; dead-letter topics take twice the size: the record plus its
 * story. Of one that was repartitioned, what it was given then counts.
 */
export function wantedTopics(
  settings: Config<typeof topicSettings>,
  layouts: readonly TopicLayout[] = [],
): readonly WantedTopic[] {
  const replication = readReplication(settings.replication);
  const want = (name: string, maxBytes: number): WantedTopic => ({
    name,
    partitions: layouts.find(({ topic }) => topic === name)?.partitions ?? settings.partitions,
    replication,
    configs: {
      "cleanup.policy": "delete",
      "retention.ms": String(settings.retentionMs),
      "max.message.bytes": String(maxBytes),
      // With three copies, a write is safe on two before it is acknowledged, and one broker may be away.
      ...(replication === null ? {} : { "min.insync.replicas": String(Math.max(1, replication - 1)) }),
    },
  });
  return [
    ...topicNames.map((name) => want(name, maxMessageBytes)),
    ...deadLetterTopics.map((name) => want(name, 2 * maxMessageBytes)),
  ];
}

/** What has to be done, in the order of `wanted`. Topics nobody wants are left alone. */
export function planTopics(wanted: readonly WantedTopic[], actual: readonly TopicState[]): readonly TopicStep[] {
  const existing = new Map(actual.map((topic) => [topic.name, topic]));
  return wanted.map((topic): TopicStep => {
    const found = existing.get(topic.name);
    if (found === undefined) return { kind: "create", topic };
    if (found.partitions !== topic.partitions)
      return {
        kind: "refuse",
        topic,
        reason:
          `it has ${found.partitions} partitions and should have ${topic.partitions}: keys would lose their order; ` +
          (found.partitions < topic.partitions
            ? `\`ops topics repartition ${topic.name} --to ${topic.partitions}\` keeps it`
            : `if it was given partitions by other means, \`ops topics repartition ${topic.name} --to ${found.partitions}\` puts that right`),
      };
    // A setting the broker does not report (Redpanda has no min.insync.replicas) cannot differ.
    const changes = Object.entries(topic.configs)
      .map(([name, to]) => ({ name, from: found.configs[name] ?? to, to }))
      .filter(({ from, to }) => from !== to);
    return changes.length === 0 ? { kind: "keep", topic } : { kind: "alter", topic, changes };
  });
}

function readReplication(text: string | null): number | null {
  if (text === null) return null;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10)
    throw new Error(`TOPIC_REPLICATION must be a whole number from 1 to 10, not "${text}"`);
  return value;
}
