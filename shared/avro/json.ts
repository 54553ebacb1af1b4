/** Avro schemas as they stand in the files of `schemas/`: the part of Avro 1.11 this product uses, nothing else. */
export type AvroSchema =
  AvroPrimitive | AvroLogical | AvroRecord | AvroEnum | AvroArray | AvroMap | readonly AvroSchema[] | AvroName;

type AvroPrimitive = "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string";
/** The name of a record or enum defined earlier in the same file. */
type AvroName = string & {};
type AvroLogical = Readonly<{ type: AvroPrimitive; logicalType?: string }>;
type AvroArray = Readonly<{ type: "array"; items: AvroSchema }>;
type AvroMap = Readonly<{ type: "map"; values: AvroSchema }>;
export type AvroEnum = Readonly<{
  type: "enum";
  name: string;
  namespace?: string;
  doc?: string;
  symbols: readonly string[];
  default?: string;
}>;
export type AvroRecord = Readonly<{
  type: "record";
  name: string;
  namespace?: string;
  doc?: string;
  fields: readonly AvroField[];
}>;
export type AvroField = Readonly<{ name: string; type: AvroSchema; doc?: string; default?: unknown }>;

export const avroPrimitives: ReadonlySet<string> = new Set<AvroPrimitive>([
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string",
]);

/** The full name of a record: what CloudEvents and the registry's subjects are made of. */
export function fullName(schema: Readonly<{ name: string; namespace?: string }>, inherited = ""): string {
  if (schema.name.includes(".")) return schema.name;
  const namespace = schema.namespace ?? inherited;
  return namespace === "" ? schema.name : `${namespace}.${schema.name}`;
}
