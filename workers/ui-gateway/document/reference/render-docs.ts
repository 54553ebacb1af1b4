import { isRecord } from "../../../../shared/http/json-schema.ts";
import type { ApiDocument } from "../complete-document.ts";
import { base64Text } from "../../../../shared/bytes.ts";
import { digestOf } from "../../../../shared/digest.ts";
import { examples } from "./examples.ts";
import { chapters } from "./guide.ts";
import { escape, prose } from "./html.ts";
import { renderOperation } from "./render-operation.ts";
import { asJson, renderSchema } from "./render-schema.ts";
import { style } from "./style.ts";

const styleHash = `'sha256-${base64Text(digestOf("sha256", style))}'`;
/** What the reference may do: nothing but look like this. */
export const docsPolicy = `default-src 'none'; style-src ${styleHash}; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
const methods = ["get", "post", "put", "patch", "delete"];

type DocsSection = Readonly<{ id: string; title: string; html: string }>;

/**
 * The API's reference as one page: no script, nothing loaded from anywhere, so it also works offline and under a strict
 * policy. Every operation, schema and error has an id to link to, and is there once. Everything is escaped; the
 * document comes from our own processes, but what it says is still only text.
 */
export function renderDocs(document: ApiDocument): string {
  const info = asJson(document["info"]);
  const missing = Array.isArray(document["x-unavailable"]) ? document["x-unavailable"].map(String) : [];
  const groups = [...groupsOf(document), ...webhooksOf(document), ...schemasOf(document)];
  const links = [...chapters, ...groups].map(({ id, title }) => `<a href="#${escape(id)}">${escape(title)}</a>`);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info["title"])} API</title><link rel="icon" href="/icon.svg"><style>${style}</style></head>
<body><nav aria-label="Contents">${links.join("\n")}</nav><main>
<h1>${escape(info["title"])} API</h1>
<p>${escape(info["description"])} The same for machines: <a href="/openapi.json">OpenAPI 3.1</a>; the events on Kafka and in the stream: <a href="/asyncapi.json">AsyncAPI 3.1</a>; in short, for assistants: <a href="/llms.txt">llms.txt</a>.</p>
${missing.length === 0 ? "" : `<p role="alert">Not answering now, so missing here: ${escape(missing.join(", "))}.</p>`}
${[...chapters, ...groups].map(({ id, title, html }) => `<section><h2 id="${escape(id)}">${escape(title)}</h2>\n${html}</section>`).join("\n")}
</main></body></html>`;
}

function groupsOf(document: ApiDocument): readonly DocsSection[] {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = asJson(item)[method];
      return isRecord(operation) ? [{ path, method, operation }] : [];
    }),
  );
  const tags = (Array.isArray(document["tags"]) ? document["tags"] : []).map(asJson);
  return tags.flatMap(({ name, description }) => {
    const mine = operations.filter(({ operation }) => String(operation["tags"]) === name);
    if (mine.length === 0) return [];
    const title = String(name).replace(/^./, (letter) => letter.toUpperCase());
    const shown = mine.map(({ path, method, operation }) => {
      const own = examples.filter(({ operationId }) => operationId === operation["operationId"]);
      return renderOperation({ document, method, path, operation, examples: own });
    });
    return [
      {
        id: `tag-${String(name).replaceAll(" ", "-")}`,
        title,
        html: `<p>${prose(description)}</p>\n${shown.join("\n")}`,
      },
    ];
  });
}

function webhooksOf(document: ApiDocument): readonly DocsSection[] {
  const shown = Object.entries(document.webhooks).flatMap(([name, item]) => {
    const operation = asJson(asJson(item)["post"]);
    return [renderOperation({ document, method: "post", path: name, operation, examples: [] })];
  });
  return shown.length === 0 ? [] : [{ id: "webhook-bodies", title: "Webhook bodies", html: shown.join("\n") }];
}

function schemasOf(document: ApiDocument): readonly DocsSection[] {
  const schemas = Object.entries(asJson(document.components["schemas"])).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const html = schemas.map(
    ([name, schema]) =>
      `<article><h3 id="schema-${escape(name)}">${escape(name)}</h3>${renderSchema(schema)}</article>`,
  );
  return [{ id: "schemas", title: "Schemas", html: html.join("\n") }];
}
