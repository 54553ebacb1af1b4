import { avroPrimitives, type AvroEnum, type AvroRecord, type AvroSchema } from "./json.ts";
import { recordType } from "./record-type.ts";

const fieldName = /^[a-z][a-z0-9_]*$/;
const typeName = /^[A-Z][A-Za-z0-9]*$/;
const namespaceName = /^taskwire(\.[a-z][a-z0-9]*)+$/;
const symbolName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const logicalTypes: Readonly<Record<string, string>> = { uuid: "string", "timestamp-millis": "long", date: "int" };

/**
 * What this product asks of a schema beyond Avro, so that it can change later: every enum has a default (old readers
 * meet new symbols), every field a doc, nullable fields the default null, names follow one form, aliases are not used
 * (registries do not tell schemas apart by them), logical types are those the codec knows. Empty when all is well.
 */
export function schemaMistakes(schema: AvroRecord): readonly string[] {
  const mistakes: string[] = [];
  if (!namespaceName.test(schema.namespace ?? ""))
    mistakes.push(`the namespace "${schema.namespace}" is not taskwire.…`);
  checkRecord(schema, "", mistakes);
  // What avsc says has no place, so it comes last: unknown names, defaults within defaults, items without bytes.
  return mistakes.length > 0 ? mistakes : typeMistakes(schema);
}

function typeMistakes(schema: AvroRecord): readonly string[] {
  try {
    recordType(schema);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function check(schema: AvroSchema, at: string, mistakes: string[]): void {
  if (typeof schema === "string") return;
  if (typeof schema !== "object" || schema === null)
    return void mistakes.push(`${at}: ${JSON.stringify(schema)} is no schema`);
  if (isUnion(schema)) {
    if (schema.some(isUnion)) mistakes.push(`${at}: a union within a union`);
    if (schema.includes("null") && schema[0] !== "null")
      mistakes.push(`${at}: null must come first, or it cannot be the default`);
    return schema.forEach((branch) => check(branch, at, mistakes));
  }
  if ("aliases" in schema) mistakes.push(`${at}: aliases are not used`);
  switch (schema.type) {
    case "record":
      return checkRecord(schema, at, mistakes);
    case "enum":
      return checkEnum(schema, at, mistakes);
    case "array":
      return check(schema.items, `${at}/items`, mistakes);
    case "map":
      return check(schema.values, `${at}/values`, mistakes);
    default:
      if (!avroPrimitives.has(schema.type))
        mistakes.push(`${at}: the type ${JSON.stringify(schema.type)} is nested for nothing`);
      if (schema.logicalType !== undefined && logicalTypes[schema.logicalType] !== schema.type)
        mistakes.push(`${at}: the codec knows no logical type ${schema.logicalType} of ${schema.type}`);
  }
}

function checkRecord(schema: AvroRecord, at: string, mistakes: string[]): void {
  checkNamed(schema, at, mistakes);
  if (!Array.isArray(schema.fields)) return void mistakes.push(`${at || "/"}: the record has no fields`);
  if (schema.fields.length === 0) mistakes.push(`${at || "/"}: the record has no fields`);
  const seen = new Set<string>();
  for (const field of schema.fields) {
    const place = `${at}/${field.name}`;
    if (!fieldName.test(field.name)) mistakes.push(`${place}: the name is not snake_case`);
    if (seen.has(field.name)) mistakes.push(`${place}: the field is there twice`);
    seen.add(field.name);
    if (!field.doc) mistakes.push(`${place}: the field has no doc`);
    if ("aliases" in field) mistakes.push(`${place}: aliases are not used`);
    if (isUnion(field.type) && field.type.includes("null") && field.default !== null)
      mistakes.push(`${place}: a nullable field must have the default null`);
    if ("default" in field && !fitsDefault(field.type, field.default))
      mistakes.push(`${place}: the default ${JSON.stringify(field.default)} is not of the field's type`);
    check(field.type, place, mistakes);
  }
}

function checkEnum(schema: AvroEnum, at: string, mistakes: string[]): void {
  checkNamed(schema, at, mistakes);
  if (!Array.isArray(schema.symbols)) return void mistakes.push(`${at}: the enum ${schema.name} has no symbols`);
  if (schema.symbols.length === 0 || new Set(schema.symbols).size !== schema.symbols.length)
    mistakes.push(`${at}: the enum ${schema.name} has no symbols or one twice`);
  for (const symbol of schema.symbols)
    if (!symbolName.test(symbol)) mistakes.push(`${at}: ${JSON.stringify(symbol)} is no name for a symbol`);
  if (schema.default === undefined) mistakes.push(`${at}: the enum ${schema.name} has no default`);
  else if (!schema.symbols.includes(schema.default))
    mistakes.push(`${at}: the default of the enum ${schema.name} is none of its symbols`);
}

function checkNamed(schema: Readonly<{ name: string; doc?: string }>, at: string, mistakes: string[]): void {
  if (!typeName.test(schema.name)) mistakes.push(`${at || "/"}: the name ${schema.name} is not PascalCase`);
  if (!schema.doc) mistakes.push(`${at || "/"}: ${schema.name} has no doc`);
}

/** Avro takes a union's default for one of its first branch. */
function fitsDefault(type: AvroSchema, json: unknown): boolean {
  if (isUnion(type)) return type[0] !== undefined && fitsDefault(type[0], json);
  const kind = typeof type === "string" ? type : type.type;
  switch (kind) {
    case "null":
      return json === null;
    case "boolean":
      return typeof json === "boolean";
    case "int":
    case "long":
      return Number.isSafeInteger(json);
    case "float":
    case "double":
      return typeof json === "number";
    case "array":
      return Array.isArray(json);
    case "map":
    case "record":
      return typeof json === "object" && json !== null && !Array.isArray(json);
    case "enum":
      return typeof type === "object" && "symbols" in type && type.symbols.some((symbol) => symbol === json);
    default:
      return typeof json === "string";
  }
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}
