import type { GroupName, TopicName } from "../../../shared/messages/topics.ts";
import { consumerGroups, groupNames } from "../../../shared/messages/topics.ts";
import type { PartitionLag } from "../measure-lag.ts";

export type GroupControl = Readonly<{
  group: string;
  paused: boolean;
  setBy: string;
  reason: string | null;
  setAt: Date;
}>;
/** What waits behind failures in a group, and what it gave up on. */
export type GroupFailures = Readonly<{
  group: string;
  epoch: number;
  parkedKeys: number;
  parkedMessages: number;
  parkedSince: Date | null;
  nextTry: Date | null;
  dead: number;
}>;

export type GroupState = Readonly<{
  group: GroupName;
  topics: readonly TopicName[];
  /** Members known to the broker, and what it calls the state of the group. */
  members: number;
  state: string;
  /** Over all partitions: messages not handled, and the age of the oldest of them. */
  lagMessages: number;
  lagSeconds: number;
  partitions: readonly PartitionLag[];
  paused: Readonly<{ by: string; reason: string | null; since: Date }> | null;
  epoch: number | null;
  parkedKeys: number;
  parkedMessages: number;
  parkedSince: Date | null;
  nextTry: Date | null;
  dead: number;
  /** Nothing moves: since when, and why; null while it does or nothing is there to do. */
  blocked: Readonly<{ since: Date; why: string }> | null;
}>;

type GroupFacts = Readonly<{
  now: Date;
  lags: readonly PartitionLag[];
  members: readonly Readonly<{ name: string; state: string; members: number }>[];
  controls: readonly GroupControl[];
  failures: readonly GroupFailures[];
}>;

/** Every group of the topics table, in its order, with what is known of it. */
export function describeGroups({ now, lags, members, controls, failures }: GroupFacts): readonly GroupState[] {
  return groupNames.map((group): GroupState => {
    const partitions = lags.filter((lag) => lag.group === group);
    const broker = members.find(({ name }) => name === group);
    const control = controls.find((one) => one.group === group);
    const failed = failures.find((one) => one.group === group);
    const lagMessages = partitions.reduce((sum, { messages }) => sum + messages, 0);
    const lagSeconds = Math.max(0, ...partitions.map(({ seconds }) => seconds));
    const paused = control?.paused ? { by: control.setBy, reason: control.reason, since: control.setAt } : null;
    const oldest = new Date(now.getTime() - lagSeconds * 1000);
    const nobody = (broker?.members ?? 0) === 0;
    return {
      group,
      topics: consumerGroups[group],
      members: broker?.members ?? 0,
      state: broker?.state ?? "absent",
      lagMessages,
      lagSeconds,
      partitions,
      paused,
      epoch: failed?.epoch ?? null,
      parkedKeys: failed?.parkedKeys ?? 0,
      parkedMessages: failed?.parkedMessages ?? 0,
      parkedSince: failed?.parkedSince ?? null,
      nextTry: failed?.nextTry ?? null,
      dead: failed?.dead ?? 0,
      blocked: paused
        ? { since: paused.since, why: `paused by ${paused.by}` }
        : nobody && lagMessages > 0
          ? { since: oldest, why: "nobody reads it" }
          : null,
    };
  });
}
