import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AnySchema } from "ajv";
import { flag, text, whole } from "../shape.ts";

/**
 * `scope` is `cluster`, `topic`, or the section of redpanda.yaml: `redpanda`, `pandaproxy`, `pandaproxy-client`,
 * `schema-registry`.
 */
type Property = Readonly<{ name: string; scope: string; schema: AnySchema; licensed: readonly string[] }>;

const types: Readonly<Record<string, AnySchema>> = {
  boolean: flag,
  integer: whole,
  number: { type: "number" },
  string: text,
  array: { type: "array" },
  object: { type: "object" },
};

const list = readFileSync(join(import.meta.dirname, "properties.tsv"), "utf8");

/** The release that the list is of, `v26.1.14`. */
export const propertiesVersion = /redpanda-properties-(v[\d.]+\d)/.exec(list)?.[1] ?? "";

export const properties: readonly Property[] = list
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [name = "", scope = "", type = "", values = "", licensed = ""] = line.split("\t");
    const plain = types[type] ?? {};
    const allowed = values === "" ? null : { enum: values.split(",") };
    const schema = allowed === null ? plain : type === "array" ? { type: "array", items: allowed } : allowed;
    return { name, scope, schema, licensed: licensed === "" ? [] : licensed.split(",") };
  });

export const propertiesOf = (scope: string): Readonly<Record<string, AnySchema>> =>
  Object.fromEntries(
    properties.filter((property) => property.scope === scope).map(({ name, schema }) => [name, schema]),
  );

/** The settings that work without an Enterprise licence for a month only, and are refused or ignored then. */
export function licensedSettings(settings: Readonly<Record<string, unknown>>): readonly string[] {
  const needs = ({ name, scope, licensed }: Property): boolean =>
    scope === "cluster" &&
    name in settings &&
    [settings[name]].flat().some((value) => licensed.includes("*") || licensed.includes(String(value)));
  return properties
    .filter(needs)
    .map(({ name }) => `${name}: ${JSON.stringify(settings[name])} needs an Enterprise licence`);
}
