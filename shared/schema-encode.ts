import type { EnumNode, RecordNode, SchemaNode, UnionNode } from "./schema-parse.ts";

/** Appends the Avro binary form of `value` to the sink. Throws a `Misfit` when the value is not of the schema. */
export type Encode = (value: unknown, sink: Sink) => void;

/** Bytes under construction: `bytes` is replaced by a larger copy when it is full; what is before `start` is done with. */
export type Sink = { bytes: Buffer; start: number; at: number };

/** Why a value does not fit. `path` is a JSON pointer to the place. */
export type Misfit = Error & { path: string };

/**
 * Compiles a schema into an encoder that checks as it writes: one pass, because a check of its own costs as much as the
 * writing (avsc 5.7.9 with `isValid`: 4.3 µs for a TaskCreated; this: see the benchmark B11). It is stricter than Avro:
 * undeclared and missing fields, lone surrogates, invalid dates and UUIDs, and numbers that are not exact are refused.
 */
export function compileEncoder(node: SchemaNode): Encode {
  switch (node.kind) {
    case "null":
      return (value) => (value === null ? undefined : misfit("must be null", value));
    case "boolean":
      return (value, sink) => {
        if (typeof value !== "boolean") misfit("must be true or false", value);
        reserve(sink, 1);
        sink.bytes[sink.at++] = value ? 1 : 0;
      };
    case "int":
      return node.logical === "date" ? encodeDay : encodeInt;
    case "long":
      return node.logical === "timestamp-millis" ? encodeInstant : encodeLong;
    case "float":
    case "double":
      return encodeFloat(node.kind === "double" ? 8 : 4);
    case "string":
      return node.logical === "uuid" ? encodeUuid : encodeString;
    case "bytes":
      return encodeBytes;
    case "enum":
      return encodeEnum(node);
    case "array":
      return encodeArray(compileEncoder(node.items));
    case "map":
      return encodeMap(compileEncoder(node.values));
    case "union":
      return encodeUnion(node);
    case "record":
      return encodeRecord(node);
  }
}

/** Makes room for `size` more bytes. The record begun moves to the new buffer; finished ones keep the old one. */
export function reserve(sink: Sink, size: number): void {
  if (sink.at + size <= sink.bytes.length) return;
  const begun = sink.at - sink.start;
  const larger = Buffer.allocUnsafeSlow(Math.max(slabBytes, 2 * (begun + size)));
  sink.bytes.copy(larger, 0, sink.start, sink.at);
  sink.bytes = larger;
  sink.start = 0;
  sink.at = begun;
}

export const slabBytes = 64 * 1024;

export function misfit(message: string, value: unknown): never {
  throw Object.assign(new Error(`${message}, not ${sketch(value)}`), { path: "" });
}

/** What kind of value it was, never the value: messages end up in logs and dead letters. */
function sketch(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid Date" : "a Date";
  if (typeof value === "string") return `text of ${value.length} characters`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function within(step: string | number, error: unknown): never {
  // Only misfits carry a path; anything else is a bug and goes up as it is.
  if (error instanceof Error && "path" in error) error.path = `/${step}${String(error.path)}`;
  throw error;
}

function encodeRecord({ fields }: RecordNode): Encode {
  const names = fields.map(({ name }) => name);
  const encoders = fields.map(({ node }) => compileEncoder(node));
  const declared = new Set(names);
  return (value, sink) => {
    if (!isPlainObject(value)) misfit("must be an object", value);
    let i = 0;
    try {
      for (; i < encoders.length; i++) encoders[i]!(value[names[i]!], sink);
    } catch (error) {
      within(names[i] ?? "", error);
    }
    for (const key in value)
      if (!declared.has(key)) throw Object.assign(new Error("is not a field of the record"), { path: `/${key}` });
  };
}

function encodeArray(item: Encode): Encode {
  return (value, sink) => {
    if (!Array.isArray(value)) misfit("must be an array", value);
    if (value.length > 0) {
      writeLong(value.length, sink);
      let i = 0;
      try {
        for (; i < value.length; i++) item(value[i], sink);
      } catch (error) {
        within(i, error);
      }
    }
    writeLong(0, sink);
  };
}

function encodeMap(entry: Encode): Encode {
  return (value, sink) => {
    if (!isPlainObject(value)) misfit("must be an object", value);
    const keys = Object.keys(value);
    if (keys.length > 0) writeLong(keys.length, sink);
    let key = "";
    try {
      for (key of keys) {
        // As a key of an object it would set the prototype of what a reader builds.
        if (key === "__proto__") misfit("must have another key", key);
        encodeString(key, sink);
        entry(value[key], sink);
      }
    } catch (error) {
      within(key, error);
    }
    writeLong(0, sink);
  };
}

type Bucket = "null" | "boolean" | "number" | "string" | "date" | "array" | "object" | "bytes";

function bucketOf(node: SchemaNode): Bucket {
  if (node.kind === "long" && node.logical === "timestamp-millis") return "date";
  if (node.kind === "int" && node.logical === "date") return "string";
  switch (node.kind) {
    case "null":
    case "boolean":
    case "array":
    case "string":
    case "bytes":
      return node.kind;
    case "enum":
      return "string";
    case "record":
    case "map":
      return "object";
    case "union":
      throw new Error("a union cannot be a branch of a union");
    default:
      return "number";
  }
}

function bucketOfValue(value: unknown): Bucket | "none" {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
      return typeof value as Bucket;
    case "object":
      if (value === null) return "null";
      if (value instanceof Date) return "date";
      if (Array.isArray(value)) return "array";
      return value instanceof Uint8Array ? "bytes" : "object";
    default:
      return "none";
  }
}

