import { compileDecoder } from "./schema-decode.ts";
import type { SchemaFile, SchemaHistory } from "./schema-files.ts";
import { parseSchema, type RecordNode } from "./schema-parse.ts";
import { schemaMistakes } from "./schema-rules.ts";

/**
 * Why `one` and `other` are not FULL compatible: what either could not read of what the other may have written. Empty when
 * they are. Stricter than the registries: namespaces and logical types count, and an unknown enum symbol needs a default.
 */
export function fullMistakes(one: RecordNode, other: RecordNode): readonly string[] {
  const forth: string[] = [];
  const back: string[] = [];
  compileDecoder(one, other, forth);
  compileDecoder(other, one, back);
  return [
    ...forth.map((mistake) => `the newer cannot read the older: ${mistake}`),
    ...back.map((mistake) => `the older cannot read the newer: ${mistake}`),
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
    const node = parseSchema(version.schema);
    return versions
      .slice(0, index)
      .flatMap((older) =>
        fullMistakes(parseSchema(older.schema), node).map(
          (mistake) => `schemas/${version.path} against v${older.version}: ${mistake}`,
        ),
      );
  });
}

function fileMistakes({ path, schema, type }: SchemaFile): readonly string[] {
  const mistakes = schemaMistakes(schema);
  const misnamed = schema.name === type ? [] : [`the record is called ${schema.name} and its folder ${type}`];
  return [...mistakes, ...misnamed].map((mistake) => `schemas/${path}: ${mistake}`);
}
