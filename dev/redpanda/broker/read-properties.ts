// Makes properties.tsv of the list that Redpanda publishes with the documentation of a release:
//
//   bun dev/redpanda/broker/read-properties.ts redpanda-properties-v26.1.14.json
//
// The file is among the attachments of the reference in github.com/redpanda-data/docs.
import { basename, join } from "node:path";

type PropertyDescription = Readonly<{
  type: string;
  config_scope: string;
  category?: string | null;
  defined_in?: string | null;
  is_deprecated: boolean;
  is_enterprise: boolean;
  enterprise_value?: readonly string[] | null;
  enum?: readonly string[] | null;
  items?: Readonly<{
    enum?: readonly string[];
    "x-enum-metadata"?: Readonly<Record<string, { is_enterprise: boolean }>>;
  }>;
  aliases?: readonly string[] | null;
}>;

// What the documentation describes by hand is all "string" there.
const byHand = (name: string): string =>
  name === "advertised_kafka_api"
    ? "array"
    : name === "advertised_rpc_api"
      ? "object"
      : name.endsWith("_ms")
        ? "integer"
        : "string";
// The source names these in another way than the variable they are read from.
const misread = ({ config_scope, category, defined_in }: PropertyDescription): boolean =>
  config_scope === "broker" && (category ?? null) === null && defined_in !== "override";

const [file = ""] = process.argv.slice(2);
const { properties } = (await Bun.file(file).json()) as { properties: Readonly<Record<string, PropertyDescription>> };
const rows = Object.entries(properties)
  .filter(([, property]) => !property.is_deprecated && !misread(property))
  .flatMap(([name, property]) => [name, ...(property.aliases ?? [])].map((each) => row(each, property)))
  .toSorted();
const head = [
  `# Redpanda's properties, from ${basename(file)}: name, where it is set, type, values, values that need an Enterprise licence`,
  "# Made by read-properties.ts; do not edit.",
];
await Bun.write(join(import.meta.dirname, "properties.tsv"), [...head, ...rows, ""].join("\n"));
console.log(`${rows.length} properties`);

function row(name: string, property: PropertyDescription): string {
  const scope = property.config_scope === "broker" ? (property.category ?? "redpanda") : property.config_scope;
  const type =
    property.defined_in === "override" ? byHand(name) : property.type.replace("retention_duration_property", "integer");
  const licensed = Object.entries(property.items?.["x-enum-metadata"] ?? {})
    .filter(([, { is_enterprise }]) => is_enterprise)
    .map(([value]) => value);
  const enterprise = property.is_enterprise
    ? (property.enterprise_value ?? (licensed.length > 0 ? licensed : ["*"]))
    : [];
  return [name, scope, type, (property.enum ?? property.items?.enum ?? []).join(","), enterprise.join(",")]
    .join("\t")
    .trimEnd();
}
