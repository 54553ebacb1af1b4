import type { RouteConfig } from "@hono/zod-openapi";
import type { z } from "@hono/zod-openapi";
import { isRecord, jsonSchemaOf, type JsonSchema, type Side } from "./json-schema.ts";

/** An OpenAPI 3.1 document, or the part of it that one role knows. */
export type ApiPart = Readonly<{
  [key: string]: unknown;
  paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  webhooks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}>;

type Definition = Readonly<{ type?: string; route?: RouteConfig; webhook?: RouteConfig } & Record<string, unknown>>;
type HeaderDescription = Readonly<{ description: string; schema: JsonSchema; required?: boolean }>;

/**
 * Describes routes and webhooks by the schemas they check with. Requests are described as they may be sent, answers as
 * they are sent; a name used for both, where the two differ, is `<Name>Input` in requests. Throws for two different
 * schemas of one name.
 */
export function describeApi(definitions: readonly unknown[]): Pick<ApiPart, "paths" | "webhooks" | "components"> {
  const components: Record<string, Record<string, unknown>> = {};
  const names = openNames();
  const paths: Record<string, Record<string, unknown>> = {};
  const webhooks: Record<string, Record<string, unknown>> = {};
  for (const definition of definitions as readonly Definition[]) {
    // typed loosely by the registry that keeps them
    const { route, webhook } = definition;
    if (definition.type === "component") {
      const { componentType, name, component } = definition;
      (components[String(componentType)] ??= {})[String(name)] = component;
    } else if (route !== undefined) (paths[route.path] ??= {})[route.method] = operationOf(route, names);
    else if (webhook !== undefined) (webhooks[webhook.path] ??= {})[webhook.method] = operationOf(webhook, names);
  }
  const { schemas, finished } = names.finish({ paths, webhooks });
  return { ...finished, components: { ...components, schemas } };
}

function operationOf(route: RouteConfig, names: SchemaNames): Record<string, unknown> {
  const {
    method: _,
    path: _path,
    request,
    responses,
    hide: _hide,
    middleware: _middleware,
    ...said
  } = route as RouteConfig & {
    hide?: boolean;
    middleware?: unknown;
  };
  const parameters = [
    ...parametersOf(request?.params, "path", names),
    ...parametersOf(request?.query, "query", names),
    ...parametersOf(request?.headers, "header", names),
  ];
  const body = request?.body;
  return {
    ...said,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { ...body, content: contentOf(body.content, "input", names) } }),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, response]) => [status, responseOf(response, names)]),
    ),
  };
}

function responseOf(response: unknown, names: SchemaNames): unknown {
  if (!isRecord(response)) return response;
  const { headers, content, ...said } = response;
  return {
    ...said,
    ...(headers === undefined ? {} : { headers: headersOf(headers, names) }),
    ...(content === undefined ? {} : { content: contentOf(content, "output", names) }),
  };
}

/** Given as in OpenAPI, or as a zod object. */
function headersOf(headers: unknown, names: SchemaNames): unknown {
  if (!isZod(headers)) return headers;
  const entries = parametersOf(headers, "header", names).map((parameter) => {
    const { name, ...header } = parameter;
    return [name, { ...header, in: undefined }];
  });
  return Object.fromEntries(entries);
}

function contentOf(content: unknown, side: Side, names: SchemaNames): unknown {
  if (!isRecord(content)) return content;
  return Object.fromEntries(
    Object.entries(content).map(([type, media]) => {
      if (!isRecord(media)) return [type, media];
      const { schema } = media;
      return [type, { ...media, ...(isZod(schema) ? { schema: names.place(jsonSchemaOf(schema, side), side) } : {}) }];
    }),
  );
}

function parametersOf(
  schemas: unknown,
  place: "path" | "query" | "header",
  names: SchemaNames,
): readonly (HeaderDescription & { name: string; in: string })[] {
  const all = Array.isArray(schemas) ? schemas : schemas === undefined ? [] : [schemas];
  return all.filter(isZod).flatMap((schema) => {
    const { properties, required } = jsonSchemaOf(schema, "input");
    if (!isRecord(properties)) return [];
    return Object.entries(properties).map(([name, property]) => {
      const { description, "x-default": standard, "x-parameter": more, ...json } = isRecord(property) ? property : {};
      return {
        name,
        in: place,
        required: Array.isArray(required) && required.includes(name),
        description: typeof description === "string" ? description : "",
        ...(isRecord(more) ? more : {}),
        schema: names.place({ ...json, ...(standard === undefined ? {} : { default: standard }) }, "input"),
      };
    });
  });
}

