import { isRecord } from "../../../shared/http/json-schema.ts";
import type { ApiDocument } from "../../../workers/ui-gateway/document/complete-document.ts";
import { streamEvents } from "../../../workers/ui-gateway/stream/stream-events.ts";
import type { AsyncParts } from "./async-parts.ts";

type StreamEventData = (typeof streamEvents)[keyof typeof streamEvents]["data"];

/** `GET /v1/stream`, with the schemas of the OpenAPI document that its events refer to. */
export function streamParts(api: ApiDocument): AsyncParts {
  const messages = Object.entries(streamEvents).map(([event, { says, data }]) => {
    const headers = {
      type: "object",
      description: "The fields of the server-sent event beside its data.",
      required: ["event"],
      properties: {
        event: { type: "string", const: event },
        id: { type: "string", description: "The position to resume from, as `Last-Event-ID`." },
        retry: { type: "integer", description: "How many milliseconds to wait before connecting again." },
      },
    };
    return [
      componentName(event),
      { name: event, title: event, summary: says, contentType: "application/json", headers, payload: payloadOf(data) },
    ] as const;
  });
  return {
    channels: {
      stream: {
        address: "/v1/stream",
        title: "The stream of changes",
        summary: "Every change of a user's tasks and reminders, as server-sent events",
        description:
          "One stream for each open client. `GET` it with `Accept: text/event-stream`; resume it on any instance with `Last-Event-ID`. " +
          "How to sign in, `cursor` and `ticket`: `/openapi.json`.",
        servers: [{ $ref: "#/servers/gateway" }],
        messages: Object.fromEntries(messages.map(([name]) => [name, { $ref: `#/components/messages/${name}` }])),
      },
    },
    operations: {
      uiGatewaySendsStream: {
        action: "send",
        channel: { $ref: "#/channels/stream" },
        title: "ui-gateway sends events to a client",
        summary: "The gateway sends each change to the open streams of its user, and to nobody else's.",
        tags: [{ name: "ui-gateway" }],
        bindings: { http: { method: "GET", bindingVersion: "0.3.0" } },
      },
    },
    messages: Object.fromEntries(messages),
    schemas: withReferred(api, ["TaskChanged"]),
  };
}

/** `StreamTaskChanged` of `task.changed`. */
function componentName(event: string): string {
  return `Stream${event.replaceAll(/(?:^|\.)(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
}

function payloadOf(data: StreamEventData): object {
  if (data === null) return { $ref: "#/components/schemas/TaskChanged" };
  return {
    type: "object",
    required: Object.keys(data),
    properties: Object.fromEntries(
      Object.entries(data).map(([name, values]) => [
        name,
        values === "text" ? { type: "string" } : { type: "string", enum: values },
      ]),
    ),
  };
}

/** These components of the OpenAPI document, and those they refer to. */
function withReferred(api: ApiDocument, names: readonly string[]): Readonly<Record<string, unknown>> {
  const found = new Map<string, unknown>();
  const take = (name: string): void => {
    if (found.has(name)) return;
    const schema = api.components["schemas"]?.[name];
    if (!isRecord(schema)) throw new Error(`the OpenAPI document has no schema ${name}`);
    found.set(name, schema);
    for (const [, other = ""] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) take(other);
  };
  names.forEach(take);
  return Object.fromEntries(found);
}
