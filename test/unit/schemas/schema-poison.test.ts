import { expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { AvroSchema } from "../../../shared/avro/json.ts";
import { openSlab, recordEncoder } from "../../../shared/avro/record-encoder.ts";
import { recordDecoder, recordType } from "../../../shared/avro/record-type.ts";

const array: AvroSchema = { type: "array", items: "string" };
const map: AvroSchema = { type: "map", values: "string" };
const uuid: AvroSchema = { type: "string", logicalType: "uuid" };
const instant: AvroSchema = { type: "long", logicalType: "timestamp-millis" };
const day: AvroSchema = { type: "int", logicalType: "date" };

const poison: readonly (readonly [string, AvroSchema, string, RegExp])[] = [
  ["text that is not UTF-8", "string", "04c328", /not UTF-8/],
  ["text with half a surrogate pair", "string", "06eda080", /not UTF-8/],
  ["text longer than the bytes", "string", "0a6161", /bytes end before/],
  ["text of negative length", "string", "01", /bytes end before/],
  ["a key that is not UTF-8", map, "0204c3280000", /not UTF-8/],
  ["a block that claims 2^27 items", array, "8080808001", /a block of 134217728 with 0 bytes left/],
  ["a block of negative size that claims them", array, "ffffffff0100", /a block of 268435456 with 0 bytes left/],
  ["a map that claims 2^27 entries", map, "8080808001", /a block of 134217728/],
  ["a map with the key __proto__", map, "02125f5f70726f746f5f5f020061", /key __proto__/],
  ["a UUID that is none", uuid, `48${"7a".repeat(36)}`, /UUID is malformed/],
  ["an instant no Date can hold", instant, "feffffffffffff1f", /timestamp is out of range/],
  ["a number of endless length", instant, "ff".repeat(20), /precision/],
  ["a number a double cannot hold", "long", "8080808080808020", /precision/],
  ["a day before the year 0", day, "ffffffff0f", /a day is out of range/],
  ["a day after the year 9999", day, "feffffff0f", /a day is out of range/],
  ["a symbol that is none", { type: "enum", name: "E", symbols: ["a"], default: "a" }, "02", /enum index/],
  ["a branch that is none", ["null", "string"], "04", /union index/],
  ["bytes left over", "boolean", "0100", /1 bytes are left over/],
];
for (const [what, schema, hex, reason] of poison)
  test(`${what} is refused`, () => expect(() => read(schema, hex)).toThrow(reason));

test("a field the reader does not know is skipped, within the bytes there are", () => {
  const forgets = (schema: AvroSchema, hex: string) =>
    recordDecoder(recordType(record(schema)), recordType({ ...record("string"), fields: [] }))(
      Buffer.from(hex, "hex"),
      0,
    );
  expect(forgets(array, "04026102620104026302026400")).toEqual({});
  for (const [what, hex] of [
    ["a count beyond the bytes", "8080808001"],
    ["a size beyond the bytes", "01ffffffff0f"],
    ["a size below zero", "0101"],
  ] as const)
    for (const schema of [array, map]) expect([what, () => forgets(schema, hex)][1]).toThrow("a block of");
});

test("the replacement character itself is text like any other", () => {
  expect(read("string", "06efbfbd")).toBe("\ufffd");
});

test("arrays in several blocks, with or without their sizes, are read whole", () => {
  expect(read(array, "04026102620104026302026400")).toEqual(["a", "b", "c", "d"]);
});

// Every construct the product uses.
const everything = {
  type: "record",
  name: "Everything",
  namespace: "taskwire.test",
  fields: [
    { name: "text", type: "string" },
    { name: "count", type: "long" },
    { name: "small", type: "int" },
    { name: "ratio", type: "double" },
    { name: "yes", type: "boolean" },
    { name: "at", type: ["null", instant], default: null },
    { name: "day", type: day },
    { name: "level", type: { type: "enum", name: "Level", symbols: ["Low", "High"], default: "Low" } },
    { name: "any", type: { type: "map", values: ["null", "boolean", "double", "string", array] } },
    { name: "inner", type: { type: "array", items: { ...record("long"), name: "Inner" } } },
  ],
} as const;
const text = fc.string({ unit: "grapheme", maxLength: 200 });
const exact = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(63, 64, -64, -65));
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const anything = fc.record({
  text,
  count: exact,
  small: fc.integer(),
  ratio: double,
  yes: fc.boolean(),
  at: fc.option(fc.date({ noInvalidDate: true, min: new Date(-1e15), max: new Date(4e15) })),
  day: fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date(2e14) })
    .map((date) => date.toISOString().slice(0, 10)),
  level: fc.constantFrom("Low", "High"),
  any: fc.dictionary(
    text.filter((key) => key !== "__proto__"),
    fc.oneof(fc.constant(null), fc.boolean(), double, text, fc.array(text)),
    { noNullPrototype: true },
  ),
  inner: fc.array(fc.record({ x: exact })),
});
const slab = openSlab();
const write = recordEncoder(everything, { framing: Buffer.of(7), maxBytes: 1_000_000, slab });
const readBack = recordDecoder(recordType(everything), recordType(everything));

