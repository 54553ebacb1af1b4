import { expect, test } from "bun:test";
import type { AvroField, AvroRecord } from "../../../shared/avro/json.ts";
import { schemaMistakes } from "../../../shared/avro/rules.ts";

const sound: AvroField = { name: "id", type: { type: "string", logicalType: "uuid" }, doc: "It." };

test("a sound schema has no mistakes", () => expect(schemaMistakes(record(sound))).toEqual([]));

const level = { type: "enum", name: "Level", doc: "Level.", symbols: ["Low", "High"], default: "Low" } as const;
const bareLevel = { type: "enum", name: "Level", doc: "Level.", symbols: ["Low"] } as const;
const cases: readonly (readonly [string, AvroRecord, string])[] = [
  ["an enum without a default", field({ type: bareLevel }), "/x: the enum Level has no default"],
  [
    "an enum default it does not have",
    field({ type: { ...level, default: "No" } }),
    "/x: the default of the enum Level is none of its symbols",
  ],
  [
    "a symbol that is no name",
    field({ type: { ...level, symbols: ["Low", "very high"] } }),
    '/x: "very high" is no name for a symbol',
  ],
  [
    "a symbol twice",
    field({ type: { ...level, symbols: ["Low", "Low"] } }),
    "/x: the enum Level has no symbols or one twice",
  ],
  [
    "an enum in an array",
    field({ type: { type: "array", items: bareLevel } }),
    "/x/items: the enum Level has no default",
  ],
  ["a field without a doc", record({ name: "x", type: "string" }), "/x: the field has no doc"],
  ["a record without a doc", { ...record(sound), doc: "" }, "/: Thing has no doc"],
  ["a field name in another form", record({ ...sound, name: "dueDate" }), "/dueDate: the name is not snake_case"],
  ["a type name in another form", { ...record(sound), name: "thing" }, "/: the name thing is not PascalCase"],
  [
    "a foreign namespace",
    { ...record(sound), namespace: "com.example" },
    'the namespace "com.example" is not taskwire.…',
  ],
  ["a field twice", record(sound, sound), "/id: the field is there twice"],
  [
    "a nullable field without a default",
    field({ type: ["null", "string"] }),
    "/x: a nullable field must have the default null",
  ],
  [
    "null that does not come first",
    field({ type: ["string", "null"], default: null }),
    "/x: null must come first, or it cannot be the default",
  ],
  [
    "a default of another type",
    field({ type: "long", default: "0" }),
    '/x: the default "0" is not of the field\'s type',
  ],
  [
    "items without bytes",
    field({ type: { type: "array", items: "null" } }),
    "/x: the items of the array take no bytes",
  ],
  [
    "a logical type the codec does not know",
    field({ type: { type: "long", logicalType: "timestamp-micros" } }),
    "/x: the codec knows no logical type timestamp-micros of long",
  ],
  ["an unknown type", field({ type: "Missing" }), "undefined type name: taskwire.test.Missing"],
  ["an alias", record(Object.assign({ aliases: ["old"] }, sound)), "/id: aliases are not used"],
];
for (const [what, schema, mistake] of cases)
  test(`${what} is a mistake`, () => expect(schemaMistakes(schema)).toContain(mistake));

function record(...fields: readonly AvroField[]): AvroRecord {
  return { type: "record", name: "Thing", namespace: "taskwire.test", doc: "A thing.", fields };
}

function field(of: Omit<AvroField, "name">): AvroRecord {
  return record({ name: "x", doc: "X.", ...of });
}
