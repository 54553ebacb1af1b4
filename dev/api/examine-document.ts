import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { isRecord } from "../../shared/http/json-schema.ts";
import { examineReferences, valueAt } from "./examine-references.ts";

type DocumentObject = Readonly<Record<string, unknown>>;
const methods: ReadonlySet<string> = new Set(["get", "post", "put", "patch", "delete"]);

/** What is wrong with an OpenAPI 3.1 document, one line each; empty for one a stranger can build on. */
export async function examineDocument(document: DocumentObject): Promise<readonly string[]> {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  return [
    ...(valid ? [] : [`it is no OpenAPI 3.1: ${JSON.stringify(errors).slice(0, 2_000)}`]),
    ...examineReferences(document),
    ...examineSchemas(document),
    ...examineOperations(document),
  ];
}

/** JSON Schemas by the meta-schema of draft 2020-12; each default and example by the schema it stands in. */
function examineSchemas(document: DocumentObject): readonly string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  // addFormats is a CommonJS module: its function is the default of the default.
  addFormats.default(ajv);
  for (const format of ["time-zone", "reminder-rule", "span", "local-start", "due-time", "rrule"])
    ajv.addFormat(format, true);
  ajv.addSchema({ $id: "api", components: document["components"] });
  const faults: string[] = [];
  for (const { at, schema, isAnswer } of schemasIn(document)) {
    if (ajv.validateSchema(schema) !== true) {
      faults.push(`${at} is no JSON Schema: ${ajv.errorsText(ajv.errors)}`);
      continue;
    }
    const examples: unknown = schema["examples"];
    const values = [
      ...("default" in schema ? [["default", schema["default"]] as const] : []),
      ...("x-default" in schema ? [["x-default", schema["x-default"]] as const] : []),
      ...("example" in schema ? [["example", schema["example"]] as const] : []),
      ...(Array.isArray(examples) ? examples.map((example) => ["examples", example] as const) : []),
    ];
    if (values.length > 0) {
      const validate = ajv.compile(withLinks(schema));
      for (const [keyword, value] of values)
        if (!validate(value))
          faults.push(`${at}/${keyword} does not fit its own schema: ${ajv.errorsText(validate.errors)}`);
    }
    if (isAnswer && saysNothing(schema)) faults.push(`${at} says nothing of the value`);
  }
  return faults;
}

/** References lead to the components, which ajv knows under an id. */
function withLinks(schema: DocumentObject): DocumentObject {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/components/', '"$ref":"api#/components/'));
}

function saysNothing(schema: DocumentObject): boolean {
  return !["$ref", "type", "const", "enum", "anyOf", "oneOf", "allOf", "not"].some((keyword) => keyword in schema);
}

type SchemaPlace = Readonly<{ at: string; schema: DocumentObject; isAnswer: boolean }>;

const schemaMaps = ["properties", "patternProperties", "$defs"];
const schemaLists = ["anyOf", "oneOf", "allOf", "prefixItems"];
// An object may be open, so what else is in it (`additionalProperties`) need not be said.
const schemaParts = ["items", "contains"];

/** Every schema with all its parts, by where it stands. */
function schemasIn(document: DocumentObject): readonly SchemaPlace[] {
  const found: SchemaPlace[] = [];
  const inSchema = (schema: unknown, at: string, isAnswer: boolean): void => {
    if (!isRecord(schema)) return;
    found.push({ at, schema, isAnswer });
    for (const keyword of schemaMaps)
      for (const [name, part] of Object.entries(asJson(schema[keyword])))
        inSchema(part, `${at}/${keyword}/${name}`, isAnswer);
    for (const keyword of schemaLists) {
      const parts: unknown = schema[keyword];
      if (Array.isArray(parts))
        for (const [index, part] of parts.entries()) inSchema(part, `${at}/${keyword}/${index}`, isAnswer);
    }
    for (const keyword of schemaParts) inSchema(schema[keyword], `${at}/${keyword}`, isAnswer);
  };
  const walk = (value: unknown, at: string, isAnswer: boolean): void => {
    if (Array.isArray(value)) for (const [index, part] of value.entries()) walk(part, `${at}/${index}`, isAnswer);
    if (!isRecord(value)) return;
    for (const [key, part] of Object.entries(value)) {
      const here = `${at}/${key}`;
      if (key === "schema") inSchema(part, here, isAnswer);
      else if (here === "#/components/schemas")
        for (const [name, schema] of Object.entries(asJson(part))) inSchema(schema, `${here}/${name}`, true);
      else walk(part, here, isAnswer || key === "responses");
    }
  };
  walk(document, "#", false);
  return found;
}

function examineOperations(document: DocumentObject): readonly string[] {
  const ids = new Map<string, string>();
  const tags = new Set((Array.isArray(document["tags"]) ? document["tags"] : []).map((tag) => asJson(tag)["name"]));
  return Object.entries(asJson(document["paths"])).flatMap(([path, item]) =>
    Object.entries(asJson(item))
      .filter(([method]) => methods.has(method))
      .flatMap(([method, value]) => {
        const operation = asJson(value);
        const faults: string[] = [];
        const { operationId, summary } = operation;
        if (typeof summary !== "string" || summary === "") faults.push("has no summary");
        if (typeof operationId !== "string" || !/^[a-z][A-Za-z0-9]*$/.test(operationId))
          faults.push("has no operationId");
        else if (ids.has(operationId)) faults.push(`has the operationId of ${ids.get(operationId)}`);
        else ids.set(operationId, `${method} ${path}`);
        const own: unknown = operation["tags"];
        if (!Array.isArray(own) || own.length !== 1 || !tags.has(own[0]))
          faults.push(`has no tag with a description: ${String(own)}`);
        for (const status of missingFailures(method, operation)) faults.push(`does not say what ${status} means`);
        for (const [status, response] of Object.entries(asJson(operation["responses"])))
          if (Number(status) >= 400 && !isProblem(document, response)) faults.push(`answers ${status} with no Problem`);
        for (const parameter of Array.isArray(operation["parameters"]) ? operation["parameters"] : [])
          if (!asJson(parameter)["description"])
            faults.push(`does not say what ${String(asJson(parameter)["name"])} is`);
        return faults.map((fault) => `${method.toUpperCase()} ${path} ${fault}`);
      }),
  );
}

/** Anything may fail; what takes a body may find it malformed; what has an id in its path may find nothing there. */
function missingFailures(method: string, operation: DocumentObject): readonly string[] {
  const expected = ["500", "503", "401"];
  if (Array.isArray(operation["parameters"]) && operation["parameters"].length > 0) expected.push("422");
  if (operation["requestBody"] !== undefined) expected.push("400", "413", "415", "422");
  if (method !== "get") expected.push("403");
  return expected.filter((status) => !(status in asJson(operation["responses"])));
}

function isProblem(document: DocumentObject, response: unknown): boolean {
  const reference: unknown = asJson(response)["$ref"];
  const whole = typeof reference === "string" ? valueAt(document, reference.slice(2)) : response;
  const schema = asJson(asJson(asJson(asJson(whole)["content"])["application/problem+json"])["schema"]);
  return schema["$ref"] === "#/components/schemas/Problem";
}

function asJson(value: unknown): DocumentObject {
  return isRecord(value) ? value : {};
}

if (import.meta.main) {
  const { assembleDocument } = await import("./assemble-document.ts");
  const faults = await examineDocument(await assembleDocument());
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
  else console.log("the API's document is one");
}
