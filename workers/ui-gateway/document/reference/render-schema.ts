import { isRecord } from "../../../../shared/http/json-schema.ts";
import { code, escape, prose, table } from "./html.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

const named = /^#\/components\/schemas\/([\w.-]+)$/;

/** A schema in one line: named ones as links to where they are shown in full. */
export function typeOf(value: unknown): string {
  const schema = asJson(value);
  const [, name] = named.exec(String(schema["$ref"] ?? "")) ?? [];
  if (name !== undefined) return `<a href="#schema-${escape(name)}">${escape(name)}</a>`;
  for (const keyword of ["anyOf", "oneOf"])
    if (Array.isArray(schema[keyword])) return schema[keyword].map(typeOf).join(" | ");
  if ("const" in schema) return code(JSON.stringify(schema["const"]));
  if (Array.isArray(schema["enum"])) return schema["enum"].map((each) => code(JSON.stringify(each))).join(" | ");
  const { type, format } = schema;
  const types = (Array.isArray(type) ? type : [type ?? "any"]).map(String);
  const shown = types.map((each) => {
    if (each === "array") return `list of ${typeOf(schema["items"])}`;
    if (each === "string" && typeof format === "string") return `string (${escape(format)})`;
    return escape(each);
  });
  return shown.join(" | ");
}

/** What a value has to keep to beside its type. */
export function limitsOf(value: unknown): string {
  const schema = asJson(value);
  const words: readonly (readonly [string, (limit: unknown) => string])[] = [
    ["minLength", (n) => `at least ${String(n)} characters`],
    ["maxLength", (n) => `at most ${String(n)} characters`],
    ["minItems", (n) => `at least ${String(n)} items`],
    ["maxItems", (n) => `at most ${String(n)} items`],
    ["minimum", (n) => `from ${String(n)}`],
    ["maximum", (n) => `to ${String(n)}`],
    ["minProperties", (n) => `at least ${String(n)} of its fields`],
    ["maxProperties", (n) => `at most ${String(n)} of its fields`],
    ["pattern", (text) => `pattern ${code(text)}`],
  ];
  const own = words.flatMap(([keyword, say]) => (keyword in schema ? [say(schema[keyword])] : []));
  const standard = "default" in schema ? schema["default"] : schema["x-default"];
  const { items } = schema;
  const each = isRecord(items) && !("$ref" in items) ? limitsOf(items) : "";
  return [
    ...own,
    ...(each === "" ? [] : [`each ${each}`]),
    ...(standard === undefined ? [] : [`default ${code(JSON.stringify(standard))}`]),
  ].join(", ");
}

/** A schema in full: its words, its fields one a row, and what is inside them below. */
export function renderSchema(value: unknown): string {
  const schema = asJson(value);
  const { description, examples } = schema;
  const limits = limitsOf(schema);
  const example =
    Array.isArray(examples) && examples.length > 0 ? `<p>Example: ${code(JSON.stringify(examples[0]))}</p>` : "";
  const rows = fieldRows(schema, "");
  const branches = [schema["anyOf"], schema["oneOf"]].find((each) => Array.isArray(each)) ?? [];
  const shape =
    rows.length > 0
      ? table(["Field", "Type", "What it is"], rows)
      : Array.isArray(branches) && branches.length > 0
        ? `<p>One of:</p>${branches.map(branch).join("")}`
        : `<p>${typeOf(schema)}</p>`;
  return `${typeof description === "string" ? `<p>${prose(description)}</p>` : ""}${limits === "" ? "" : `<p class="soft">${limits}.</p>`}${shape}${example}`;
}

function branch(value: unknown): string {
  const rows = fieldRows(asJson(value), "");
  if (rows.length === 0) return `<p>${typeOf(value)}. ${prose(asJson(value)["description"])}</p>`;
  return table(["Field", "Type", "What it is"], rows);
}

function fieldRows(schema: JsonObject, before: string): readonly (readonly string[])[] {
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(asJson(schema["properties"])).flatMap(([name, part]) => {
    const field = asJson(part);
    const path = `${before}${name}`;
    const limits = limitsOf(field);
    const must = required.includes(name) ? "" : `<span class="soft"> optional</span>`;
    const words = [prose(field["description"]), limits === "" ? "" : `<span class="soft">${limits}.</span>`];
    const items = asJson(field["items"]);
    const inside = "properties" in field ? field : "properties" in items ? items : null;
    const here = [
      `${code(path)}${must}`,
      inside === null ? typeOf(field) : shortType(field),
      words.filter(Boolean).join(" "),
    ];
    return inside === null ? [here] : [here, ...fieldRows(inside, `${path}${inside === items ? "[]" : ""}.`)];
  });
}

/** Of a field whose own fields follow. */
function shortType(field: JsonObject): string {
  const { type } = field;
  const types = (Array.isArray(type) ? type : [type]).map(String);
  return types.map((each) => (each === "array" ? "list of objects" : each)).join(" | ");
}

export function asJson(value: unknown): JsonObject {
  return isRecord(value) ? value : {};
}
