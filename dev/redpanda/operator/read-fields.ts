// Makes fields.tsv of the Go types of the Redpanda operator's custom resources:
//
//   bun dev/redpanda/operator/read-fields.ts 26.2.2 operator/api/redpanda/v1alpha2
//
// The folder is in github.com/redpanda-data/redpanda-operator, at the tag operator/v26.2.2.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

type DocumentedField = Readonly<{ name: string; type: string; values: string; isInline: boolean }>;

/** The types of `spec`, by the kinds that are used here. */
const kinds = { Redpanda: "RedpandaSpec", Topic: "TopicSpec", User: "UserSpec" } as const;
/** What JSON makes of the types of others; what is missing may be anything. */
const plain: Readonly<Record<string, string>> = {
  string: "string",
  bool: "boolean",
  int: "integer",
  int32: "integer",
  int64: "integer",
  "metav1.Duration": "string",
  "corev1.SecretKeySelector": "SecretKeySelector",
  "corev1.ConfigMapKeySelector": "SecretKeySelector",
};

const [version = "", folder = ""] = process.argv.slice(2);
const source = readdirSync(folder)
  .filter((name) => name.endsWith("_types.go") || name === "common.go")
  .map((name) => readFileSync(join(folder, name), "utf8"))
  .join("\n");
const structs = new Map(
  [...source.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)].map(([, name = "", body = ""]) => [
    name,
    fieldsOf(body),
  ]),
);
structs.set(
  "SecretKeySelector",
  ["key", "name"].map((name) => ({ name, type: "string", values: "", isInline: false })),
);
const aliases = new Map(
  [...source.matchAll(/^type (\w+) (string|bool|int32|int)$/gm)].map(([, name = "", type = ""]) => [name, type]),
);
const enums = new Map(
  [...source.matchAll(/^\/\/ \+kubebuilder:validation:(?:item:)?Enum=(\S+)\n(?:\/\/.*\n)*type (\w+) string$/gm)].map(
    ([, values = "", name = ""]) => [name, values.replaceAll(";", ",")],
  ),
);
const lines = Object.entries(kinds).flatMap(([kind, type]) => walk(type, []).map((line) => `${kind}\t${line}`));
const head = [
  `# Fields of the Redpanda operator's resources, from its Go types at operator/v${version}: kind, path below spec, type, values.`,
  "# Made by read-fields.ts; do not edit. `[]` is each item of a list, `{}` each value of a map; any: the field may hold anything.",
];
await Bun.write(join(import.meta.dirname, "fields.tsv"), `${[...head, ...lines].join("\n")}\n`);

function fieldsOf(body: string): readonly DocumentedField[] {
  const found: DocumentedField[] = [];
  let values = "";
  for (const line of body.split("\n")) {
    const marker = /\+kubebuilder:validation:(?:item:)?Enum=(\S+)/.exec(line);
    if (marker !== null) values = (marker[1] ?? "").replaceAll(";", ",").replaceAll('"', "");
    const field = /^\s*(?:\w+\s+)?([\w.*[\]]+)\s+`json:"([^",]*)(,inline)?[^`]*`/.exec(line);
    if (field === null) continue;
    const [, type = "", name = "", inline] = field;
    found.push({ name, type: type.replaceAll("*", ""), values, isInline: inline !== undefined || name === "" });
    values = "";
  }
  return found;
}

/** A line for each field at and below a struct; a struct that holds itself is not gone into again. */
function walk(struct: string, within: readonly string[], path = ""): readonly string[] {
  if (within.includes(struct)) return [];
  return (structs.get(struct) ?? []).flatMap(({ name, type, values, isInline }) =>
    isInline
      ? walk(type, [...within, struct], path)
      : describe(type, values, [...within, struct], path === "" ? name : `${path}.${name}`),
  );
}

function describe(type: string, values: string, within: readonly string[], path: string): readonly string[] {
  const list = /^\[\](.+)$/.exec(type)?.[1];
  if (list !== undefined) return [`${path}\tlist\t`, ...describe(list, values, within, `${path}[]`)];
  const map = /^map\[string\](.+)$/.exec(type)?.[1];
  if (map !== undefined) return [`${path}\tmap\t`, ...describe(map, values, within, `${path}{}`)];
  const allowed = values === "" ? (enums.get(type) ?? "") : values;
  const known = plain[type] ?? aliases.get(type);
  if (known !== undefined && !structs.has(known)) return [`${path}\t${known}\t${allowed}`];
  const struct = known ?? type;
  return structs.has(struct) ? [`${path}\tobject\t`, ...walk(struct, within, path)] : [`${path}\tany\t`];
}
