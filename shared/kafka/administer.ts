import { pause } from "../waiting/wait.ts";
import { Admin as KafkaAdmin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from "@platformatic/kafka";
import type { Admin, Commit } from "../messages/broker.ts";
import type { Log } from "../role/log.ts";
import { hasProtocolError } from "./kafka-error.ts";
import type { Naming } from "./naming.ts";
import type { ClientOptions } from "./settings.ts";
import { deadline } from "../waiting/wait.ts";
import { findNextRecord, readAt } from "./look-up.ts";
import { within } from "./within.ts";

/** A call may be made of several requests, and the client tries each four times. */
const answerMs = 20_000;
const requestMs = 10_000;
/** Topics are listed, then described: so often, where some are gone by then. */
const mostListings = 20;

const latest = -1n;
const earliest = -2n;

export type KafkaAdministration = Admin &
  AsyncDisposable &
  Readonly<{
    /** Takes a member out of its group, as if it had left. Rejects when it is no member. */
    removeMember: (group: string, memberId: string) => Promise<void>;
  }>;

/**
 * Connects at the first call. Every call is answered within `patienceMs` or rejects with code TIMEOUT, also when the
 * broker takes connections and answers nothing.
 */
export function openAdmin(
  base: ClientOptions,
  naming: Naming,
  log: Log,
  patienceMs: number = answerMs,
): KafkaAdministration {
  const client = new KafkaAdmin({ ...base, retries: 3, requestTimeout: requestMs });
  client.on("error", (error: Error) => log.warn("kafka_admin_error", { error }));

  const look = async (topic: string) => {
    const physical = naming.physical(topic);
    const found = (await client.metadata({ topics: [physical], forceUpdate: true })).topics.get(physical);
    if (found === undefined) throw new Error(`there is no topic ${physical}`);
    return found;
  };
  const partitionsOf = async (topic: string) => (await look(topic)).partitions.map((_, partition) => partition);

  const describeAll = async () => {
    const names = (await client.listTopics()).filter((name) => naming.logical(name) !== null);
    if (names.length === 0) return [];
    const metadata = await client.metadata({ topics: names, forceUpdate: true });
    const described = await client.describeConfigs({
      resources: names.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName })),
    });
    return described.map(({ resourceName, configs }) => ({
      name: naming.logical(resourceName) ?? resourceName,
      partitions: metadata.topics.get(resourceName)?.partitionsCount ?? 0,
      configs: Object.fromEntries(configs.map(({ name, value }) => [name, value ?? ""])),
    }));
  };

  const inTime =
    <A extends readonly unknown[], T>(what: string, call: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> =>
      deadline(patienceMs, `Kafka was asked to ${what}`, call(...args));

  return {
    topics: inTime("list its topics", async () => {
      for (let tries = 1; ; tries++)
        try {
          return await describeAll();
        } catch (error) {
          // One of them was deleted since they were listed.
          if (tries === mostListings || !isOfNoTopic(error)) throw error;
          await pause(100);
        }
    }),
    createTopic: inTime("make a topic", async ({ name, partitions, configs, replication }) => {
      try {
        await client.createTopics({
          topics: [naming.physical(name)],
          partitions,
          ...(replication === undefined ? {} : { replicas: replication }),
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        });
      } catch (error) {
        if (!hasProtocolError(error, "TOPIC_ALREADY_EXISTS")) throw error;
      }
    }),
    addPartitions: inTime("give a topic more partitions", async (topic, count) => {
      if ((await partitionsOf(topic)).length >= count) return;
      try {
        await client.createPartitions({ topics: [{ name: naming.physical(topic), count }] });
      } catch (error) {
        // Somebody else was quicker.
        if ((await partitionsOf(topic)).length < count) throw error;
      }
    }),
    alterConfigs: inTime("change a topic's settings", (topic, configs) =>
      client.incrementalAlterConfigs({
        resources: [
          {
            resourceType: ConfigResourceTypes.TOPIC,
            resourceName: naming.physical(topic),
            configs: Object.entries(configs).map(([name, value]) => ({
              name,
              configOperation: IncrementalAlterConfigOperationTypes.SET,
              value,
            })),
          },
        ],
      }),
    ),
    offsets: inTime("tell a topic's bounds", async (topic, at) => {
      const timestamp = at === "start" ? earliest : latest;
      const partitions = (await partitionsOf(topic)).map((partitionIndex) => ({ partitionIndex, timestamp }));
      const listed = await client.listOffsets({
        topics: [{ name: naming.physical(topic), partitions }],
        // With 0 the end would lie behind records of an open transaction, which nobody can read yet.
        isolationLevel: at === "end" ? 1 : 0,
      });
      return new Map(
        listed.flatMap((one) => one.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset])),
      );
    }),
    topicId: inTime("tell a topic's id", async (topic) => (await look(topic)).id),
    committed: inTime("tell a group's commits", async (group) => {
      const groups = await client.listConsumerGroupOffsets({ groups: [naming.physical(group)] });
      return groups.flatMap(({ topics }) =>
        topics.flatMap(({ name, partitions }): Commit[] => {
          const topic = naming.logical(name);
          if (topic === null) return [];
          return partitions
            .filter(({ committedOffset }) => committedOffset >= 0n)
            .map(({ partitionIndex, committedOffset, committedLeaderEpoch }) => ({
              topic,
              partition: partitionIndex,
              offset: committedOffset,
              ...(committedLeaderEpoch < 0 ? {} : { leaderEpoch: committedLeaderEpoch }),
            }));
        }),
      );
    }),
    setOffsets: inTime("move a group's commits", async (group, offsets) => {
      const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([topic, own]) => ({
        name: naming.physical(topic),
        partitionOffsets: own.map(({ partition, offset }) => ({ partition, offset })),
      }));
      await client.alterConsumerGroupOffsets({ groupId: naming.physical(group), topics });
    }),
    groups: inTime("list its groups", async () => {
      const names = [...(await client.listGroups()).keys()].filter((name) => naming.logical(name) !== null);
      if (names.length === 0) return [];
      return [...(await client.describeGroups({ groups: names })).values()].map(({ id, state, members }) => ({
        name: naming.logical(id) ?? id,
        state,
        members: members.size,
      }));
    }),
    nextRecord: inTime("find the next record", (at) => findNextRecord(base, naming, at)),
    read: inTime("show records", (topic, at) => readAt(base, naming, topic, at)),
    deleteTopic: inTime("delete a topic", (topic) => client.deleteTopics({ topics: [naming.physical(topic)] })),
    deleteGroup: inTime("delete a group", async (group) => {
      try {
        await client.deleteGroups({ groups: [naming.physical(group)] });
      } catch (error) {
        if (!hasProtocolError(error, "GROUP_ID_NOT_FOUND")) throw error;
      }
    }),
    removeMember: inTime("take out a member", (group, memberId) =>
      client.removeMembersFromConsumerGroup({ groupId: naming.physical(group), members: [{ memberId }] }),
    ),
    [Symbol.asyncDispose]: () => within(2_000, client.close()),
  };
}

/** The client has an error of its own for it where it asks for metadata, without the protocol's. */
function isOfNoTopic(error: unknown): boolean {
  const isOfClient = error instanceof Error && error.message.startsWith("Unknown topic ");
  return isOfClient || hasProtocolError(error, "UNKNOWN_TOPIC_OR_PARTITION");
}
