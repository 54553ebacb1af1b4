import { expect, test } from "bun:test";
import { compileDecoder } from "../../shared/schema-decode.ts";
import { compileEncoder } from "../../shared/schema-encode.ts";
import type { SchemaNode } from "../../shared/schema-parse.ts";
import { openSource } from "../../shared/schema-source.ts";

const string: SchemaNode = { kind: "string", logical: null };
const array: SchemaNode = { kind: "array", items: string };
const map: SchemaNode = { kind: "map", values: string };
const uuid: SchemaNode = { kind: "string", logical: "uuid" };
const instant: SchemaNode = { kind: "long", logical: "timestamp-millis" };

const poison: readonly (readonly [string, SchemaNode, string, RegExp])[] = [
  ["text that is not UTF-8", string, "04c328", /not UTF-8/],
  ["text with half a surrogate pair", string, "06eda080", /not UTF-8/],
  ["text longer than the bytes", string, "0a6161", /end too early/],
  ["text of negative length", string, "01", /end too early/],
  ["a block that claims 2^27 items", array, "8080808001", /more items than there are bytes/],
  ["a block of negative size that claims them", array, "ffffffff0100", /more items than there are bytes/],
  ["a map with the key __proto__", map, "02125f5f70726f746f5f5f020061", /key __proto__/],
  ["a UUID that is none", uuid, `48${"7a".repeat(36)}`, /UUID is malformed/],
  ["an instant no Date can hold", instant, "feffffffffffff1f", /timestamp is out of range/],
  ["a number of endless length", instant, "ff".repeat(20), /too large/],
  ["a boolean that is neither", { kind: "boolean", logical: null }, "02", /neither 0 nor 1/],
  ["a symbol that is none", { kind: "enum", name: "E", symbols: ["a"], fallback: "a" }, "02", /no such symbol/],
  [
    "a branch that is none",
    { kind: "union", branches: [{ kind: "null", logical: null }, string] },
    "04",
    /no such branch/,
  ],
];
for (const [what, node, hex, reason] of poison)
  test(`${what} is refused`, () => {
    const decode = compileDecoder(node, node, []);
    expect(() => decode(openSource(Buffer.from(hex, "hex"), 0))).toThrow(reason);
  });

test("the replacement character itself is text like any other", () => {
  const decode = compileDecoder(string, string, []);
  expect(decode(openSource(Buffer.from("06efbfbd", "hex"), 0))).toBe("\ufffd");
});

test("arrays in several blocks, with or without their sizes, are read whole", () => {
  const decode = compileDecoder(array, array, []);
  expect(decode(openSource(Buffer.from("04026102620104026302026400", "hex"), 0))).toEqual(["a", "b", "c", "d"]);
});

test("a map with the key __proto__ is refused before it is written", () => {
  const entries = JSON.parse('{"__proto__":"x"}') as unknown;
  const sink = { bytes: Buffer.alloc(64), start: 0, at: 0 };
  expect(() => compileEncoder(map)(entries, sink)).toThrow("must have another key");
});
