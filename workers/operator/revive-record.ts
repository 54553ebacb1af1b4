import type { AvroRecord, AvroSchema } from "../../shared/avro/json.ts";

/**
 * A record as JSON has it, with what JSON cannot say put back: timestamps become `Date`s where the schema has them and
 * the text is RFC 3339. Everything else stays as it is, right or wrong: the codec refuses what does not fit and names
 * it.
 */
export function reviveRecord(schema: AvroRecord, json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  const types = new Map(schema.fields.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      const type = types.get(name);
      return [name, type === undefined ? value : revive(type, value)];
    }),
  );
}

function revive(schema: AvroSchema, value: unknown): unknown {
  if (typeof schema === "string") return value;
  if (isUnion(schema)) {
    // Unions of the contracts are null and one other, or of types JSON tells apart.
    const others = schema.filter((branch) => branch !== "null");
    return value === null || others.length !== 1 || others[0] === undefined ? value : revive(others[0], value);
  }
  if ("logicalType" in schema && schema.logicalType === "timestamp-millis") return timeOf(value);
  if (schema.type === "record") return reviveRecord(schema, value);
  if (schema.type === "array" && Array.isArray(value)) return value.map((item: unknown) => revive(schema.items, item));
  return value;
}

function isUnion(schema: Exclude<AvroSchema, string>): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

function timeOf(value: unknown): unknown {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT/.test(value)) return value;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? value : time;
}
