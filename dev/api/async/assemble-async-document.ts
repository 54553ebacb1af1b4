import { readSchemas } from "../../../shared/avro/files.ts";
import { assembleDocument } from "../assemble-document.ts";
import { formatText } from "../format-text.ts";
import type { AsyncParts } from "./async-parts.ts";
import { kafkaParts } from "./kafka-channels.ts";
import { streamParts } from "./stream-channel.ts";

/**
 * The gateway's `/asyncapi.json` (AsyncAPI 3.1): the topics and their records from shared/messages/topics.ts and
 * schemas/, the stream from its events and the OpenAPI document. Throws where two parts have a name in common.
 */
export async function assembleAsyncDocument(): Promise<Readonly<Record<string, unknown>>> {
  const parts = [kafkaParts(await readSchemas()), streamParts(await assembleDocument())];
  return {
    asyncapi: "3.1.0",
    info: {
      title: "Taskwire",
      version: "1",
      description:
        "The records on Kafka and the events of the stream. Operations are those of the product's own roles: where a role sends, others may " +
        "receive. Each topic has one writer. A record may come twice: know it by " +
        "`ce_id`. The HTTP API and the webhooks are in `/openapi.json`.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    defaultContentType: "application/vnd.confluent.avro",
    servers,
    channels: joined(parts, "channels"),
    operations: joined(parts, "operations"),
    components: {
      messages: joined(parts, "messages"),
      schemas: joined(parts, "schemas"),
      parameters: {
        prefix: {
          description:
            "`KAFKA_PREFIX` of the deployment, so that several can share one cluster. Empty unless it is set.",
          default: "",
        },
      },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        session: {
          type: "httpApiKey",
          in: "cookie",
          name: "taskwire_session",
          description: "Over https: `__Host-taskwire_session`",
        },
      },
    },
  };
}

/** The text of workers/ui-gateway/document/asyncapi.json. */
export async function asyncDocumentText(): Promise<string> {
  return await formatText(JSON.stringify(await assembleAsyncDocument()), "asyncapi.json");
}

const servers = {
  kafka: {
    host: "{broker}",
    protocol: "kafka",
    description:
      "Redpanda, or another broker with the Kafka protocol. On a secured cluster it takes TLS and SASL (SCRAM or PLAIN) or client " +
      "certificates, and each role has a user of its own. The registry of the schemas is at `SCHEMA_REGISTRY_URL`.",
    variables: {
      broker: { default: "127.0.0.1:9092", description: "One of `KAFKA_BROKERS`." },
    },
    bindings: {
      kafka: { schemaRegistryUrl: "http://127.0.0.1:8081", schemaRegistryVendor: "confluent", bindingVersion: "0.5.0" },
    },
  },
  gateway: {
    host: "{gateway}",
    protocol: "http",
    description: "The gateway that serves this document.",
    variables: { gateway: { default: "127.0.0.1:8080", description: "Where the gateway is reached." } },
    security: [{ $ref: "#/components/securitySchemes/bearer" }, { $ref: "#/components/securitySchemes/session" }],
  },
};

function joined(parts: readonly AsyncParts[], section: keyof AsyncParts): Readonly<Record<string, unknown>> {
  const entries = parts.flatMap((part) => Object.entries(part[section]));
  const all = Object.fromEntries(entries);
  if (Object.keys(all).length < entries.length) throw new Error(`two of the ${section} have one name`);
  return all;
}
