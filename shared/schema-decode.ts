import { defaultValue } from "./schema-default.ts";
import type { EnumNode, PrimitiveNode, RecordNode, SchemaNode } from "./schema-parse.ts";
import {
  advance,
  day,
  instant,
  readBlock,
  readBoolean,
  readBytes,
  readLong,
  readString,
  readUuid,
  type Source,
} from "./schema-source.ts";

/** Reads one value and moves `at` behind it. Throws an Error when the bytes are not of the writer's schema. */
export type Decode = (source: Source) => unknown;
/**
 * Compiles the resolution of Avro 1.11 ("Schema Resolution"): reads what `writer` wrote as a value of `reader`. Reading without the
 * writer's schema does not exist here: it misreads in silence. Fields the reader does not know are skipped, fields the
 * writer did not know take the reader's default, unknown enum symbols take the enum's default.
 * Every reason why the reader cannot read everything the writer may have written is added to `mistakes`, with its place;
 * the decoder is only to be used when there is none. Stricter than Avro: names count with their namespace, and a logical
 * type must stay what it is, because the bytes would fit and mean something else.
 */
export function compileDecoder(writer: SchemaNode, reader: SchemaNode, mistakes: string[], at = ""): Decode {
  const refuse = (reason: string): Decode => {
    mistakes.push(`${at || "/"}: ${reason}`);
    return never;
  };
  if (writer.kind === "union") {
    const branches = writer.branches.map((branch) => compileDecoder(branch, reader, mistakes, at));
    const [first, second, third] = branches;
    if (first !== undefined && second !== undefined && third === undefined) return decodeEither(first, second);
    return (source) => {
      const branch = branches[readLong(source)];
      if (branch === undefined) throw new Error("there is no such branch of the union");
      return branch(source);
    };
  }
  if (reader.kind === "union") {
    const fitting = [...reader.branches]
      .sort((a, b) => Number(b.kind === writer.kind) - Number(a.kind === writer.kind))
      .find((branch) => {
        const problems: string[] = [];
        compileDecoder(writer, branch, problems, at);
        return problems.length === 0;
      });
    return fitting === undefined
      ? refuse(`no branch of the reader's union takes ${label(writer)}`)
      : compileDecoder(writer, fitting, mistakes, at);
  }
  switch (reader.kind) {
    case "record":
      if (writer.kind !== "record" || writer.name !== reader.name)
        return refuse(`${label(writer)} cannot be read as ${label(reader)}`);
      return decodeRecord(writer, reader, mistakes, at);
    case "enum":
      if (writer.kind !== "enum" || writer.name !== reader.name)
        return refuse(`${label(writer)} cannot be read as ${label(reader)}`);
      return decodeEnum(writer, reader, refuse);
    case "array":
      if (writer.kind !== "array") return refuse(`${label(writer)} cannot be read as an array`);
      return decodeArray(compileDecoder(writer.items, reader.items, mistakes, `${at}/items`));
    case "map":
      if (writer.kind !== "map") return refuse(`${label(writer)} cannot be read as a map`);
      return decodeMap(compileDecoder(writer.values, reader.values, mistakes, `${at}/values`));
    default:
      return decodePrimitive(writer, reader) ?? refuse(`${label(writer)} cannot be read as ${label(reader)}`);
  }
}

/** A union of two, as every nullable field is: its index is one byte, 0 or 2. */
function decodeEither(first: Decode, second: Decode): Decode {
  return (source) => {
    const index = source.bytes[advance(source, 1)];
    if (index === 0) return first(source);
    if (index === 2) return second(source);
    throw new Error("there is no such branch of the union");
  };
}

function never(): never {
  throw new Error("this decoder has mistakes and must not be used");
}

export function label(node: SchemaNode): string {
  if (node.kind === "record" || node.kind === "enum") return `${node.kind} ${node.name}`;
  return "logical" in node && node.logical !== null ? `${node.kind} (${node.logical})` : node.kind;
}

function decodeRecord(writer: RecordNode, reader: RecordNode, mistakes: string[], at: string): Decode {
  const wanted = new Map(reader.fields.map((field) => [field.name, field]));
  const steps = writer.fields.map((field) => {
    const target = wanted.get(field.name);
    wanted.delete(field.name);
    // A field the reader does not know is read as what it is, and forgotten.
    const decode = compileDecoder(field.node, target?.node ?? field.node, mistakes, `${at}/${field.name}`);
    return { decode, name: target === undefined ? null : field.name };
  });
  const defaults = [...wanted.values()].map(({ name, node, fallback }) => {
    if (fallback === undefined) mistakes.push(`${at}/${name}: the writer has no such field and it has no default`);
    return { name, make: () => defaultValue(node, fallback?.json) };
  });
  const names = steps.map(({ name }) => name);
  const decoders = steps.map(({ decode }) => decode);
  // Copying an object that has all fields, in the reader's order, is faster than adding them one by one.
  const blank = Object.fromEntries(reader.fields.map(({ name }) => [name, null as unknown]));
  return (source) => {
    const record: Record<string, unknown> = { ...blank };
    for (let i = 0; i < decoders.length; i++) {
      const value = decoders[i]!(source);
      const name = names[i]!;
      if (name !== null) record[name] = value;
    }
    for (const { name, make } of defaults) record[name] = make();
    return record;
  };
}

function decodeEnum(writer: EnumNode, reader: EnumNode, refuse: (reason: string) => Decode): Decode {
  const symbols = writer.symbols.map((symbol) => (reader.symbols.includes(symbol) ? symbol : reader.fallback));
  if (symbols.includes(null)) {
    const unknown = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
    return refuse(`the reader's ${label(reader)} has neither ${unknown.join(", ")} nor a default`);
  }
  return (source) => {
    const symbol = symbols[readLong(source)];
    if (symbol === undefined) throw new Error(`there is no such symbol of ${writer.name}`);
    return symbol;
  };
}

function decodeArray(item: Decode): Decode {
  return (source) => {
    const items: unknown[] = [];
    for (let count = readBlock(source); count > 0; count = readBlock(source))
      for (let i = 0; i < count; i++) items.push(item(source));
    return items;
  };
}

function decodeMap(entry: Decode): Decode {
  return (source) => {
    const map: Record<string, unknown> = {};
    for (let count = readBlock(source); count > 0; count = readBlock(source))
      for (let i = 0; i < count; i++) {
        const key = readString(source);
        if (key === "__proto__") throw new Error("a map has the key __proto__");
        map[key] = entry(source);
      }
    return map;
  };
}

const promotions: Readonly<Record<string, readonly string[]>> = {
  int: ["long", "float", "double"],
  long: ["float", "double"],
  float: ["double"],
  string: ["bytes"],
  bytes: ["string"],
};

function decodePrimitive(writer: SchemaNode, reader: PrimitiveNode): Decode | null {
  if (!("logical" in writer) || writer.logical !== reader.logical) return null;
  if (writer.kind !== reader.kind && !promotions[writer.kind]?.includes(reader.kind)) return null;
  if (reader.logical !== null) return logicalDecoders[reader.logical];
  switch (writer.kind) {
    case "null":
      return () => null;
    case "boolean":
      return readBoolean;
    case "int":
    case "long":
      return readLong;
    case "float":
      return (source) => source.bytes.readFloatLE(advance(source, 4));
    case "double":
      return (source) => source.bytes.readDoubleLE(advance(source, 8));
    default:
      return reader.kind === "bytes" ? readBytes : readString;
  }
}

const logicalDecoders = {
  uuid: readUuid,
  "timestamp-millis": (source: Source) => instant(readLong(source)),
  date: (source: Source) => day(readLong(source)),
};