function isZod(value: unknown): value is z.ZodType {
  return typeof value === "object" && value !== null && "_zod" in value;
}

type SchemaNames = Readonly<{
  /** The schema with its named parts replaced by references. */
  place: (json: JsonSchema, side: Side) => JsonSchema;
  finish: <T>(document: T) => Readonly<{ schemas: Readonly<Record<string, JsonSchema>>; finished: T }>;
}>;

const prefix = "#/components/schemas/";

/** Collects the named schemas of both sides; only when all are known can be said which differ. */
function openNames(): SchemaNames {
  const sides: Readonly<Record<Side, Map<string, JsonSchema>>> = { input: new Map(), output: new Map() };
  const place = (json: JsonSchema, side: Side): JsonSchema => {
    const { "x-name": name, ...schema } = mapSchemas(json, (part) => place(part, side));
    if (typeof name !== "string") return schema;
    const known = sides[side].get(name);
    const reference = { $ref: `${prefix}${side}:${name}` };
    if (known === undefined) sides[side].set(name, schema);
    else if (JSON.stringify(known) !== JSON.stringify(schema)) {
      // The same schema with other words beside it.
      const { description, ...rest } = schema;
      const { description: _, ...knownRest } = known;
      if (JSON.stringify(rest) !== JSON.stringify(knownRest))
        throw new Error(
          `two different schemas are called ${name}: ${JSON.stringify(known)} and ${JSON.stringify(schema)}`,
        );
      return { ...reference, ...(description === undefined ? {} : { description }) };
    }
    return reference;
  };
  const finish = <T>(document: T) => {
    const { input, output } = sides;
    // References compare equal whatever side they are of: what they lead to is compared under its own name.
    const written = (schema: unknown) =>
      JSON.stringify(schema ?? {})
        .replaceAll(/#\/components\/schemas\/(?:in|out)put:/g, prefix)
        .replaceAll(',"additionalProperties":false', "");
    const namesIn = (schema: unknown) =>
      [...JSON.stringify(schema ?? {}).matchAll(/schemas\/input:([\w.-]+)/g)].map(([, name = ""]) => name);
    const isSame = (name: string, seen: readonly string[] = []): boolean =>
      seen.includes(name) ||
      (written(input.get(name)) === written(output.get(name)) &&
        namesIn(input.get(name)).every((part) => isSame(part, [...seen, name])));
    const final = (side: Side, name: string): string =>
      side === "output" || !output.has(name) || isSame(name) ? name : `${name}Input`;
    const link = <V>(value: V): V =>
      JSON.parse(
        JSON.stringify(value).replaceAll(
          /#\/components\/schemas\/(input|output):([\w.-]+)/g,
          (_, side: Side, name: string) => prefix + final(side, name),
        ),
      );
    const schemas: Record<string, JsonSchema> = {};
    for (const side of ["input", "output"] as const)
      for (const [name, schema] of sides[side]) schemas[final(side, name)] ??= link(schema);
    return { schemas, finished: link(document) };
  };
  return { place, finish };
}

/** A copy of a schema with each direct part replaced. */
function mapSchemas(json: JsonSchema, change: (part: JsonSchema) => JsonSchema): JsonSchema {
  const each = (value: unknown): unknown => (isRecord(value) ? change(value) : value);
  return Object.fromEntries(
    Object.entries(json).map(([keyword, value]) => {
      if (keyword === "properties" || keyword === "$defs" || keyword === "patternProperties")
        return [
          keyword,
          isRecord(value) ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, each(part)])) : value,
        ];
      if (["anyOf", "oneOf", "allOf", "prefixItems"].includes(keyword) && Array.isArray(value))
        return [keyword, value.map(each)];
      if (["items", "additionalProperties", "not", "if", "then", "else", "contains"].includes(keyword))
        return [keyword, each(value)];
      return [keyword, value];
    }),
  );
}
