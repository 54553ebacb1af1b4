import { Ajv, type AnySchema, type ErrorObject } from "ajv";

/** A JSON Schema of an object with these keys and no others; `required` names those it cannot be without. */
export const only = (properties: Readonly<Record<string, AnySchema>>, required: readonly string[] = []): AnySchema => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
export const listOf = (items: AnySchema): AnySchema => ({ type: "array", items });
export const anyOf = (...anyOf: readonly AnySchema[]): AnySchema => ({ anyOf });
export const oneOfThese = (...values: readonly string[]): AnySchema => ({ enum: values });
export const text: AnySchema = { type: "string" };
export const flag: AnySchema = { type: "boolean" };
export const whole: AnySchema = { type: "integer" };
export const port: AnySchema = { type: "integer", minimum: 1, maximum: 65535 };
/** `15s`, `1h30m`: as Go and Prometheus write it. */
export const duration: AnySchema = { type: "string", pattern: "^([0-9.]+(ms|s|m|h|d|w|y))+$" };
export const mapOf = (values: AnySchema): AnySchema => ({ type: "object", additionalProperties: values });

/**
 * Makes the examination of a document: a line for each thing that is wrong, with its path,
 * `kafka.sasl.mechanizm is not a key here`.
 */
export function shape(
  schema: AnySchema,
  ajv = new Ajv({ allErrors: true, strict: false }),
): (value: unknown) => readonly string[] {
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : [...new Set((validate.errors ?? []).filter(tells).map(sentence))]);
}

/** Of a choice, what each branch lacks is said by the branches. */
const tells = ({ keyword }: ErrorObject): boolean => !["anyOf", "oneOf", "if"].includes(keyword);

function sentence({ instancePath, keyword, params, message }: ErrorObject): string {
  const path = instancePath.slice(1).replaceAll("/", ".").replaceAll("~1", "/");
  const unknown: unknown = keyword === "additionalProperties" ? params["additionalProperty"] : undefined;
  if (typeof unknown === "string") return `${path === "" ? "" : `${path}.`}${unknown} is not a key here`;
  const allowed: unknown = keyword === "enum" ? params["allowedValues"] : undefined;
  return `${path === "" ? "it" : path} ${message ?? "is wrong"}${Array.isArray(allowed) ? `: ${allowed.join(", ")}` : ""}`;
}
