import type { SchemaHistory } from "../../../shared/avro/files.ts";
import {
  consumerGroups,
  deadLetterTopic,
  defaultPartitions,
  defaultRetentionMs,
  followedTopics,
  groupNames,
  publisher,
  roleNames,
  topicNames,
  topics,
  type GroupName,
  type RoleName,
  type TopicName,
} from "../../../shared/messages/topics.ts";
import { wantedTopics } from "../../../workers/operator/plan-topics.ts";
import { operationName, type AsyncParts } from "./async-parts.ts";
import { deadLetterHeaders, envelopeHeaders, headersSchema, refusalHeaders } from "./record-headers.ts";

const bindingVersion = "0.5.0";

/** The topics with their records, who writes and reads them, and their dead-letter topics. */
export function kafkaParts(histories: readonly SchemaHistory[]): AsyncParts {
  return {
    channels: Object.fromEntries([
      ...topicNames.map((topic) => [topic, channelOf(topic, topicWords(topic), topics[topic].records)]),
      ...groupNames.map((group) => [
        deadLetterTopic(group),
        channelOf(deadLetterTopic(group), deadWords(group), ["DeadLetter"]),
      ]),
      ...topicNames.map((topic) => [
        deadLetterTopic(topic),
        channelOf(deadLetterTopic(topic), refusedWords(topic), ["RefusedRecord"]),
      ]),
    ]),
    operations: Object.fromEntries([
      ...topicNames.map((topic) => sends(topics[topic].writer, topic)),
      ...groupNames.flatMap((group) => consumerGroups[group].map((topic) => reads(group, topic))),
      ...roleNames.flatMap((role) => followedBy(role).map((topic) => follows(role, topic))),
      ...groupNames.map((group) => sends(group, deadLetterTopic(group))),
      ...topicNames.map((topic) => sends(publisher, deadLetterTopic(topic))),
    ]),
    messages: {
      ...Object.fromEntries(histories.map((history) => [history.type, recordMessage(history)])),
      DeadLetter: deadMessage("DeadLetter", "A record that a group gave up on."),
      RefusedRecord: deadMessage(
        "RefusedRecord",
        "A record that the broker did not take, or that its writer could not encode: that one is JSON, as its content-type says.",
      ),
    },
    schemas: {
      Envelope: headersSchema(
        "What travels beside the fields of a record: CloudEvents 1.0 in Kafka's binary mode.",
        envelopeHeaders,
      ),
      DeadLetterHeaders: headersSchema("What a group adds to the original's headers.", deadLetterHeaders),
      RefusedRecordHeaders: headersSchema("What the relay adds to the original's headers.", refusalHeaders),
    },
  };
}

const wanted = new Map(
  wantedTopics({ partitions: defaultPartitions, retentionMs: defaultRetentionMs, replication: null }).map((topic) => [
    topic.name,
    topic,
  ]),
);

function channelOf(name: string, description: string, messages: readonly string[]) {
  const topic = wanted.get(name);
  if (topic === undefined) throw new Error(`no plan makes the topic ${name}`);
  const { configs, partitions } = topic;
  return {
    address: `{prefix}${name}`,
    title: name,
    summary: messages.join(", "),
    description,
    servers: [{ $ref: "#/servers/kafka" }],
    parameters: { prefix: { $ref: "#/components/parameters/prefix" } },
    messages: Object.fromEntries(messages.map((message) => [message, { $ref: `#/components/messages/${message}` }])),
    bindings: {
      kafka: {
        partitions,
        topicConfiguration: {
          "cleanup.policy": configs["cleanup.policy"]?.split(","),
          "retention.ms": Number(configs["retention.ms"]),
          "max.message.bytes": Number(configs["max.message.bytes"]),
        },
        bindingVersion,
      },
    },
  };
}

