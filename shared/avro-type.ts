import avro from "avsc";
import type { AvroRecord } from "./schema-json.ts";

/** An Avro record of avsc with our logical types: times are `Date`, days "YYYY-MM-DD", UUIDs checked text. */
export type RecordType = avro.Type;

/** Why a value does not fit. `path` is a JSON pointer to the place. */
export type Misfit = Readonly<{ path: string; message: string }>;

/** Builds the type of a record. Throws for a schema that is not Avro. */
export function recordType(schema: AvroRecord): RecordType {
  // The file's own types and avsc's agree on what Avro is; avsc's are mutable.
  return avro.Type.forSchema(
    schema as avro.Schema,
    {
      // Every type starts its own registry: two versions of one record live side by side.
      registry: {},
      logicalTypes: { "timestamp-millis": Instant, uuid: Uuid, date: Day },
      wrapUnions: "never",
      omitRecordMethods: true,
    } as Partial<avro.ForSchemaOptions>,
  );
}

/**
 * What is wrong with `value`, or null. Stricter than Avro: undeclared fields and ill-formed UTF-16, which the encoder would drop
 * and change in silence, are mistakes.
 */
export function misfitOf(type: RecordType, value: unknown): Misfit | null {
  let found: Misfit | null = null;
  const fits = type.isValid(value, {
    noUndeclaredFields: true,
    errorHook: (path: readonly string[], _value: unknown, expected: avro.Type) => {
      const stray = expected instanceof avro.types.RecordType ? strayField(expected, at(value, path)) : null;
      found ??=
        stray === null
          ? { path: pointer(path), message: `must be ${nameOf(expected)}` }
          : { path: pointer([...path, stray]), message: "is not declared" };
    },
  } as Parameters<RecordType["isValid"]>[1]);
  if (!fits) return found ?? { path: "", message: "does not fit" };
  if (isWellFormed(value)) return null;
  return { path: pointer(illFormedAt(value, []) ?? []), message: "must be well-formed text (it has a lone surrogate)" };
}

/**
 * A decoder of what `writer` wrote, as values of `reader`: Avro's schema resolution. Reading without the writer's schema does not
 * exist here, because it misreads in silence. Throws when the reader cannot read everything the writer may have written.
 * The decoder throws for bytes that are not exactly one record.
 */
export function recordDecoder(writer: RecordType, reader: RecordType): (bytes: Buffer, from: number) => unknown {
  const resolver = reader.createResolver(writer);
  return (bytes, from) => {
    const { value, offset } = reader.decode(bytes, from, resolver);
    if (offset < 0) throw new Error("the bytes end before the record does");
    if (offset !== bytes.length) throw new Error(`${bytes.length - offset} bytes are left over`);
    return value;
  };
}

const { LogicalType } = avro.types;

// avsc takes logical types as subclasses, and nothing else; returning undefined from _toValue says that the value does not fit.
class Instant extends LogicalType {
  protected override _fromValue(ms: number): Date {
    const time = new Date(ms);
    if (Number.isNaN(time.getTime())) throw new Error(`${ms} ms is no time`);
    return time;
  }
  protected override _toValue(value: unknown): number | undefined {
    return value instanceof Date && !Number.isNaN(value.getTime()) ? value.getTime() : undefined;
  }
  protected override _resolve(writer: avro.Type): unknown {
    return writer instanceof Instant ? same : undefined;
  }
}

class Uuid extends LogicalType {
  protected override _fromValue(text: string): string {
    return text;
  }
  protected override _toValue(value: unknown): string | undefined {
    return typeof value === "string" && uuid.test(value) ? value : undefined;
  }
  protected override _resolve(writer: avro.Type): unknown {
    return writer instanceof Uuid ? same : undefined;
  }
}

class Day extends LogicalType {
  protected override _fromValue(days: number): string {
    return new Date(days * dayMs).toISOString().slice(0, 10);
  }
  protected override _toValue(value: unknown): number | undefined {
    if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return undefined;
    const ms = Date.parse(`${value}T00:00:00Z`);
    // 2026-02-30 parses to a day of March: what does not come back the same is no date.
    return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== value ? undefined : ms / dayMs;
  }
  protected override _resolve(writer: avro.Type): unknown {
    return writer instanceof Day ? same : undefined;
  }
}

/** The writer's own type has made the value already; another logical type would fit the bytes and mean something else. */
const same = <T>(value: T): T => value;

const dayMs = 86_400_000;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function nameOf(type: avro.Type): string {
  if (type instanceof Instant) return "a valid Date";
  if (type instanceof Uuid) return "a UUID";
  if (type instanceof Day) return "a day such as 2026-01-31";
  if (type instanceof avro.types.EnumType) return `one of ${type.symbols.join(", ")}`;
  if (type instanceof avro.types.UnwrappedUnionType) return type.types.map(nameOf).join(" or ");
  return type.typeName;
}

function strayField(type: avro.types.RecordType, value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  const declared = new Set(type.fields.map(({ name }) => name));
  return Object.keys(value).find((name) => !declared.has(name)) ?? null;
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((found, name) => (found as Readonly<Record<string, unknown>> | undefined)?.[name], value);
}

/** Makes no garbage: it runs for every message written (0.2 µs for a TaskCreated). */
function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null || value instanceof Date) return true;
  if (Array.isArray(value)) return value.every(isWellFormed);
  for (const name in value)
    if (!name.isWellFormed() || !isWellFormed((value as Readonly<Record<string, unknown>>)[name])) return false;
  return true;
}

function illFormedAt(value: unknown, path: readonly string[]): readonly string[] | null {
  if (typeof value !== "object" || value === null) return isWellFormed(value) ? null : path;
  for (const [name, inner] of Object.entries(value)) {
    const found = name.isWellFormed() ? illFormedAt(inner, [...path, name]) : path;
    if (found !== null) return found;
  }
  return null;
}

function pointer(path: readonly string[]): string {
  return path.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
