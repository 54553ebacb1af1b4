import type { Admin, PartitionOffset } from "../messages/broker.ts";
import type { Db } from "../postgres/db.ts";
import { consumerGroups, type GroupName } from "../messages/topics.ts";
import { takeGroup } from "./group-epoch.ts";
import { setPositions } from "./log/positions.ts";

type ResetGroup = Readonly<{
  group: GroupName;
  /** Where every partition of the group's topics goes on, or where those named do; the others stay. */
  to: "start" | "end" | readonly PartitionOffset[];
}>;

type Reset = Readonly<{
  epoch: number;
  offsets: readonly PartitionOffset[];
  droppedKeys: number;
  droppedMessages: number;
}>;

/**
 * Lets a group without members begin anew elsewhere: a new inbox epoch, so that what it reads again is handled again,
 * its queues emptied, and its positions and commits moved, under the group's lock. Nothing is changed when the broker
 * refuses, as it does while the group has members; should Postgres fail after the broker has moved the commits, do it
 * again.
 */
export async function resetGroup(
  db: Pick<Db, "transaction">,
  admin: Pick<Admin, "offsets" | "setOffsets">,
  { group, to }: ResetGroup,
): Promise<Reset> {
  const offsets = typeof to === "string" ? await offsetsAt(admin, group, to) : to;
  return db.transaction(async (tx) => {
    const { before, epoch } = await takeGroup(tx, group);
    const messages = await tx`delete from parked_messages where epoch = ${before}`;
    const keys = await tx`delete from parked_keys where epoch = ${before}`;
    await setPositions(tx, group, offsets);
    await admin.setOffsets(group, offsets);
    return { epoch, offsets, droppedKeys: keys.count, droppedMessages: messages.count };
  });
}

async function offsetsAt(
  admin: Pick<Admin, "offsets">,
  group: GroupName,
  at: "start" | "end",
): Promise<readonly PartitionOffset[]> {
  const offsets: PartitionOffset[] = [];
  for (const topic of consumerGroups[group])
    for (const [partition, offset] of await admin.offsets(topic, at)) offsets.push({ topic, partition, offset });
  return offsets;
}