function topicWords(topic: TopicName): string {
  const { writer, key } = topics[topic];
  const readers = [
    ...groupNames.filter((group) => consumesFrom(group, topic)).map((group) => `the group ${group}`),
    ...roleNames.filter((role) => followedBy(role).includes(topic)).map((role) => `${role}, without a group`),
  ];
  const read = readers.length === 0 ? "No role reads it: it is for other systems." : `Read by ${readers.join(", ")}.`;
  return `Written by ${writer} alone. The key is the ${key}: records of one key stay in order. ${read}`;
}

function deadWords(group: GroupName): string {
  return `What the group ${group} gave up on, under the original's key. No role reads it: \`ops dlq\` works on the same records in Postgres.`;
}

function refusedWords(topic: TopicName): string {
  return `Records of ${topic} that were never published, under the original's key. No role reads it.`;
}

function consumesFrom(group: GroupName, topic: TopicName): boolean {
  return consumerGroups[group].some((name) => name === topic);
}

function followedBy(role: RoleName): readonly TopicName[] {
  return Object.entries(followedTopics)
    .filter(([follower]) => follower === role)
    .flatMap(([, followed]) => followed);
}

type NamedOperation = readonly [id: string, operation: object];

function sends(role: RoleName, channel: string): NamedOperation {
  const by = role === publisher ? "" : ` It commits them to its outbox, and ${publisher} publishes them.`;
  return [
    operationName(role, "sends", channel),
    {
      action: "send",
      channel: { $ref: `#/channels/${channel}` },
      title: `${role} sends to ${channel}`,
      summary: `${role} writes the records of ${channel}.${by}`,
      tags: [{ name: role }],
    },
  ];
}

function reads(group: GroupName, topic: TopicName): NamedOperation {
  return [
    operationName(group, "reads", topic),
    {
      action: "receive",
      channel: { $ref: `#/channels/${topic}` },
      title: `${group} reads ${topic}`,
      summary: `The group ${group} handles each record of ${topic} once; what it cannot handle goes to ${deadLetterTopic(group)}.`,
      tags: [{ name: group }],
      bindings: {
        kafka: {
          groupId: {
            type: "string",
            default: group,
            description: "The consumer group. `KAFKA_PREFIX`, where the deployment has one, stands before it.",
          },
          bindingVersion,
        },
      },
    },
  ];
}

function follows(role: RoleName, topic: TopicName): NamedOperation {
  return [
    operationName(role, "follows", topic),
    {
      action: "receive",
      channel: { $ref: `#/channels/${topic}` },
      title: `${role} follows ${topic}`,
      summary: `Every instance of ${role} reads all of ${topic}, without a group.`,
      tags: [{ name: role }],
    },
  ];
}

function recordMessage({ topic, type, subject, current, versions }: SchemaHistory) {
  return {
    name: type,
    title: type,
    summary: current.schema.doc,
    contentType: "application/vnd.confluent.avro",
    headers: {
      allOf: [
        { $ref: "#/components/schemas/Envelope" },
        {
          type: "object",
          properties: {
            ce_type: { type: "string", const: type },
            ce_source: { type: "string", const: topics[topic].writer },
          },
        },
      ],
    },
    payload: { schemaFormat: "application/vnd.apache.avro;version=1.9.0", schema: current.schema },
    bindings: {
      kafka: {
        key: { type: "string", format: "uuid", description: `The ${topics[topic].key}.` },
        schemaIdLocation: "payload",
        schemaIdPayloadEncoding: "confluent",
        schemaLookupStrategy: "TopicRecordNameStrategy",
        bindingVersion,
      },
    },
    "x-subject": subject,
    "x-versions": versions.map(({ version }) => version),
  };
}

function deadMessage(name: string, summary: string) {
  return {
    name,
    title: name,
    summary,
    headers: {
      description: "The original's headers, followed by these.",
      allOf: [{ $ref: `#/components/schemas/${name}Headers` }],
    },
    payload: { description: "The original's value, byte for byte. It may be no Avro at all." },
    bindings: { kafka: { key: { type: "string", description: "The original's key." }, bindingVersion } },
  };
}
