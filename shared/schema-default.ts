import type { SchemaNode } from "./schema-parse.ts";
import { day, instant } from "./schema-source.ts";

/** A default of the schema as a value; made anew each time, so that nobody changes the next one's. */
export function defaultValue(node: SchemaNode, json: unknown): unknown {
  switch (node.kind) {
    case "union": {
      const branch = node.branches[0];
      return branch === undefined ? null : defaultValue(branch, json);
    }
    case "array":
      return (json as readonly unknown[]).map((item) => defaultValue(node.items, item));
    case "map":
      return Object.fromEntries(
        Object.entries(json as object).map(([key, value]) => [key, defaultValue(node.values, value)]),
      );
    case "record": {
      const given = json as Readonly<Record<string, unknown>>;
      return Object.fromEntries(
        node.fields.map((field) => [field.name, defaultValue(field.node, given[field.name] ?? field.fallback?.json)]),
      );
    }
    case "long":
      return node.logical === null ? json : instant(json as number);
    case "int":
      return node.logical === null ? json : day(json as number);
    case "bytes":
      return Buffer.from(json as string, "latin1");
    default:
      return json;
  }
}
