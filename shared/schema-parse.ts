import { avroPrimitives, fullName, type AvroPrimitive, type AvroRecord, type AvroSchema } from "./schema-json.ts";

/** A schema with its names looked up and its logical types known: what is compiled into an encoder or decoder. */
export type SchemaNode = PrimitiveNode | RecordNode | EnumNode | ArrayNode | MapNode | UnionNode;

export type LogicalType = "uuid" | "timestamp-millis" | "date";
export type PrimitiveNode = Readonly<{ kind: AvroPrimitive; logical: LogicalType | null }>;
export type RecordNode = Readonly<{ kind: "record"; name: string; fields: readonly FieldNode[] }>;
/** `fallback` is the default as JSON; its absence means there is none. */
export type FieldNode = Readonly<{ name: string; node: SchemaNode; fallback?: Readonly<{ json: unknown }> }>;
export type EnumNode = Readonly<{ kind: "enum"; name: string; symbols: readonly string[]; fallback: string | null }>;
export type ArrayNode = Readonly<{ kind: "array"; items: SchemaNode }>;
export type MapNode = Readonly<{ kind: "map"; values: SchemaNode }>;
export type UnionNode = Readonly<{ kind: "union"; branches: readonly SchemaNode[] }>;

const logicalBases: Readonly<Record<LogicalType, AvroPrimitive>> = {
  uuid: "string",
  "timestamp-millis": "long",
  date: "int",
};

/**
 * Reads a record schema from a file or the registry. Throws an Error naming the place where it is not a schema, or uses
 * what this product does not (fixed, recursive types). Logical types not known here are read as the type beneath, as
 * the specification says. Array items that take no bytes are refused: six bytes could claim 2^27 of them.
 */
export function parseSchema(json: unknown): RecordNode {
  const node = parse(json as AvroSchema, "", new Map(), "schema");
  if (node.kind !== "record") throw new Error("schema: the outermost type is not a record");
  return node;
}

/** The same for the text of a schema. */
export function parseSchemaText(text: string): RecordNode {
  return parseSchema(JSON.parse(text) as AvroRecord);
}

/** SHA-256, in hex, of what a schema means to encoder and decoder: docs, spelling and the order of attributes do not count. */
export function schemaFingerprint(node: RecordNode): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(node)).digest("hex");
}

function parse(schema: AvroSchema, namespace: string, names: Map<string, SchemaNode>, at: string): SchemaNode {
  if (typeof schema === "string") {
    if (avroPrimitives.has(schema)) return { kind: schema as AvroPrimitive, logical: null };
    const node = names.get(fullName({ name: schema }, namespace)) ?? names.get(schema);
    if (node === undefined) throw new Error(`${at}: "${schema}" is no type known at this place`);
    return node;
  }
  if (isUnion(schema)) {
    if (schema.length === 0) throw new Error(`${at}: the union is empty`);
    return { kind: "union", branches: schema.map((branch, i) => parse(branch, namespace, names, `${at}/${i}`)) };
  }
  if (typeof schema !== "object" || schema === null) throw new Error(`${at}: ${JSON.stringify(schema)} is no schema`);
  switch (schema.type) {
    case "record": {
      const name = fullName(schema, namespace);
      if (!Array.isArray(schema.fields)) throw new Error(`${at}: the record ${name} has no fields`);
      const inner = name.slice(0, Math.max(0, name.lastIndexOf(".")));
      const fields = schema.fields.map((field): FieldNode => {
        const node = parse(field.type, inner, names, `${at}/${field.name}`);
        return "default" in field
          ? { name: field.name, node, fallback: { json: field.default } }
          : { name: field.name, node };
      });
      return define(names, name, { kind: "record", name, fields }, at);
    }
    case "enum": {
      const name = fullName(schema, namespace);
      if (!Array.isArray(schema.symbols)) throw new Error(`${at}: the enum ${name} has no symbols`);
      return define(names, name, { kind: "enum", name, symbols: schema.symbols, fallback: schema.default ?? null }, at);
    }
    case "array": {
      const items = parse(schema.items, namespace, names, `${at}/items`);
      if (leastBytes(items) === 0) throw new Error(`${at}: the items of the array take no bytes`);
      return { kind: "array", items };
    }
    case "map":
      return { kind: "map", values: parse(schema.values, namespace, names, `${at}/values`) };
    default:
      if (typeof schema.type !== "string" || !avroPrimitives.has(schema.type))
        return parse(schema.type as AvroSchema, namespace, names, at);
      return { kind: schema.type, logical: logicalOf(schema.type, schema.logicalType) };
  }
}

function define(names: Map<string, SchemaNode>, name: string, node: SchemaNode, at: string): SchemaNode {
  if (names.has(name)) throw new Error(`${at}: ${name} is defined twice`);
  names.set(name, node);
  return node;
}

function logicalOf(base: AvroPrimitive, name: string | undefined): LogicalType | null {
  const known = (Object.keys(logicalBases) as LogicalType[]).find((logical) => logical === name);
  return known !== undefined && logicalBases[known] === base ? known : null;
}

function leastBytes(node: SchemaNode): number {
  if (node.kind === "null") return 0;
  if (node.kind === "record") return node.fields.reduce((sum, field) => sum + leastBytes(field.node), 0);
  return 1;
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}
