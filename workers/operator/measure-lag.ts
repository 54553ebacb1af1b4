import type { Admin } from "../../shared/messages/broker.ts";
import { consumerGroups, groupNames, type GroupName, type TopicName } from "../../shared/messages/topics.ts";

export type PartitionLag = Readonly<{
  group: GroupName;
  topic: TopicName;
  partition: number;
  /** The next offset the group reads; null where it never committed, it will begin at the log's start. */
  committed: bigint | null;
  end: bigint;
  messages: number;
  /** The age of the oldest record not yet handled; 0 when there is none. */
  seconds: number;
}>;

/**
 * How far every group is behind, by partition, in the order of the topics table. Looks at the broker only and joins no
 * group. Commits below the log's start count from the start: what was between is gone. Rejects when a topic does not
 * exist.
 */
export async function measureLag(
  admin: Pick<Admin, "offsets" | "committed" | "read">,
  now: Date,
): Promise<readonly PartitionLag[]> {
  const names = [...new Set(groupNames.flatMap((group): readonly TopicName[] => consumerGroups[group]))];
  const logs = new Map(
    await Promise.all(
      names.map(async (topic) => {
        // Start before end: records that expire in between must not look like a negative lag.
        const start = await admin.offsets(topic, "start");
        return [topic, { start, end: await admin.offsets(topic, "end") }] as const;
      }),
    ),
  );
  const lags: PartitionLag[] = [];
  for (const group of groupNames) {
    const committed = await admin.committed(group);
    for (const topic of consumerGroups[group]) {
      const log = logs.get(topic);
      if (log === undefined) continue;
      const places = [...log.end].map(([partition, end]) => {
        const start = log.start.get(partition) ?? 0n;
        const commit = committed.find((one) => one.topic === topic && one.partition === partition)?.offset ?? null;
        const next = commit === null || commit < start ? start : commit;
        return { partition, end, commit, next, messages: Number(end > next ? end - next : 0n) };
      });
      const behind = new Map(
        places.filter(({ messages }) => messages > 0).map(({ partition, next }) => [partition, next]),
      );
      const oldest = new Map(
        (behind.size === 0 ? [] : await admin.read(topic, behind)).map((record) => [
          record.partition,
          record.timestamp,
        ]),
      );
      for (const { partition, end, commit, ...place } of places.toSorted((a, b) => a.partition - b.partition)) {
        // Up to the end there may be nothing but transaction markers.
        const messages = oldest.has(partition) ? place.messages : 0;
        const since = oldest.get(partition) ?? now.getTime();
        const seconds = Math.max(0, Math.round((now.getTime() - since) / 100) / 10);
        lags.push({ group, topic, partition, committed: commit, end, messages, seconds });
      }
    }
  }
  return lags;
}
