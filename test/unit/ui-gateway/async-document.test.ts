import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assembleDocument } from "../../../dev/api/assemble-document.ts";
import { assembleAsyncDocument, asyncDocumentText } from "../../../dev/api/async/assemble-async-document.ts";
import { operationName } from "../../../dev/api/async/async-parts.ts";
import { examineAsyncDocument } from "../../../dev/api/async/examine-async-document.ts";
import { deadLetterHeaders, envelopeHeaders, refusalHeaders } from "../../../dev/api/async/record-headers.ts";
import { readSchemas } from "../../../shared/avro/files.ts";
import { utf8Text } from "../../../shared/bytes.ts";
import { deadLetterRow } from "../../../shared/consume/dead-letters/dead-letter.ts";
import {
  consumerGroups,
  deadLetterTopics,
  followedTopics,
  groupNames,
  topicNames,
  topics,
} from "../../../shared/messages/topics.ts";
import { kafkaHeaders, messageContentType, writeEnvelope } from "../../../shared/outbox/envelope.ts";
import { formatOrigin, originHeader } from "../../../shared/outbox/origin.ts";
import { streamEvents } from "../../../workers/ui-gateway/stream/stream-events.ts";

const root = join(import.meta.dir, "../../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

type Linked = Readonly<{ $ref: string }>;
type Described = Readonly<{
  channels: Record<string, { address: string; messages: Record<string, Linked>; bindings?: { kafka: Binding } }>;
  operations: Record<
    string,
    { action: string; channel: Linked; bindings?: { kafka?: { groupId: { default: string } } } }
  >;
  components: {
    messages: Record<string, { name: string; payload: { schemaFormat?: string; schema?: unknown } }>;
    schemas: Record<string, object>;
  };
}>;
type Binding = Readonly<{ partitions: number; topicConfiguration: Record<string, unknown> }>;

const assembled = await assembleAsyncDocument();
const document = assembled as unknown as Described;

test("the file that the gateway serves is what topics, schemas and events make", async () => {
  expect(read("workers/ui-gateway/document/asyncapi.json")).toBe(await asyncDocumentText());
});

describe("AsyncAPI 3.1", () => {
  test("the document is one", () => expect(examineAsyncDocument(assembled)).toEqual([]));

  const { info: _, ...withoutInfo } = assembled;
  const { stream, ...otherChannels } = document.channels;
  const renamed = { ...stream, address: "/v1/{what}" };
  test.each([
    ["a part that is missing", withoutInfo, /it is no AsyncAPI 3\.1: \/ must have required property 'info'/],
    [
      "a reference to nothing",
      { ...assembled, channels: otherChannels },
      /#\/channels\/stream is referred to and not there/,
    ],
    [
      "a name in braces",
      { ...assembled, channels: { ...otherChannels, stream: renamed } },
      /does not describe \{what\}/,
    ],
  ])("%s is a fault", (_name, changed, fault) => {
    expect(examineAsyncDocument(changed).join("\n")).toMatch(fault);
  });
});

describe("topics", () => {
  test("each is a channel with its records, and so is each dead-letter topic", () => {
    const { stream: _, ...onKafka } = document.channels;
    expect(Object.keys(onKafka)).toEqual([...topicNames, ...deadLetterTopics]);
    for (const topic of topicNames) {
      const channel = onKafka[topic];
      expect(channel?.address).toBe(`{prefix}${topic}`);
      expect(Object.keys(channel?.messages ?? {})).toEqual([...topics[topic].records]);
      expect(channel?.bindings?.kafka).toMatchObject({
        partitions: 6,
        topicConfiguration: {
          "cleanup.policy": ["delete"],
          "retention.ms": 604_800_000,
          "max.message.bytes": 1_048_576,
        },
      });
    }
  });

  test("each record is a message with the newest version of its schema", async () => {
    for (const { type, current } of await readSchemas())
      expect(document.components.messages[type]?.payload).toEqual({
        schemaFormat: "application/vnd.apache.avro;version=1.9.0",
        schema: current.schema,
      });
  });

  test("each writer sends, each group and follower receives", () => {
    const wanted = [
      ...topicNames.map((topic) => [operationName(topics[topic].writer, "sends", topic), "send", topic, undefined]),
      ...groupNames.flatMap((group) =>
        consumerGroups[group].map((topic) => [operationName(group, "reads", topic), "receive", topic, group]),
      ),
      ...Object.entries(followedTopics).flatMap(([role, followed]) =>
        followed.map((topic) => [operationName(role, "follows", topic), "receive", topic, undefined]),
      ),
    ];
    const found = Object.entries(document.operations)
      .map(([id, { action, channel, bindings }]) => {
        const name = channel.$ref.replace("#/channels/", "");
        return [id, action, name, bindings?.kafka?.groupId.default];
      })
      .filter(([, , channel]) => topicNames.some((topic) => topic === channel));
    expect(found).toEqual(wanted);
  });
});

describe("headers", () => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const fits = (schema: string, headers: readonly (readonly [string, Uint8Array])[]) => {
    const values = Object.fromEntries(headers.map(([name, value]) => [name, utf8Text(value)]));
    const validate = ajv.compile(document.components.schemas[schema] ?? {});
    validate(values);
    return { names: Object.keys(values).toSorted(), faults: validate.errors ?? [] };
  };
  const envelope = {
    id: "0192f0a0-0000-7000-8000-00000000000a",
    time: new Date(0),
    source: "task-service",
    type: "TaskCreated",
    subject: "0192f0a0-0000-4000-8000-000000000001",
    contentType: messageContentType,
    correlationId: "request",
    causationId: "0192f0a0-0000-7000-8000-00000000000b",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    traits: "due occurrence",
  };
  const origin = { life: "1", day: "2026-01-31", id: "7", created: "1769846400000000" };
  const written = [
    ...kafkaHeaders(writeEnvelope(envelope), 4),
    [originHeader, new TextEncoder().encode(formatOrigin(origin))] as const,
  ];

  test("those of a record that is published are described, each of them", () => {
    const { names, faults } = fits("Envelope", written);
    expect(faults).toEqual([]);
    expect(names).toEqual(Object.keys(envelopeHeaders).toSorted());
    expect(
      fits(
        "Envelope",
        written.filter(([name]) => name !== "ce_id"),
      ).faults,
    ).toHaveLength(1);
  });

  test("those of a dead letter are described, each of them", () => {
    const dead = deadLetterRow({
      record: {
        topic: "task-events",
        partition: 2,
        offset: 5n,
        timestamp: 0,
        key: "\u{fffd}",
        keyBytes: new Uint8Array([0xff]),
        value: null,
        headers: [],
        generation: 1,
      },
      group: "reminder-service",
      class: "invalid",
      error: new Error("it is no record"),
      attempts: [{ at: new Date(0), class: "invalid", error: "it is no record" }],
      now: new Date(0),
    });
    const stored = (JSON.parse(dead.headers) as [string, string][]).map(
      ([name, value]) => [name, new TextEncoder().encode(value)] as const,
    );
    const { names, faults } = fits("DeadLetterHeaders", stored);
    expect(faults).toEqual([]);
    expect(names).toEqual(Object.keys(deadLetterHeaders).toSorted());
  });

  test("those of a record that was not published are described, each of them", () => {
    const sources = ["workers/outbox-relay/refuse.ts", "workers/task-service/record-encode-failure.ts"].map(read);
    const added = sources.flatMap((source) => [...source.matchAll(/\["(x-[a-z-]+)"/g)].map(([, name]) => name ?? ""));
    expect([...new Set(added)].toSorted()).toEqual(Object.keys(refusalHeaders).toSorted());
  });
});

describe("the stream", () => {
  test("is a channel with every event, and its changes are those of the OpenAPI document", async () => {
    const names = Object.keys(document.channels["stream"]?.messages ?? {});
    expect(names.map((name) => document.components.messages[name]?.name)).toEqual(Object.keys(streamEvents));
    expect(document.components.messages["StreamTaskChanged"]?.payload).toEqual({
      $ref: "#/components/schemas/TaskChanged",
    } as object);
    const api = await assembleDocument();
    expect(document.components.schemas["TaskChanged"]).toEqual(api.components["schemas"]?.["TaskChanged"] as object);
  });
});
