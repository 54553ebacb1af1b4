import avro from "avsc";
import { hexText } from "../bytes.ts";
import { digestOf } from "../digest.ts";
import type { AvroRecord } from "./json.ts";
import { logicalTypes } from "./logical-types.ts";
import { recordType } from "./record-type.ts";

/**
 * SHA-256, in hex, of what a schema means to writers and readers. Docs, spelling and the order of attributes do not
 * count; unlike in Avro's own canonical form, logical types and the defaults of fields and enums do. Stored: it must
 * stay what it is.
 */
export function schemaFingerprint(schema: AvroRecord): string {
  return sha256(JSON.stringify(meaningOf(recordType(schema))));
}

/** The same of any text a registry holds; of one that is no record this product can read, that of the text. */
export function textFingerprint(schema: string): string {
  try {
    return schemaFingerprint(JSON.parse(schema) as AvroRecord);
  } catch {
    return sha256(schema);
  }
}

function meaningOf(type: avro.Type): unknown {
  if (type instanceof avro.types.RecordType)
    return { kind: "record", name: type.name, fields: type.fields.map(fieldMeaning) };
  if (type instanceof avro.types.EnumType)
    return { kind: "enum", name: type.name, symbols: type.symbols, fallback: enumDefault(type) };
  if (type instanceof avro.types.ArrayType) return { kind: "array", items: meaningOf(type.itemsType) };
  if (type instanceof avro.types.MapType) return { kind: "map", values: meaningOf(type.valuesType) };
  if (type instanceof avro.types.UnwrappedUnionType) return { kind: "union", branches: type.types.map(meaningOf) };
  if (type instanceof avro.types.FixedType) return { kind: "fixed", name: type.name, size: type.size };
  for (const [logical, Logical] of Object.entries(logicalTypes))
    if (type instanceof Logical) return { kind: type.underlyingType.typeName, logical };
  return { kind: type.typeName, logical: null };
}

function fieldMeaning({ name, type, defaultValue }: avro.types.Field): unknown {
  const json: unknown = defaultValue();
  const node = meaningOf(type);
  return json === undefined ? { name, node } : { name, node, fallback: { json } };
}

/** avsc has it and does not declare it. Null where there is none. */
export function enumDefault(type: avro.types.EnumType): string | null {
  return (type as avro.types.EnumType & { default?: string }).default ?? null;
}

function sha256(text: string): string {
  return hexText(digestOf("sha256", text));
}
