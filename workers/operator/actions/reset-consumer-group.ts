import type { Admin, PartitionOffset } from "../../../shared/messages/broker.ts";
import { openGroup } from "../../../shared/consume/group-epoch.ts";
import { resetGroup } from "../../../shared/consume/reset-group.ts";
import type { Db } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import { consumerGroups, type GroupName } from "../../../shared/messages/topics.ts";
import { audited, type ChangeAuthor } from "../audit.ts";
import { offsetsAtTime } from "../offsets-at-time.ts";
import { groupsWithOutsideEffects, planReset, type ResetStep } from "./reset-plan.ts";

type ResetTo = "earliest" | "latest" | Date;

export type GroupReset = Readonly<{
  auditId: string | null;
  group: GroupName;
  steps: readonly ResetStep[];
  /** Parked keys and messages that are cleared; the log has them still, if the group is moved before them. */
  parkedKeys: number;
  parkedMessages: number;
  /** Members the group has now; it is only reset without any. */
  members: number;
  /** Why it would be refused without `force`, if so. */
  needsForce: string | null;
}>;

/**
 * Moves a group to another place in its topics and begins a new inbox epoch, so that what it reads again is handled
 * again. Refused while the group has members, and, unless forced, for groups whose effects reach outside the database.
 */
export async function resetConsumerGroup(
  { db, admin }: Readonly<{ db: Db; admin: Admin }>,
  { group, to, force }: Readonly<{ group: GroupName; to: ResetTo; force: boolean }>,
  { by, dryRun }: Readonly<{ by: ChangeAuthor; dryRun: boolean }>,
): Promise<GroupReset> {
  const [target, start, committed, groups] = await Promise.all([
    offsetsFor(admin, group, to),
    offsetsFor(admin, group, "earliest"),
    admin.committed(group),
    admin.groups(),
  ]);
  const [waiting] = await db.sql<{ keys: number; messages: number }[]>`
    select (select count(*)::int from parked_keys where epoch = g.epoch) as keys,
      (select count(*)::int from parked_messages where epoch = g.epoch) as messages
    from consumer_groups g where name = ${group}`;
  const needsForce = groupsWithOutsideEffects.has(group)
    ? `${group} reaches people: what it handles again is sent again. Say force if that is meant`
    : null;
  const planned: GroupReset = {
    auditId: null,
    group,
    steps: planReset({ committed, start, to: target }),
    parkedKeys: waiting?.keys ?? 0,
    parkedMessages: waiting?.messages ?? 0,
    members: groups.find(({ name }) => name === group)?.members ?? 0,
    needsForce,
  };
  if (dryRun) return planned;
  if (needsForce !== null && !force) throw new Problem("REFUSED", needsForce);
  if (planned.members > 0) throw new Problem("REFUSED", `${group} has ${planned.members} members; stop its role first`);
  const steps = planned.steps.map((step) => ({ ...step, from: step.from?.toString() ?? null, to: step.to.toString() }));
  return audited(db.sql, by, { action: "groups reset", plan: { ...planned, steps } }, async (auditId) => {
    // One that was never started can be told where to begin, too.
    await openGroup(db.sql, group);
    const { droppedKeys, droppedMessages } = await resetGroup(db, admin, { group, to: target });
    return { ...planned, auditId, parkedKeys: droppedKeys, parkedMessages: droppedMessages };
  });
}

async function offsetsFor(admin: Admin, group: GroupName, to: ResetTo): Promise<readonly PartitionOffset[]> {
  const places: PartitionOffset[] = [];
  for (const topic of consumerGroups[group]) {
    const offsets =
      to instanceof Date
        ? await offsetsAtTime(admin, topic, to)
        : await admin.offsets(topic, to === "earliest" ? "start" : "end");
    const sorted = [...offsets].toSorted(([a], [b]) => a - b);
    places.push(...sorted.map(([partition, offset]) => ({ topic, partition, offset })));
  }
  return places;
}