function encodeUnion({ branches }: UnionNode): Encode {
  const byBucket = new Map<Bucket | "none", Readonly<{ index: number; encode: Encode }>>();
  branches.forEach((branch, index) => {
    const bucket = bucketOf(branch);
    if (byBucket.has(bucket)) throw new Error(`the union has two branches for a ${bucket}`);
    byBucket.set(bucket, { index, encode: compileEncoder(branch) });
  });
  const allowed = [...byBucket.keys()].join(", ");
  const nullable = byBucket.get("null");
  return (value, sink) => {
    const branch = value === null ? nullable : byBucket.get(bucketOfValue(value));
    if (branch === undefined) misfit(`must be one of ${allowed}`, value);
    writeLong(branch.index, sink);
    branch.encode(value, sink);
  };
}

function encodeEnum({ symbols }: EnumNode): Encode {
  const indexes = new Map<unknown, number>(symbols.map((symbol, index) => [symbol, index]));
  return (value, sink) => {
    const index = indexes.get(value);
    if (index === undefined) misfit(`must be one of ${symbols.join(", ")}`, value);
    writeLong(index, sink);
  };
}

function encodeInt(value: unknown, sink: Sink): void {
  if (typeof value !== "number" || (value | 0) !== value) misfit("must be a whole number of 32 bits", value);
  writeLong(value, sink);
}

function encodeLong(value: unknown, sink: Sink): void {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) misfit("must be a whole number below 2^53", value);
  writeLong(value, sink);
}

function encodeInstant(value: unknown, sink: Sink): void {
  if (!(value instanceof Date)) misfit("must be a Date", value);
  const ms = value.getTime();
  if (Number.isNaN(ms)) misfit("must be a valid Date", value);
  writeLong(ms, sink);
}

function encodeDay(value: unknown, sink: Sink): void {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) misfit("must be a day YYYY-MM-DD", value);
  const ms = Date.parse(value);
  // Date.parse takes 2026-02-30 for a day in March.
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(value)) misfit("must be a day of the calendar", value);
  writeLong(ms / 86_400_000, sink);
}

function encodeFloat(size: 4 | 8): Encode {
  return (value, sink) => {
    if (typeof value !== "number" || !Number.isFinite(value)) misfit("must be a finite number", value);
    reserve(sink, size);
    if (size === 8) sink.bytes.writeDoubleLE(value, sink.at);
    else sink.bytes.writeFloatLE(value, sink.at);
    sink.at += size;
  };
}

function encodeBytes(value: unknown, sink: Sink): void {
  if (!(value instanceof Uint8Array)) misfit("must be bytes", value);
  writeLong(value.length, sink);
  reserve(sink, value.length);
  sink.bytes.set(value, sink.at);
  sink.at += value.length;
}

function encodeString(value: unknown, sink: Sink): void {
  if (typeof value !== "string") misfit("must be text", value);
  const { length } = value;
  if (length < 64) {
    // Short text is mostly ASCII: byte by byte beats a call into the runtime; anything else starts over below.
    reserve(sink, length + 1);
    const { bytes } = sink;
    let at = sink.at;
    bytes[at++] = 2 * length;
    let i = 0;
    for (; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) break;
      bytes[at++] = code;
    }
    if (i === length) {
      sink.at = at;
      return;
    }
  }
  if (!value.isWellFormed()) misfit("must be well-formed text without lone surrogates", value);
  const size = Buffer.byteLength(value);
  writeLong(size, sink);
  reserve(sink, size);
  sink.at += sink.bytes.write(value, sink.at, "utf8");
}

const dash = 45;

function encodeUuid(value: unknown, sink: Sink): void {
  if (typeof value !== "string" || value.length !== 36) misfit("must be a UUID", value);
  reserve(sink, 37);
  const { bytes } = sink;
  let at = sink.at;
  bytes[at++] = 72;
  for (let i = 0; i < 36; i++) {
    const code = value.charCodeAt(i);
    const expected = i === 8 || i === 13 || i === 18 || i === 23 ? code === dash : isHex(code);
    if (!expected) misfit("must be a UUID", value);
    bytes[at++] = code;
  }
  sink.at = at;
}

function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);
}

/** Zigzag and base 128, for whole numbers that a double holds exactly. */
function writeLong(value: number, sink: Sink): void {
  reserve(sink, 10);
  const { bytes } = sink;
  let at = sink.at;
  if (value >= -0x4000_0000 && value < 0x4000_0000) {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
    bytes[at++] = rest;
  } else {
    // Doubling passes 2^53 for the largest values; the lowest bit is taken off first, so that everything stays exact.
    const magnitude = value < 0 ? -(value + 1) : value;
    let low = ((magnitude % 64) * 2 + (value < 0 ? 1 : 0)) | 0;
    let rest = Math.floor(magnitude / 64);
    for (; rest > 0; rest = Math.floor(rest / 128)) {
      bytes[at++] = low | 128;
      low = (rest % 128) | 0;
    }
    bytes[at++] = low;
  }
  sink.at = at;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Uint8Array)
  );
}
