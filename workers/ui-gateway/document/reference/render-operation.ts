import { block, code, escape, prose, table } from "./html.ts";
import type { Example } from "./examples.ts";
import { asJson, limitsOf, renderSchema, typeOf, type JsonObject } from "./render-schema.ts";

type DocumentedOperation = Readonly<{
  /** The whole document: references lead into it. */
  document: JsonObject;
  method: string;
  path: string;
  operation: JsonObject;
  examples: readonly Example[];
}>;

/** One operation, or one webhook, folded up. Its id is inside, so that a browser that is led there unfolds it. */
export function renderOperation({ document, method, path, operation, examples }: DocumentedOperation): string {
  const find = (value: unknown) => resolve(document, value);
  const parameters = (Array.isArray(operation["parameters"]) ? operation["parameters"] : []).map(find);
  const rows = parameters.map(({ name, in: place, required, description, schema }) => {
    const limits = limitsOf(schema);
    return [
      `${code(name)}<span class="soft"> ${escape(place)}${required === true ? "" : ", optional"}</span>`,
      typeOf(schema),
      `${prose(description)} ${limits === "" ? "" : `<span class="soft">${limits}.</span>`}`,
    ];
  });
  const body = mediaOf(find(operation["requestBody"]));
  const answers = Object.entries(asJson(operation["responses"])).map(([status, response]) => ({
    status,
    said: find(response),
  }));
  const good = answers.filter(({ status }) => !/^[45]/.test(status));
  const bad = answers.filter(({ status }) => /^[45]/.test(status));
  const id = String(operation["operationId"] ?? `${method}-${path}`);
  return `<details><summary><span class="method">${escape(method.toUpperCase())}</span> <code>${escape(path)}</code> <span>${escape(operation["summary"])}</span></summary>
<div><p class="soft" id="${escape(id)}"><a href="#${escape(id)}">${escape(id)}</a></p>
<p>${prose(operation["description"])}</p>
${renderCost(asJson(operation["x-cost"]))}
${examples.map(({ curl, says }) => `<p>${prose(says)}</p>${block(curl)}`).join("")}
${table(["Parameter", "Type", "What it is"], rows)}
${body === "" ? "" : `<h3>Body</h3>${body}`}
<h3>Answers</h3>
${good.map(({ status, said }) => renderAnswer(status, said)).join("")}
${
  bad.length === 0
    ? ""
    : table(
        ["Status", "Failure, as a Problem"],
        bad.map(({ status, said }) => [`<a href="#errors">${escape(status)}</a>`, prose(said["description"])]),
      )
}
</div></details>`;
}

function renderCost({ points, most, when }: JsonObject): string {
  if (typeof points !== "number") return "";
  const more = typeof most === "number" ? `; ${most} ${escape(String(when))}` : "";
  return `<p class="soft"><a href="#rate-limits">Costs</a> ${points} ${points === 1 ? "point" : "points"}${more}.</p>`;
}

function renderAnswer(status: string, said: JsonObject): string {
  const headers = Object.keys(asJson(said["headers"])).filter((name) => name !== "X-Request-Id");
  const shown = headers.length === 0 ? "" : ` With ${headers.map((name) => code(name)).join(", ")}.`;
  return `<p><b>${escape(status)}</b> ${prose(said["description"])}.${shown}</p>${mediaOf(said)}`;
}

/** Named schemas as a link, others in full. */
function mediaOf(of: JsonObject): string {
  return Object.entries(asJson(of["content"]))
    .map(([type, media]) => {
      const { schema } = asJson(media);
      const isNamed = "$ref" in asJson(schema);
      return isNamed || asJson(schema)["type"] === "string"
        ? `<p>${code(type)}: ${typeOf(schema)}</p>`
        : `<p>${code(type)}:</p>${renderSchema(schema)}`;
    })
    .join("");
}

function resolve(document: JsonObject, value: unknown): JsonObject {
  const reference: unknown = asJson(value)["$ref"];
  if (typeof reference !== "string") return asJson(value);
  return reference
    .split("/")
    .slice(1)
    .reduce<JsonObject>((found, part) => asJson(found[part]), document);
}
