import avro from "avsc";
import type { SchemaFile, SchemaHistory } from "./files.ts";
import { enumDefault } from "./fingerprint.ts";
import { logicalTypes } from "./logical-types.ts";
import { recordType, type RecordType } from "./record-type.ts";
import { schemaMistakes } from "./rules.ts";

/**
 * Why `older` and `newer` are not FULL compatible: what either could not read of what the other may have written. Empty
 * when they are. Stricter than the registries: namespaces and logical types count, and an unknown enum symbol needs a
 * default.
 */
export function fullMistakes(older: RecordType, newer: RecordType): readonly string[] {
  return [
    ...readMistakes(older, newer, "").map((mistake) => `the newer cannot read the older: ${mistake}`),
    ...readMistakes(newer, older, "").map((mistake) => `the older cannot read the newer: ${mistake}`),
  ];
}

/**
 * Checks every committed version by itself and against every earlier one (FULL_TRANSITIVE), without a registry.
 * Each complaint names the file, and the file it does not go with.
 */
export function historyMistakes({ versions }: SchemaHistory): readonly string[] {
  return versions.flatMap((version, index) => {
    const mistakes = fileMistakes(version);
    // What is no schema cannot be compared either.
    if (mistakes.length > 0 || versions.slice(0, index).some((older) => fileMistakes(older).length > 0))
      return mistakes;
    const type = recordType(version.schema);
    return versions
      .slice(0, index)
      .flatMap((older) =>
        fullMistakes(recordType(older.schema), type).map(
          (mistake) => `schemas/${version.path} against v${older.version}: ${mistake}`,
        ),
      );
  });
}

/**
 * Why `reader` cannot read all that `writer` may write, each with its place. avsc decides; it names only the first
 * reason and never a place, so it is asked about the parts.
 */
export function readMistakes(writer: avro.Type, reader: avro.Type, at: string): readonly string[] {
  if (isRecord(writer) && isRecord(reader) && writer.name === reader.name)
    return reader.fields.flatMap((field) => fieldMistakes(writer, field, `${at}/${field.name}`));
  if (writer instanceof avro.types.ArrayType && reader instanceof avro.types.ArrayType)
    return readMistakes(writer.itemsType, reader.itemsType, `${at}/items`);
  if (writer instanceof avro.types.MapType && reader instanceof avro.types.MapType)
    return readMistakes(writer.valuesType, reader.valuesType, `${at}/values`);
  if (isUnion(writer)) return writer.types.flatMap((branch) => readMistakes(branch, reader, at));
  return canRead(writer, reader) ? [] : [`${at || "/"}: ${label(writer)} cannot be read as ${label(reader)}`];
}

function canRead(writer: avro.Type, reader: avro.Type): boolean {
  // avsc reads a logical type as the plain one beneath: the bytes fit and mean something else.
  if (logicalName(writer) !== null && logicalName(reader) === null && !isUnion(reader)) return false;
  try {
    reader.createResolver(writer);
    return true;
  } catch {
    return false;
  }
}

function fieldMistakes(writer: RecordType, field: avro.types.Field, at: string): readonly string[] {
  const written = writer.fields.find(({ name }) => name === field.name);
  if (written !== undefined) return readMistakes(written.type, field.type, at);
  return field.defaultValue() === undefined ? [`${at}: the writer has no such field and it has no default`] : [];
}

function isRecord(type: avro.Type): type is RecordType {
  return type instanceof avro.types.RecordType;
}

function isUnion(type: avro.Type): type is avro.types.UnwrappedUnionType {
  return type instanceof avro.types.UnwrappedUnionType;
}

function logicalName(type: avro.Type): string | null {
  return Object.entries(logicalTypes).find(([, Logical]) => type instanceof Logical)?.[0] ?? null;
}

function label(type: avro.Type): string {
  if (type instanceof avro.types.EnumType)
    return `enum ${type.name} of ${type.symbols.join(", ")} (${enumDefault(type) === null ? "no default" : "with a default"})`;
  if (isUnion(type)) return type.types.map(label).join(" or ");
  if (type instanceof avro.types.LogicalType) return `${type.underlyingType.typeName} (${logicalName(type)})`;
  return type.name === undefined ? type.typeName : `${type.typeName} ${type.name}`;
}

function fileMistakes({ path, schema, type }: SchemaFile): readonly string[] {
  const mistakes = schemaMistakes(schema);
  const misnamed = schema.name === type ? [] : [`the record is called ${schema.name} and its folder ${type}`];
  return [...mistakes, ...misnamed].map((mistake) => `schemas/${path}: ${mistake}`);
}
