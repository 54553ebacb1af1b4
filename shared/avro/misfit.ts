import avro from "avsc";
import { Day, Instant, Uuid } from "./logical-types.ts";
import type { RecordType } from "./record-type.ts";

/**
 * Why a value does not fit. `path` is a JSON pointer to the place; the message never has the value: it ends up in logs.
 */
export type Misfit = Readonly<{ path: string; message: string }>;

/**
 * What is wrong with `value`, or null. Stricter than Avro: undeclared fields and ill-formed UTF-16, which the encoder
 * would drop and change in silence, numbers that are none, and the key __proto__ are mistakes.
 */
export function misfitOf(type: RecordType, value: unknown): Misfit | null {
  // Without a hook avsc stops at the first mistake, and keeps no path.
  if (!type.isValid(value, strict)) return firstMisfit(type, value);
  return isSound(value) ? null : unsoundAt(value, []);
}

// avsc knows the option and does not declare it.
const strict = { noUndeclaredFields: true } as Parameters<RecordType["isValid"]>[1];

function firstMisfit(type: RecordType, value: unknown): Misfit {
  let found: Misfit | null = null;
  const errorHook = (path: readonly string[], wrong: unknown, expected: avro.Type) => {
    const stray = expected instanceof avro.types.RecordType ? strayField(expected, wrong) : null;
    found ??=
      stray === null
        ? { path: pointer(path), message: `must be ${nameOf(expected)}, not ${sketch(wrong)}` }
        : { path: pointer([...path, stray]), message: "is not a field of the record" };
  };
  type.isValid(value, { ...strict, errorHook: errorHook as (path: string[], any: unknown, type: avro.Type) => void });
  return found ?? { path: "", message: "does not fit" };
}

function strayField(type: avro.types.RecordType, value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  const declared = new Set(type.fields.map(({ name }) => name));
  return Object.keys(value).find((name) => !declared.has(name)) ?? null;
}

function nameOf(type: avro.Type): string {
  if (type instanceof Instant) return "a valid Date";
  if (type instanceof Uuid) return "a UUID";
  if (type instanceof Day) return "a day of the calendar as YYYY-MM-DD";
  if (type instanceof avro.types.EnumType) return `one of ${type.symbols.join(", ")}`;
  if (type instanceof avro.types.UnwrappedUnionType) return type.types.map(nameOf).join(" or ");
  return names[type.typeName] ?? type.typeName;
}

const names: Readonly<Record<string, string>> = {
  boolean: "true or false",
  int: "a whole number of 32 bits",
  long: "a whole number below 2^53",
  float: "a number",
  double: "a number",
  string: "text",
  array: "an array",
  map: "an object",
  record: "an object",
};

function sketch(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid Date" : "a Date";
  if (typeof value === "string") return `text of ${value.length} characters`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Makes no garbage: it runs for every message written. */
function isSound(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null || value instanceof Date) return true;
  if (Array.isArray(value)) return value.every(isSound);
  for (const name in value)
    if (!isSoundKey(name) || !isSound((value as Readonly<Record<string, unknown>>)[name])) return false;
  return true;
}

/** As a key of an object, __proto__ would set the prototype of what a reader builds. */
function isSoundKey(name: string): boolean {
  return name !== "__proto__" && name.isWellFormed();
}

function unsoundAt(value: unknown, path: readonly string[]): Misfit | null {
  if (typeof value === "number") return { path: pointer(path), message: "must be a finite number" };
  if (typeof value !== "object" || value === null)
    return { path: pointer(path), message: "must be well-formed text without lone surrogates" };
  for (const [name, inner] of Object.entries(value)) {
    if (!isSoundKey(name)) return { path: pointer([...path, name]), message: "must have another key" };
    if (!isSound(inner)) return unsoundAt(inner, [...path, name]);
  }
  return null;
}

/** RFC 6901 §3. */
function pointer(path: readonly string[]): string {
  return path.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
