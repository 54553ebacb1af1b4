import type { Admin } from "../../shared/messages/broker.ts";
import { consumerGroups, groupNames, type GroupName } from "../../shared/messages/topics.ts";

type GroupPlace = Readonly<{
  group: GroupName;
  /** Messages of the topic that the group has not committed. */
  lag: number;
  /** All that it has committed, over all partitions: grows as it works. */
  committed: bigint;
}>;

/** The groups that read a topic. */
export function groupsOf(topic: string): readonly GroupName[] {
  return groupNames.filter((group) => consumerGroups[group].some((name) => name === topic));
}

/** How far the groups of a topic are in it, and how many messages it has ever had. */
export async function readPlaces(
  admin: Pick<Admin, "offsets" | "committed">,
  topic: string,
): Promise<Readonly<{ groups: readonly GroupPlace[]; end: bigint }>> {
  const start = await admin.offsets(topic, "start");
  // Before the end: what is committed then is not taken for more than there is.
  const commits = await Promise.all(
    groupsOf(topic).map(async (group) => [group, await admin.committed(group)] as const),
  );
  const end = await admin.offsets(topic, "end");
  const groups = commits.map(([group, places]) => {
    const nexts = [...end].map(([partition, last]) => {
      const first = start.get(partition) ?? 0n;
      const commit = places.find((one) => one.topic === topic && one.partition === partition)?.offset ?? first;
      const next = commit < first ? first : commit;
      return { next, lag: last > next ? last - next : 0n };
    });
    return {
      group,
      lag: Number(nexts.reduce((sum, { lag }) => sum + lag, 0n)),
      committed: nexts.reduce((sum, { next }) => sum + next, 0n),
    };
  });
  return { groups, end: [...end.values()].reduce((sum, offset) => sum + offset, 0n) };
}