test("what was written is read back, however full the slab is", () => {
  fc.assert(
    fc.property(anything, fc.integer({ min: 0, max: 300 }), (value, room) => {
      slab.at = Math.max(slab.at, slab.bytes.length - room);
      const written = write(value);
      if (!("bytes" in written)) throw new Error(JSON.stringify(written));
      expect(written.bytes[0]).toBe(7);
      expect(readBack(written.bytes, 1)).toEqual(value);
    }),
    { numRuns: 500 },
  );
});

test("bytes that were cut or changed are refused or read as some record, and never hang or crash", () => {
  fc.assert(
    fc.property(anything, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), (value, at, byte, cut) => {
      const written = write(value);
      if (!("bytes" in written)) throw new Error(JSON.stringify(written));
      const bytes = Buffer.from(written.bytes);
      const place = 1 + (at % (bytes.length - 1));
      if (!cut) bytes[place] = byte;
      try {
        readBack(cut ? bytes.subarray(0, place) : bytes, 1);
        expect(cut).toBe(false);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 1000 },
  );
});

test("every whole number a double holds exactly comes back, and one beyond is refused", () => {
  const encode = recordEncoder(record("long"), { framing: Buffer.of(), maxBytes: 100, slab: openSlab() });
  const decode = recordDecoder(recordType(record("long")), recordType(record("long")));
  const edges = [2 ** 28, 2 ** 30, 2 ** 31, 2 ** 35, 2 ** 52, 2 ** 53 - 1].flatMap((edge) => [
    edge - 1,
    edge,
    -edge,
    1 - edge,
  ]);
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...edges)), (x) => {
      const written = encode({ x });
      if (!("bytes" in written)) throw new Error(JSON.stringify(written));
      expect(written.bytes.toString("hex")).toBe(zigzag(BigInt(x)));
      expect(decode(written.bytes, 0)).toEqual({ x });
    }),
    { numRuns: 1000 },
  );
  for (const x of [2 ** 53, -(2 ** 53), 0.5, Number.NaN])
    expect(encode({ x })).toEqual({
      misfit: { path: "/x", message: "must be a whole number below 2^53, not a number" },
    });
});

test("a map with the key __proto__ is refused before it is written", () => {
  const encode = recordEncoder(record(map), { framing: Buffer.of(), maxBytes: 100, slab: openSlab() });
  const x = JSON.parse('{"__proto__":"x"}') as unknown;
  expect(encode({ x })).toEqual({ misfit: { path: "/x/__proto__", message: "must have another key" } });
});

test("what every object inherits is neither a symbol nor a declared field", () => {
  const level: AvroSchema = { type: "enum", name: "E", symbols: ["a"], default: "a" };
  const encode = recordEncoder(record(level), { framing: Buffer.of(), maxBytes: 100, slab: openSlab() });
  expect(encode({ x: "constructor" })).toMatchObject({ misfit: { path: "/x" } });
  expect(encode({ x: ["a"] })).toMatchObject({ misfit: { path: "/x" } });
  expect(encode({ x: "a", toString: 1 })).toMatchObject({ misfit: { path: "/toString" } });
});

test("a schema that hostile bytes could abuse is no type: items without bytes, types that contain themselves", () => {
  const empty: AvroSchema = { type: "record", name: "Empty", fields: [{ name: "n", type: "null" }] };
  expect(() => recordType(record({ type: "array", items: empty }))).toThrow("/x: the items of the array take no bytes");
  expect(() => recordType(record(["null", { type: "array", items: "Thing" }]))).toThrow("/x/items: the type contains");
});

function record(x: AvroSchema) {
  return { type: "record", name: "Thing", namespace: "taskwire.test", fields: [{ name: "x", type: x }] } as const;
}

/** The specification's encoding, without floating point. */
function zigzag(value: bigint): string {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.of(...bytes, Number(rest)).toString("hex");
}

function read(schema: AvroSchema, hex: string): unknown {
  const type = recordType(record(schema));
  return (recordDecoder(type, type)(Buffer.from(hex, "hex"), 0) as { x: unknown }).x;
}
