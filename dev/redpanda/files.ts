import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

/** Every file below redpanda/ by its path from there, `kubernetes/base/operator.yaml`. */
export type RedpandaFiles = ReadonlyMap<string, string>;

/** Reads what validators look at; tests plant mistakes in a copy of it. */
export function readRedpandaFiles(checkout: string): RedpandaFiles {
  const folder = join(checkout, "redpanda");
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, "utf8")] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/**
 * The documents of a YAML file. Throws, with line and column, for what is not YAML, a key that stands twice included.
 */
export function readYaml(text: string): readonly unknown[] {
  return parseAllDocuments(text, { uniqueKeys: true }).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(error.message.trim());
    const value: unknown = document.toJS();
    return value;
  });
}
