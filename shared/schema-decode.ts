import type { EnumNode, PrimitiveNode, RecordNode, SchemaNode } from "./schema-parse.ts";

/** Reads one value and moves `at` behind it. Throws an Error when the bytes are not of the writer's schema. */
export type Decode = (source: Source) => unknown;
/** The bytes being read. `latin1` is the same, byte by byte, as text; null where that would keep too much in memory. */
export type Source = { readonly bytes: Buffer; readonly latin1: string | null; at: number; readonly end: number };

/** Starts reading `bytes` at `at`. */
export function openSource(bytes: Buffer, at: number): Source {
  // Cutting ASCII text out of one string is three times as fast as asking the runtime to decode each piece (12 ns
  // against 40 ns); the pieces keep the whole string alive, so only small records are treated so.
  return { bytes, latin1: bytes.length <= 4096 ? bytes.toString("latin1") : null, at, end: bytes.length };
}

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

/** A default of the schema as a value; made anew each time, so that nobody changes the next one's. */
function defaultValue(node: SchemaNode, json: unknown): unknown {
  switch (node.kind) {
    case "union": {
      const branch = node.branches[0];
      return branch === undefined ? null : defaultValue(branch, json);
    }
    case "array":
      return (json as readonly unknown[]).map((item) => defaultValue(node.items, item));
    case "map":
      return Object.fromEntries(
        Object.entries(json as object).map(([key, value]) => [key, defaultValue(node.values, value)]),
      );
    case "record": {
      const given = json as Readonly<Record<string, unknown>>;
      return Object.fromEntries(
        node.fields.map((field) => [field.name, defaultValue(field.node, given[field.name] ?? field.fallback?.json)]),
      );
    }
    case "long":
      return node.logical === null ? json : instant(json as number);
    case "int":
      return node.logical === null ? json : day(json as number);
    case "bytes":
      return Buffer.from(json as string, "latin1");
    default:
      return json;
  }
}

function instant(ms: number): Date {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw new Error("a timestamp is out of range");
  return date;
}

function day(days: number): string {
  return instant(days * 86_400_000)
    .toISOString()
    .slice(0, 10);
}

/** The number of items that follow, 0 at the end. Each takes a byte at least, so a count beyond the bytes left is a lie. */
function readBlock(source: Source): number {
  let count = readLong(source);
  if (count < 0) {
    readLong(source); // the size of the block in bytes, for those who skip it
    count = -count;
  }
  if (count > source.end - source.at) throw new Error("a block claims more items than there are bytes");
  return count;
}

function readBoolean(source: Source): boolean {
  const byte = source.bytes[advance(source, 1)];
  if (byte !== 0 && byte !== 1) throw new Error("a boolean is neither 0 nor 1");
  return byte === 1;
}

function readBytes(source: Source): Buffer {
  const from = advance(source, readLong(source));
  return Buffer.from(source.bytes.subarray(from, source.at));
}

function readString(source: Source): string {
  const size = readLong(source);
  const from = advance(source, size);
  if (source.latin1 !== null) {
    const { bytes, at } = source;
    let bits = 0;
    for (let i = from; i < at; i++) bits |= bytes[i]!;
    if (bits < 128) return source.latin1.substring(from, at);
  }
  const text = source.bytes.toString("utf8", from, source.at);
  // Broken UTF-8 is replaced in silence; so text with the replacement character must give its bytes back.
  if (text.includes("\ufffd") && !Buffer.from(text).equals(source.bytes.subarray(from, source.at)))
    throw new Error("a text is not UTF-8");
  return text;
}

function readUuid(source: Source): string {
  const size = readLong(source);
  const from = advance(source, size);
  if (size !== 36 || !isUuid(source.bytes, from)) throw new Error("a UUID is malformed");
  return source.latin1?.substring(from, source.at) ?? source.bytes.toString("latin1", from, source.at);
}

const isHexDigit = new Uint8Array(256);
for (const code of Buffer.from("0123456789abcdefABCDEF")) isHexDigit[code] = 1;
const dash = 45;

function isUuid(bytes: Buffer, from: number): boolean {
  let fits = 1;
  for (let i = 0; i < 36; i++) {
    const code = bytes[from + i]!;
    if (i === 8 || i === 13 || i === 18 || i === 23) fits &= code === dash ? 1 : 0;
    else fits &= isHexDigit[code]!;
  }
  return fits === 1;
}

/** Moves on by `size` bytes and returns where they began. */
function advance(source: Source, size: number): number {
  const from = source.at;
  if (size < 0 || size > source.end - from) throw new Error("the bytes end too early");
  source.at = from + size;
  return from;
}

/** Zigzag and base 128. Whole numbers a double cannot hold exactly are refused. */
function readLong(source: Source): number {
  const { bytes } = source;
  let byte = bytes[advance(source, 1)]!;
  if (byte <= 127) return (byte >>> 1) ^ -(byte & 1);
  let bits = byte & 127;
  for (let shift = 7; byte > 127 && shift < 28; shift += 7) {
    byte = bytes[advance(source, 1)]!;
    bits |= (byte & 127) << shift;
  }
  if (byte <= 127) return (bits >>> 1) ^ -(bits & 1);
  // From the fifth byte on in floating point: the lowest bit is the sign, the rest the magnitude.
  let magnitude = bits >>> 1;
  for (let factor = 2 ** 27; byte > 127; factor *= 128) {
    byte = bytes[advance(source, 1)]!;
    magnitude += (byte & 127) * factor;
    if (!Number.isSafeInteger(magnitude)) throw new Error("a number is too large");
  }
  return (bits & 1) === 1 ? -magnitude - 1 : magnitude;
}
