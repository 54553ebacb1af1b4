import { z } from "@hono/zod-openapi";
import { zodToOpenAPIRegistry } from "@asteasolutions/zod-to-openapi";

/**
 * A JSON Schema of draft 2020-12, as OpenAPI 3.1 takes it. `x-name` marks one that becomes a component of that name.
 */
export type JsonSchema = { [keyword: string]: unknown };

/** What is sent to us (`input`: before defaults and transforms) or what we send. */
export type Side = "input" | "output";

/**
 * The JSON Schema of what a zod schema takes or gives, with what `.openapi(…)` says beside it. Those words lie over
 * what zod knows, so they can add keywords zod has no check for (`pattern`, `not`), and `null` stays where the schema
 * takes it.
 */
export function jsonSchemaOf(schema: z.ZodType, side: Side): JsonSchema {
  const { $schema: _, ...json }: JsonSchema = z.toJSONSchema(schema, {
    io: side,
    target: "draft-2020-12",
    // A refinement or transform has no JSON Schema; its `.openapi` has the words for it.
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      // zod's type of a JSON Schema has no place for x- keywords.
      const target = jsonSchema as JsonSchema;
      Object.assign(target, wordsOf(zodSchema, target));
    },
  });
  tidy(json, side);
  return json;
}

type ZodSchema = z.core.$ZodType;
type Words = Readonly<Record<string, unknown>>;

function wordsOf(schema: ZodSchema, json: JsonSchema): Words {
  const { _internal, param: _, example, ...words } = ownWords(schema);
  const name = isRecord(_internal) ? _internal["refId"] : undefined;
  return {
    ...words,
    ...(example === undefined ? {} : { examples: [example] }),
    // z.unknown() of a named schema gives no type; what stands beside it would be an annotation of anything.
    ...(typeof name === "string" && json["$ref"] === undefined ? { "x-name": name } : {}),
  };
}

/**
 * What was said of this very schema: modifiers such as `.nullable()` copy the words of what they wrap, where they would
 * be wrong.
 */
function ownWords(schema: ZodSchema): Words {
  const words = { ...z.globalRegistry.get(schema), ...zodToOpenAPIRegistry.get(asExtended(schema)) } as Words;
  const inner = wrapped(schema);
  if (inner === null) return words;
  const below = new Set(chain(inner).flatMap((each) => Object.entries(allWords(each)).map(same)));
  return Object.fromEntries(Object.entries(words).filter((entry) => !below.has(same(entry))));
}

const allWords = (schema: ZodSchema): Words => ({
  ...z.globalRegistry.get(schema),
  ...zodToOpenAPIRegistry.get(asExtended(schema)),
});
const same = (entry: readonly [string, unknown]) => JSON.stringify(entry);
const chain = (schema: ZodSchema): readonly ZodSchema[] => {
  const inner = wrapped(schema);
  return inner === null ? [schema] : [schema, ...chain(inner)];
};

function wrapped(schema: ZodSchema): ZodSchema | null {
  const { def } = asExtended(schema);
  if ("innerType" in def) return def.innerType as ZodSchema; // of optional, nullable, default and their like
  if (def.type === "pipe" && "in" in def) return def.in as ZodSchema; // before the transform
  return null;
}

/** The registry is typed for the classes of the package; every schema here is one of them. */
const asExtended = (schema: ZodSchema) => schema as z.ZodType;

/** Goes through a finished schema, the parts before the whole. */
function tidy(json: JsonSchema, side: Side): void {
  for (const [keyword, value] of Object.entries(json)) {
    if (literals.has(keyword)) continue;
    const below = named.has(keyword) && isRecord(value) ? Object.values(value) : Array.isArray(value) ? value : [value];
    for (const each of below) if (isRecord(each)) tidy(each, side);
  }
  if (json["minimum"] === Number.MIN_SAFE_INTEGER) delete json["minimum"];
  if (json["maximum"] === Number.MAX_SAFE_INTEGER) delete json["maximum"];
  // The format says it; zod's pattern for it is 300 characters long. A short one says more, such as which years.
  const { format, pattern } = json;
  if (saidByFormat.has(String(format)) && typeof pattern === "string" && pattern.length > 60) delete json["pattern"];
  // An answer may gain fields; who reads it must not refuse them.
  if (side === "output" && json["additionalProperties"] === false) delete json["additionalProperties"];
  // Generators make a property with a default required, which in a request it is not.
  if (side === "input" && "default" in json) {
    json["x-default"] = json["default"];
    delete json["default"];
  }
  foldNull(json);
}

const literals = new Set(["examples", "default", "x-default", "const", "enum", "required", "description"]);
const named = new Set(["properties", "patternProperties", "$defs"]);
const saidByFormat = new Set(["date", "date-time", "uuid"]);

/**
 * `anyOf: [{type: "string", …}, {type: "null"}]` is `{type: ["string", "null"], …}` where nothing else in it is about
 * null.
 */
function foldNull(json: JsonSchema): void {
  const { anyOf } = json;
  if (!Array.isArray(anyOf) || anyOf.length !== 2 || !isRecord(anyOf[0]) || !isRecord(anyOf[1])) return;
  const [first, second] = anyOf;
  if (second["type"] !== "null" || typeof first["type"] !== "string" || "x-name" in first) return;
  if (["const", "not", "anyOf", "oneOf", "allOf"].some((keyword) => keyword in first)) return;
  const outer = { ...json };
  delete json["anyOf"];
  delete outer["anyOf"];
  const { enum: values } = first;
  Object.assign(json, first, { type: [first["type"], "null"] }, outer);
  if (Array.isArray(values)) json["enum"] = [...values, null];
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
