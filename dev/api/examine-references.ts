import { isRecord } from "../../shared/http/json-schema.ts";

type ReferringDocument = Readonly<Record<string, unknown>>;

/** References that lead nowhere, and components that nothing refers to, one line each. */
export function examineReferences(document: ReferringDocument): readonly string[] {
  const used = new Set([...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = ""]) => path));
  const components = Object.entries(asJson(document["components"])).flatMap(([section, entries]) =>
    section === "securitySchemes" ? [] : Object.keys(asJson(entries)).map((name) => `components/${section}/${name}`),
  );
  return [
    ...[...used]
      .filter((path) => valueAt(document, path) === undefined)
      .map((path) => `#/${path} is referred to and not there`),
    ...components.filter((path) => !used.has(path)).map((path) => `#/${path} is used by nothing`),
  ];
}

/** What a JSON pointer without its `#/` leads to. */
export function valueAt(document: unknown, path: string): unknown {
  return path
    .split("/")
    .reduce((value, part) => asJson(value)[part.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}

function asJson(value: unknown): ReferringDocument {
  return isRecord(value) ? value : {};
}
