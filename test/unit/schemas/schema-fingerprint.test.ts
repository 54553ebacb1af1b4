import { expect, test } from "bun:test";
import { schemaFingerprint, textFingerprint } from "../../../shared/avro/fingerprint.ts";
import type { AvroField, AvroRecord } from "../../../shared/avro/json.ts";

const level = { type: "enum", name: "Level", doc: "Level.", symbols: ["Low", "High"], default: "Low" } as const;
const base = record(
  { name: "at", type: { type: "long", logicalType: "timestamp-millis" }, doc: "When." },
  { name: "size", type: "long", doc: "Size.", default: 0 },
  { name: "note", type: ["null", "string"], doc: "More.", default: null },
  { name: "level", type: level, doc: "Level." },
);

test("a fingerprint is what it was: installations have stored it", () => {
  expect(schemaFingerprint(base)).toBe("8788fe8d79616c22460343429d1edd5131c9ad669ed0a6401bd032f8bde54015");
});

const same: readonly (readonly [string, AvroRecord])[] = [
  ["other docs", { ...change("size", { doc: "Another." }), doc: "Another." }],
  ["a primitive spelled as an object", change("size", { type: { type: "long" } })],
  ["the full name in place of a namespace", { type: "record", name: "taskwire.test.Thing", fields: base.fields }],
  [
    "attributes in another order",
    { fields: base.fields, doc: "", namespace: "taskwire.test", name: "Thing", type: "record" },
  ],
  ["a logical type nobody knows", change("size", { type: { type: "long", logicalType: "nanoseconds" } })],
  ["a logical type of the wrong type", change("size", { type: { type: "long", logicalType: "uuid" } })],
];
for (const [what, schema] of same)
  test(`${what} means the same`, () => expect(schemaFingerprint(schema)).toBe(schemaFingerprint(base)));

const others: readonly (readonly [string, AvroRecord])[] = [
  ["a logical type lost", change("at", { type: "long" })],
  ["another default", change("size", { default: 1 })],
  ["no default", { ...base, fields: base.fields.map(({ name, type }) => ({ name, type })) }],
  ["another default of an enum", change("level", { type: { ...level, default: "High" } })],
  ["symbols in another order", change("level", { type: { ...level, symbols: ["High", "Low"] } })],
  ["fields in another order", { ...base, fields: base.fields.toReversed() }],
  ["another name", { ...base, name: "Other" }],
  ["another namespace", { ...base, namespace: "taskwire.other" }],
];
for (const [what, schema] of others)
  test(`${what} means something else`, () => expect(schemaFingerprint(schema)).not.toBe(schemaFingerprint(base)));

test("a text that is no record has the fingerprint of its bytes", () => {
  expect(textFingerprint(JSON.stringify(base))).toBe(schemaFingerprint(base));
  expect(textFingerprint('"string"')).not.toBe(textFingerprint('"long"'));
  expect(textFingerprint('syntax = "proto3";')).toHaveLength(64);
});

function record(...fields: readonly AvroField[]): AvroRecord {
  return { type: "record", name: "Thing", namespace: "taskwire.test", doc: "A thing.", fields };
}

function change(name: string, to: Partial<AvroField>): AvroRecord {
  return { ...base, fields: base.fields.map((field) => (field.name === name ? { ...field, ...to } : field)) };
}
