import {
  consumerGroups,
  deadLetterTopic,
  deadLetterTopics,
  followedTopics,
  groupNames,
  publisher,
  topicNames,
  type RoleName,
} from "../../../shared/messages/topics.ts";
import type { BrokerCall } from "../../../shared/kafka/call-needs.ts";

/** Calls that a role makes, about these topics and groups, and why: the reason completes "because it …". */
type RoleCalls = Readonly<{
  calls: readonly BrokerCall[];
  topics: readonly string[];
  groups: readonly string[];
  why: string;
}>;

/**
 * Every call a role makes to the broker. `deleteTopic` and `deleteGroup` are nobody's: `ops topics delete` is for
 * development, where an administrator runs it.
 */
export function callsOf(role: RoleName): readonly RoleCalls[] {
  return [
    ...(role === publisher ? publishing() : []),
    ...groupNames.filter((group) => group === role).flatMap(consuming),
    ...following(role),
    ...(role === "operator" ? operating() : []),
  ];
}

function publishing(): readonly RoleCalls[] {
  const send = (names: readonly string[], why: string): RoleCalls => ({
    // Before it publishes a topic that was given partitions it counts them.
    calls: ["send", "offsets"],
    topics: names,
    groups: [],
    why,
  });
  return [
    send(topicNames, "publishes what the topic's writer put into the outbox"),
    send(groupNames.map(deadLetterTopic), "publishes what the group gave up on"),
    send(topicNames.map(deadLetterTopic), "publishes what the topic did not take"),
  ];
}

function consuming(group: keyof typeof consumerGroups): readonly RoleCalls[] {
  const own = consumerGroups[group];
  return [
    {
      calls: ["join", "offsets", "topicId", "committed", "nextRecord", "read", "groups"],
      topics: own,
      groups: [group],
      why: "reads it as a member of its group and commits how far",
    },
    {
      calls: ["topics"],
      topics: [...own, deadLetterTopic(group)],
      groups: [],
      why: "compares, at its start, how long its messages can come back with how long its inbox remembers",
    },
  ];
}

function following(role: RoleName): readonly RoleCalls[] {
  return Object.entries(followedTopics)
    .filter(([follower]) => follower === role)
    .map(([, followed]) => ({
      calls: ["tail", "offsets"],
      topics: followed,
      groups: [],
      why: "follows it without a group, in every instance",
    }));
}

function operating(): readonly RoleCalls[] {
  const every = [...topicNames, ...deadLetterTopics];
  return [
    { calls: ["createTopic"], topics: every, groups: [], why: "makes it where it is missing (ops topics apply)" },
    { calls: ["addPartitions"], topics: every, groups: [], why: "gives it more (ops topics repartition)" },
    { calls: ["topics", "alterConfigs"], topics: every, groups: [], why: "shows and mends its settings (ops topics)" },
    {
      calls: ["tail", "read", "offsets", "committed", "groups", "setOffsets"],
      topics: every,
      groups: groupNames,
      why: "shows records, members and lag, and moves groups (ops lag, dlq, groups reset)",
    },
  ];
}
