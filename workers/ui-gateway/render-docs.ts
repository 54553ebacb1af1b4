import type { ApiDocument } from "./api-document.ts";

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
summary { cursor: pointer; padding: .4rem 0; }
summary code { font-weight: 600; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
details { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
details > div { padding: 0 0 1rem 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
pre { overflow: auto; padding: .75rem; background: color-mix(in srgb, currentColor 8%, transparent); border-radius: .4rem; }
`;
const styleHash = `'sha256-${new Bun.CryptoHasher("sha256").update(style).digest("base64")}'`;
/** What the reference may do: nothing but look like this. */
export const docsPolicy = `default-src 'none'; style-src ${styleHash}; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
const methods = ["get", "post", "put", "patch", "delete"];

/**
 * The API's reference as one page: no script, nothing loaded from anywhere, so it also works offline and under a strict policy.
 * Everything is escaped; the document comes from our own processes, but what it says is still only text.
 */
export function renderDocs(document: ApiDocument): string {
  const info = asRecord(document["info"]);
  const operations = Object.entries(document.paths)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, item]) =>
      methods.flatMap((method) => {
        const operation = asRecord(item)[method];
        return operation === undefined ? [] : [renderOperation(document, method, path, asRecord(operation))];
      }),
    );
  const missing = Array.isArray(document["x-unavailable"]) ? document["x-unavailable"].map(String) : [];
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info["title"])} API</title><link rel="icon" href="/icon.svg"><style>${style}</style></head>
<body><main>
<h1>${escape(info["title"])} API</h1>
<p>${escape(info["description"])} The same as <a href="/openapi.json">OpenAPI 3.1</a>.</p>
<p>Sign in with <code>POST /v1/session</code>; send the token as <code>Authorization: Bearer …</code>.</p>
${missing.length === 0 ? "" : `<p role="alert">Not answering now, so missing here: ${escape(missing.join(", "))}.</p>`}
${operations.join("\n")}
</main></body></html>`;
}

function renderOperation(document: ApiDocument, method: string, path: string, operation: Json): string {
  const parameters = Array.isArray(operation["parameters"]) ? operation["parameters"].map(asRecord) : [];
  const rows = parameters.map((one) => {
    const parameter = asRecord(resolve(document, one));
    const { required, description } = parameter;
    return `<tr><td><code>${escape(parameter["name"])}</code></td><td>${escape(parameter["in"])}${required === true ? ", required" : ""}</td>
<td><code>${escape(typeOf(document, parameter["schema"]))}</code> ${escape(description ?? asRecord(parameter["schema"])["description"])}</td></tr>`;
  });
  const body = contentOf(document, operation["requestBody"]);
  const responses = Object.entries(asRecord(operation["responses"])).map(
    ([status, response]) =>
      `<h4>${escape(status)}: ${escape(asRecord(resolve(document, response))["description"])}</h4>${contentOf(document, response)}`,
  );
  return `<details><summary><span class="method">${escape(method.toUpperCase())}</span> <code>${escape(path)}</code> ${escape(operation["summary"])}</summary><div>
<p>${escape(operation["description"])}</p>
${rows.length === 0 ? "" : `<h3>Parameters</h3><table>${rows.join("")}</table>`}
${body === "" ? "" : `<h3>Body</h3>${body}`}
<h3>Answers</h3>${responses.join("")}
</div></details>`;
}

function contentOf(document: ApiDocument, of: unknown): string {
  return Object.entries(asRecord(asRecord(resolve(document, of))["content"]))
    .map(
      ([type, media]) =>
        `<p><code>${escape(type)}</code></p><pre>${escape(outline(document, asRecord(media)["schema"]))}</pre>`,
    )
    .join("");
}

/** A schema as indented text: fields with their types, a level at a time. */
function outline(document: ApiDocument, of: unknown, depth = 0): string {
  const schema = asRecord(resolve(document, of));
  if (schema["type"] === "array" && depth < 6) return `list of ${outline(document, schema["items"], depth + 1)}`;
  const fields = Object.entries(asRecord(schema["properties"]));
  if (fields.length === 0 || depth >= 6) return typeOf(document, schema);
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const pad = "  ".repeat(depth + 1);
  const lines = fields.map(([name, field]) => {
    const { description } = asRecord(resolve(document, field));
    const note = typeof description === "string" ? `  — ${description}` : "";
    return `${pad}${name}${required.includes(name) ? "" : "?"}: ${outline(document, field, depth + 1)}${note}`;
  });
  return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
}

function typeOf(document: ApiDocument, of: unknown): string {
  const schema = asRecord(resolve(document, of));
  const union = [schema["anyOf"], schema["oneOf"], schema["allOf"]].find(Array.isArray);
  if (union !== undefined) return union.map((one: unknown) => typeOf(document, one)).join(" | ");
  if (Array.isArray(schema["enum"])) return schema["enum"].map((value: unknown) => JSON.stringify(value)).join(" | ");
  const { type, format } = schema;
  const name = Array.isArray(type) ? type.join(" | ") : typeof type === "string" ? type : "any";
  return typeof format === "string" ? `${name} (${format})` : name;
}

type Json = Readonly<Record<string, unknown>>;

function resolve(document: ApiDocument, of: unknown): unknown {
  const reference = asRecord(of)["$ref"];
  if (typeof reference !== "string") return of;
  const [, section = "", name = ""] = /^#\/components\/([^/]+)\/([^/]+)$/.exec(reference) ?? [];
  return document.components[section]?.[name];
}

function asRecord(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function escape(value: unknown): string {
  return (typeof value === "string" ? value : "").replaceAll(
    /[&<>"']/g,
    (character) => `&#${character.codePointAt(0)};`,
  );
}
