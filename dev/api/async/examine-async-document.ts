import asyncApi from "@asyncapi/specs/schemas/3.1.0.json" with { type: "json" };
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { isRecord } from "../../../shared/http/json-schema.ts";
import { examineReferences } from "../examine-references.ts";

// Ajv knows the meta-schema of draft 7 itself, and takes no second one.
const { "http://json-schema.org/draft-07/schema": _, ...definitions } = asyncApi.definitions;
const ajv = new Ajv({ strict: false, allErrors: true });
// addFormats is a CommonJS module: its function is the default of the default.
addFormats.default(ajv);
const validate = ajv.compile({ ...asyncApi, definitions });

type AsyncObject = Readonly<Record<string, unknown>>;

/**
 * What is wrong with an AsyncAPI 3.1 document, one line each. By the JSON Schemas that AsyncAPI publishes, and not by
 * `@asyncapi/parser`: that is 160 packages of 53 MB. What it says beyond the schemas is said here: references and
 * what stands in braces.
 */
export function examineAsyncDocument(document: AsyncObject): readonly string[] {
  return [
    ...(validate(document)
      ? []
      : (validate.errors ?? [])
          .slice(0, 20)
          .map(({ instancePath, message }) => `it is no AsyncAPI 3.1: ${instancePath || "/"} ${message}`)),
    ...examineReferences(document),
    ...entriesOf(document["channels"]).flatMap(([name, channel]) =>
      examineBraces(`channel ${name}`, channel["address"], channel["parameters"]),
    ),
    ...entriesOf(document["servers"]).flatMap(([name, server]) =>
      examineBraces(`server ${name}`, server["host"], server["variables"]),
    ),
  ];
}

/** Names in braces that are not described, and descriptions of names that are not there. */
function examineBraces(where: string, text: unknown, described: unknown): readonly string[] {
  const named = [...String(text).matchAll(/\{([^}]+)\}/g)].map(([, name = ""]) => name);
  const known = isRecord(described) ? Object.keys(described) : [];
  return [
    ...named.filter((name) => !known.includes(name)).map((name) => `${where} does not describe {${name}}`),
    ...known.filter((name) => !named.includes(name)).map((name) => `${where} has no {${name}}`),
  ];
}

function entriesOf(section: unknown): readonly (readonly [string, AsyncObject])[] {
  return Object.entries(isRecord(section) ? section : {}).map(([name, value]) => [name, isRecord(value) ? value : {}]);
}

if (import.meta.main) {
  const { assembleAsyncDocument } = await import("./assemble-async-document.ts");
  const faults = examineAsyncDocument(await assembleAsyncDocument());
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
  else console.log("the AsyncAPI document is one");
}
