import { expect, test } from "bun:test";
import { fullMistakes, historyMistakes } from "../../../shared/avro/compatibility.ts";
import { readSchemas, type SchemaFile } from "../../../shared/avro/files.ts";
import type { AvroField, AvroRecord } from "../../../shared/avro/json.ts";
import { recordType } from "../../../shared/avro/record-type.ts";

const priority = {
  type: "enum",
  name: "Priority",
  doc: "How much.",
  symbols: ["Low", "High"],
  default: "Low",
} as const;
const any = { type: "map", values: ["null", "boolean", "string"] } as const;
const base = record(
  { name: "id", type: { type: "string", logicalType: "uuid" }, doc: "It." },
  { name: "title", type: "string", doc: "What." },
  { name: "count", type: "int", doc: "How many." },
  { name: "at", type: { type: "long", logicalType: "timestamp-millis" }, doc: "When." },
  { name: "note", type: ["null", "string"], doc: "More.", default: null },
  { name: "priority", type: priority, doc: "How much." },
  { name: "fields", type: any, doc: "Some." },
);

test("the committed schemas are sound and FULL_TRANSITIVE compatible", async () => {
  for (const history of await readSchemas()) expect(historyMistakes(history)).toEqual([]);
});

const compatible: readonly (readonly [string, AvroRecord])[] = [
  ["a doc that changed", change("title", { doc: "Something else." })],
  ["a nullable field added", add({ name: "tz", type: ["null", "string"], doc: "Zone.", default: null })],
  ["a field added with a default", add({ name: "size", type: "long", doc: "Size.", default: 0 })],
  ["a field with a default removed", drop("note")],
  ["fields in another order", { ...base, fields: base.fields.toReversed() }],
  ["an enum symbol added", change("priority", { type: { ...priority, symbols: ["Urgent", "Low", "High"] } })],
  ["an enum symbol removed", change("priority", { type: { ...priority, symbols: ["Low"] } })],
];
for (const [what, schema] of compatible)
  test(`${what} is compatible`, () => expect(fullMistakes(recordType(base), recordType(schema))).toEqual([]));

const incompatible: readonly (readonly [string, AvroRecord, RegExp])[] = [
  ["a field added without a default", add({ name: "tz", type: "string", doc: "Zone." }), /newer.*\/tz.*no default/],
  ["a field without a default removed", drop("title"), /older.*\/title.*no default/],
  ["a field renamed", change("title", { name: "name" }), /\/name.*no default/],
  ["a type changed", change("title", { type: "long" }), /\/title: string cannot be read as long/],
  ["a type widened, as the older cannot read it", change("count", { type: "long" }), /older.*\/count: long/],
  ["a field made nullable", change("title", { type: ["null", "string"] }), /older.*\/title: null/],
  ["a nullable field made required", change("note", { type: "string", default: "" }), /newer.*\/note: null/],
  ["a union branch added", change("fields", { type: { ...any, values: [...any.values, "double"] } }), /older.*double/],
  ["a union branch removed", change("fields", { type: { ...any, values: ["null", "string"] } }), /newer.*boolean/],
  ["the record renamed", { ...base, name: "Other" }, /record taskwire\.test\.Thing cannot be read as record/],
  ["the namespace changed", { ...base, namespace: "taskwire.other" }, /cannot be read as record taskwire\.other/],
  ["an enum renamed", change("priority", { type: { ...priority, name: "Level" } }), /enum taskwire\.test\.Priority/],
  [
    "an enum symbol added where the older has no default",
    change("priority", { type: { ...priority, symbols: ["Low", "High", "Urgent"] } }),
    /older.*\/priority: enum.* Low, High, Urgent .* cannot be read as enum .* Low, High \(no default\)/,
  ],
  ["a logical type lost", change("at", { type: "long" }), /timestamp-millis.*cannot be read as long/],
  ["a logical type gained", change("title", { type: { type: "string", logicalType: "uuid" } }), /string \(uuid\)/],
];
for (const [what, schema, reason] of incompatible)
  test(`${what} is refused`, () => {
    const older = what.includes("has no default") ? withoutEnumDefault() : base;
    expect(fullMistakes(recordType(older), recordType(schema)).join("\n")).toMatch(reason);
  });

test("a version is checked against every earlier one, not only the last", () => {
  // v1 to v2 and v2 to v3 are fine each; v1's title and v3's are not.
  const v1 = record({ name: "title", type: "string", doc: "What.", default: "" });
  const v2 = record({ name: "count", type: "long", doc: "How many.", default: 0 });
  const v3 = record({ name: "title", type: "boolean", doc: "Whether.", default: false });
  expect(historyMistakes(history(v1, v2))).toEqual([]);
  expect(historyMistakes(history(v2, v3))).toEqual([]);
  const mistakes = historyMistakes(history(v1, v2, v3));
  expect(mistakes.join("\n")).toMatch(/v3\.avsc against v1: .*\/title: string cannot be read as boolean/);
  expect(mistakes.join("\n")).not.toContain("against v2");
});

test("a version that is not sound by itself is named with its file", () => {
  const enumless = record({ name: "priority", type: { ...priority, default: "None" }, doc: "How much." });
  expect(historyMistakes(history(enumless))).toEqual([
    "schemas/task-events/TaskCreated/v1.avsc: /priority: the default of the enum Priority is none of its symbols",
    "schemas/task-events/TaskCreated/v1.avsc: the record is called Thing and its folder TaskCreated",
  ]);
});

function record(...fields: readonly AvroField[]): AvroRecord {
  return { type: "record", name: "Thing", namespace: "taskwire.test", doc: "A thing.", fields };
}

function change(name: string, to: Partial<AvroField>): AvroRecord {
  return { ...base, fields: base.fields.map((field) => (field.name === name ? { ...field, ...to } : field)) };
}

function add(field: AvroField): AvroRecord {
  return { ...base, fields: [...base.fields, field] };
}

function drop(name: string): AvroRecord {
  return { ...base, fields: base.fields.filter((field) => field.name !== name) };
}

function withoutEnumDefault(): AvroRecord {
  const { default: _, ...bare } = priority;
  return change("priority", { type: bare });
}

function history(...schemas: readonly AvroRecord[]) {
  // The records keep a name of their own, except where the name is what is tested.
  const named = schemas.length === 1 ? schemas : schemas.map((schema) => ({ ...schema, name: "TaskCreated" }));
  const versions = named.map((schema, index): SchemaFile => ({
    topic: "task-events",
    type: "TaskCreated",
    version: index + 1,
    path: `task-events/TaskCreated/v${index + 1}.avsc`,
    schema,
  }));
  const current = versions.at(-1);
  if (current === undefined) throw new Error("a history has a version");
  return {
    topic: current.topic,
    type: current.type,
    subject: "task-events-taskwire.test.TaskCreated",
    versions,
    current,
  };
}
