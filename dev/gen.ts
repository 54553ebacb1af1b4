// Writes shared/records.ts from the newest version of every schema; `--check` fails when it is stale instead.
import { join } from "node:path";
import { readSchemas } from "../shared/avro/files.ts";
import { avroPrimitives, type AvroField, type AvroRecord, type AvroSchema } from "../shared/avro/json.ts";

const target = join(import.meta.dir, "..", "shared", "records.ts");

const primitives: Readonly<Record<string, string>> = {
  null: "null",
  boolean: "boolean",
  int: "number",
  long: "number",
  float: "number",
  double: "number",
  bytes: "Uint8Array",
  string: "string",
};
const logical: Readonly<Record<string, string>> = { uuid: "string", "timestamp-millis": "Date", date: "string" };

/** The text of shared/records.ts: the types of the records in the order of the topics table, nested types first. */
export function recordTypes(records: readonly AvroRecord[]): string {
  const aliases = new Map<string, string>();
  for (const record of records) typeOf(record, aliases);
  const entries = records.map(({ name }) => `  ${name}: ${name};`);
  return [
    "// Generated from schemas/ by `npx bun run gen`; do not edit.",
    ...aliases.values(),
    `/** Every record by its name, which is also its \`ce_type\`. */\nexport type Records = {\n${entries.join("\n")}\n};`,
  ]
    .join("\n\n")
    .concat("\n");
}

function typeOf(schema: AvroSchema, aliases: Map<string, string>): string {
  if (typeof schema === "string") {
    const known = primitives[schema] ?? (aliases.has(schema) ? schema : undefined);
    if (known === undefined) throw new Error(`unknown type ${schema}`);
    return known;
  }
  if (isUnion(schema)) {
    // null last, as `X | null` reads.
    const branches = schema.filter((branch) => branch !== "null").map((branch) => typeOf(branch, aliases));
    return [...branches, ...(schema.includes("null") ? ["null"] : [])].join(" | ");
  }
  switch (schema.type) {
    case "array": {
      const items = typeOf(schema.items, aliases);
      return items.includes(" | ") ? `readonly (${items})[]` : `readonly ${items}[]`;
    }
    case "map":
      return `Readonly<Record<string, ${typeOf(schema.values, aliases)}>>`;
    case "enum":
      return alias(schema, schema.symbols.map((symbol) => JSON.stringify(symbol)).join(" | "), aliases);
    case "record": {
      const fields = schema.fields.map((field) => fieldLines(field, aliases));
      return alias(schema, `Readonly<{\n${fields.join("\n")}\n}>`, aliases);
    }
    default: {
      const type = schema.logicalType === undefined ? primitives[schema.type] : logical[schema.logicalType];
      if (type === undefined || !avroPrimitives.has(schema.type))
        throw new Error(`no type for ${JSON.stringify(schema)}`);
      return type;
    }
  }
}

function alias(named: { name: string; doc?: string }, text: string, aliases: Map<string, string>): string {
  if (aliases.has(named.name)) throw new Error(`two types are called ${named.name}`);
  aliases.set(named.name, `/** ${named.doc} */\nexport type ${named.name} = ${text};`);
  return named.name;
}

function fieldLines({ name, type, doc }: AvroField, aliases: Map<string, string>): string {
  return `  /** ${doc} */\n  ${name}: ${typeOf(type, aliases)};`;
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

if (import.meta.main) {
  const text = recordTypes((await readSchemas()).map(({ current }) => current.schema));
  const check = process.argv.includes("--check");
  const before = await Bun.file(target)
    .text()
    .catch(() => "");
  if (before === text) console.log("shared/records.ts is fresh");
  else if (check) {
    console.error(
      "shared/records.ts is stale: the schemas have changed; run `npx bun run gen` and commit what it writes",
    );
    process.exitCode = 1;
  } else {
    await Bun.write(target, text);
    console.log("shared/records.ts written");
  }
}
