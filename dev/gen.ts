// Writes what is made of other files: shared/messages/records.ts from the newest version of every schema, and the types
// of the API's clients from the routes, the AsyncAPI document, topics and users for the Redpanda operator, alerts for
// that of Prometheus;
// `--check` fails when one is stale instead.
import { join } from "node:path";
import { assembleDocument } from "./api/assemble-document.ts";
import { asyncDocumentText } from "./api/async/assemble-async-document.ts";
import { clientTypes } from "./api/client-types.ts";
import { rulesResource } from "./redpanda/kubernetes/make-rules.ts";
import { topicResources, userResources } from "./redpanda/operator/make-resources.ts";
import { readSchemas } from "../shared/avro/files.ts";
import { avroPrimitives, type AvroField, type AvroRecord, type AvroSchema } from "../shared/avro/json.ts";

const operatorFolder = "redpanda/kubernetes/components/redpanda";

/** Each generated file with how it is made and what it is made of. */
const generated: readonly Readonly<{ path: string; from: string; make: () => Promise<string> }>[] = [
  {
    path: "shared/messages/records.ts",
    from: "the schemas",
    make: async () => recordTypes((await readSchemas()).map(({ current }) => current.schema)),
  },
  {
    path: "test/support/api-schema.ts",
    from: "the routes",
    make: async () => clientTypes(await assembleDocument()),
  },
  {
    path: "workers/ui-gateway/document/asyncapi.json",
    from: "the topics, the schemas, the headers of records or the events of the stream",
    make: asyncDocumentText,
  },
  { path: `${operatorFolder}/topics.yaml`, from: "the topics", make: async () => topicResources() },
  {
    path: "redpanda/kubernetes/components/monitoring/rules.yaml",
    from: "the alerts",
    make: async () => rulesResource(),
  },
  {
    path: `${operatorFolder}/users.yaml`,
    from: "the topics or what roles do with them",
    make: async () => userResources(),
  },
];

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

/**
 * The text of shared/messages/records.ts: the types of the records in the order of the topics table, nested types
 * first.
 */
function recordTypes(records: readonly AvroRecord[]): string {
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
  aliases.set(named.name, `${docstring(named.doc)}\nexport type ${named.name} = ${text};`);
  return named.name;
}

function fieldLines({ name, type, doc }: AvroField, aliases: Map<string, string>): string {
  return `${docstring(doc, "  ")}\n  ${name}: ${typeOf(type, aliases)};`;
}

/** A docstring in lines of at most 120 columns. */
function docstring(text = "", indent = ""): string {
  const whole = `${indent}/** ${text} */`;
  if (whole.length <= 120) return whole;
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`;
    if (indent.length + 2 + line.length <= 120) lines[lines.length - 1] = line;
    else lines.push(` ${word}`);
  }
  return [`${indent}/**`, ...lines.map((line) => `${indent} *${line}`), `${indent} */`].join("\n");
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

if (import.meta.main) {
  for (const { path, from, make } of generated) {
    const file = Bun.file(join(import.meta.dir, "..", path));
    const text = await make();
    if (text === (await file.text().catch(() => ""))) console.log(`${path} is fresh`);
    else if (process.argv.includes("--check")) {
      console.error(`${path} is stale: ${from} have changed; run \`npx bun run gen\` and commit what it writes`);
      process.exitCode = 1;
    } else {
      await file.write(text);
      console.log(`${path} written`);
    }
  }
}
