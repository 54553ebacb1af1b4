import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";
import { isRecord } from "../../shared/http/json-schema.ts";
import { formatText } from "./format-text.ts";

/**
 * The text of test/support/api-schema.ts: the types a stranger's generator makes of the API's document, without its
 * words.
 */
export async function clientTypes(document: object): Promise<string> {
  // Typed as 3.0 or 3.1 by hand there; `bun run check` says whether it is one.
  const types = await openapiTS(withoutWords(document) as OpenAPI3);
  const text = `// Generated from the routes by \`npx bun run gen\`; do not edit.\n\n${astToString(types)}`;
  return formatText(text, "api-schema.ts");
}

const words: ReadonlySet<string> = new Set(["description", "summary", "examples", "example", "title", "format"]);

/** Names of properties are no words, though they may be spelt like them. */
function withoutWords(value: unknown, isNames = false): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutWords(each));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, part]) => isNames || !words.has(key) || isRecord(part))
      .map(([key, part]) => [key, withoutWords(part, !isNames && (key === "properties" || key === "schemas"))]),
  );
}
