import { isRecord } from "../../../shared/http/json-schema.ts";
import { answerHeaders, headersOf } from "./answer-headers.ts";
import { costRange } from "../limits/route-costs.ts";
import { apiTags, operationIdOf, tagOf } from "./name-operation.ts";

/** An OpenAPI document, as far as it is read here. */
export type ApiDocument = Readonly<{
  [key: string]: unknown;
  paths: Paths;
  webhooks: Paths;
  components: DocumentComponents;
}>;
type Paths = Readonly<Record<string, unknown>>;
export type DocumentComponents = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

type MutableObject = Record<string, unknown>;
const methods: ReadonlySet<string> = new Set(["get", "post", "put", "patch", "delete"]);

/**
 * The merged document with what no single route knows: where the API is, an id and a group for every operation, the
 * headers that every answer of a kind carries, and answers and headers that many have as components instead of copies.
 */
export function completeDocument(document: ApiDocument): ApiDocument {
  const shared = openShared();
  const paths = Object.fromEntries(
    Object.entries(document.paths)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, item]) => [
        path,
        eachOperation(item, (operation, method) => complete(operation, method, path, shared)),
      ]),
  );
  const webhooks = Object.fromEntries(
    Object.entries(document.webhooks).map(([name, item]) => [
      name,
      eachOperation(item, (operation) => ({ ...operation, tags: ["notifications"], security: [] })),
    ]),
  );
  return {
    ...document,
    info: { license: { name: "Apache-2.0", identifier: "Apache-2.0" }, ...asJson(document["info"]) },
    servers: [{ url: "/", description: "The gateway that serves this document." }],
    tags: apiTags,
    externalDocs: {
      url: "/asyncapi.json",
      description: "The records on Kafka and the events of the stream: AsyncAPI 3.1",
    },
    paths,
    webhooks,
    components: {
      ...document.components,
      headers: { ...used(answerHeaders, { paths, shared: shared.responses() }), ...document.components["headers"] },
      responses: { ...document.components["responses"], ...shared.responses() },
    },
  };
}

/** Those that an answer carries: with a role missing, not all are. */
function used(headers: MutableObject, by: MutableObject): MutableObject {
  const text = JSON.stringify(by);
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => text.includes(`"#/components/headers/${name}"`)),
  );
}

function complete(operation: MutableObject, method: string, path: string, shared: SharedResponses): MutableObject {
  const replays = (Array.isArray(operation["parameters"]) ? operation["parameters"] : []).some(
    (parameter) => asJson(parameter)["x-replays"] === true,
  );
  const responses = Object.fromEntries(
    Object.entries(asJson(operation["responses"])).map(([status, response]) => {
      const { headers, ...said } = asJson(response);
      const added = headersOf({ method, path, status, replays }).map((name) => [
        name,
        { $ref: `#/components/headers/${name}` },
      ]);
      return [status, shared.place(status, { ...said, headers: { ...Object.fromEntries(added), ...asJson(headers) } })];
    }),
  );
  const parameters = operation["parameters"];
  return {
    operationId: operationIdOf(method, path),
    ...operation,
    tags: [tagOf(path)],
    ...(path === "/v1/session" && method !== "get" ? {} : { "x-cost": costRange(method, path) }),
    ...(Array.isArray(parameters)
      ? { parameters: parameters.map((parameter) => described(asJson(parameter), path)) }
      : {}),
    responses,
  };
}

/** An id in a path is that of the thing named before it, where the route says nothing else. */
function described(parameter: MutableObject, path: string): MutableObject {
  const { name, description } = parameter;
  if (parameter["in"] !== "path" || description !== "") return parameter;
  const [, before = ""] = new RegExp(`/([^/]+)/{${String(name)}}`).exec(path) ?? [];
  return { ...parameter, description: `The id of one of your ${before}.` };
}

type SharedResponses = Readonly<{
  place: (status: string, response: MutableObject) => MutableObject;
  responses: () => MutableObject;
}>;

/** Failures are said once per status and wording; what an operation says of its own stays with it. */
function openShared(): SharedResponses {
  const found = new Map<string, string>();
  const responses: MutableObject = {};
  return {
    place: (status, response) => {
      if (Number(status) < 400) return response;
      const text = JSON.stringify(response);
      const taken = Object.keys(responses).filter((name) => name.startsWith(`Problem${status}`)).length;
      const name = found.get(text) ?? `Problem${status}${taken === 0 ? "" : `_${taken + 1}`}`;
      found.set(text, name);
      responses[name] = response;
      return { $ref: `#/components/responses/${name}` };
    },
    responses: () => responses,
  };
}

function eachOperation(
  item: unknown,
  change: (operation: MutableObject, method: string) => MutableObject,
): MutableObject {
  return Object.fromEntries(
    Object.entries(asJson(item)).map(([method, operation]) => [
      method,
      methods.has(method) ? change(asJson(operation), method) : operation,
    ]),
  );
}

function asJson(value: unknown): MutableObject {
  return isRecord(value) ? value : {};
}
