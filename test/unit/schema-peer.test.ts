import { expect, test } from "bun:test";
import avsc from "avsc";
import * as fc from "fast-check";
import { compileDecoder } from "../../shared/schema-decode.ts";
import { compileEncoder } from "../../shared/schema-encode.ts";
import type { AvroSchema } from "../../shared/schema-json.ts";
import { parseSchema } from "../../shared/schema-parse.ts";
import { type Sink } from "../../shared/schema-sink.ts";
import { openSource } from "../../shared/schema-source.ts";

// Every construct the product uses, without logical types: avsc has none of its own.
const schema = {
  type: "record",
  name: "Everything",
  namespace: "taskwire.test",
  fields: [
    { name: "text", type: "string" },
    { name: "count", type: "long" },
    { name: "small", type: "int" },
    { name: "ratio", type: "double" },
    { name: "single", type: "float" },
    { name: "raw", type: "bytes" },
    { name: "yes", type: "boolean" },
    { name: "maybe", type: ["null", "string"], default: null },
    { name: "level", type: { type: "enum", name: "Level", symbols: ["Low", "High"], default: "Low" } },
    { name: "list", type: { type: "array", items: "string" } },
    {
      name: "any",
      type: { type: "map", values: ["null", "boolean", "double", "string", { type: "array", items: "string" }] },
    },
    {
      name: "inner",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "Inner",
          fields: [
            { name: "level", type: "Level" },
            { name: "n", type: "long" },
          ],
        },
      },
    },
  ],
} as const satisfies AvroSchema;

const node = parseSchema(schema);
const peer = avsc.Type.forSchema(schema as unknown as avsc.Type, { wrapUnions: "never" });
const encode = compileEncoder(node);
const mistakes: string[] = [];
const decode = compileDecoder(node, node, mistakes);

const text = fc.string({ unit: "grapheme", maxLength: 200 });
// avsc doubles before it writes, which is inexact beyond 2^52; fastavro's golden bytes reach further.
const long = fc.oneof(
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }),
  fc.integer(),
  fc.constantFrom(63, 64, -64, -65, 2 ** 31, -(2 ** 31) - 1),
);
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const level = fc.constantFrom("Low", "High");
const key = text.filter((name) => name !== "__proto__");
const record = fc.record({
  text,
  count: long,
  small: fc.integer(),
  ratio: double,
  single: fc.float({ noNaN: true, noDefaultInfinity: true }),
  raw: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  yes: fc.boolean(),
  maybe: fc.option(text),
  level,
  list: fc.array(text),
  any: fc.dictionary(key, fc.oneof(fc.constant(null), fc.boolean(), double, text, fc.array(text)), {
    noNullPrototype: true,
  }),
  inner: fc.array(fc.record({ level, n: long })),
});

test("the encoder writes what avsc writes, however full its buffer is", () => {
  expect(mistakes).toEqual([]);
  fc.assert(
    fc.property(record, fc.integer({ min: 0, max: 300 }), (value, room) => {
      const sink: Sink = { bytes: Buffer.alloc(room + 7), start: 7, at: 7 };
      encode(value, sink);
      expect(sink.bytes.subarray(sink.start, sink.at).toString("hex")).toBe(peer.toBuffer(value).toString("hex"));
    }),
    { numRuns: 300 },
  );
});

test("the decoder reads what avsc writes", () => {
  fc.assert(
    fc.property(record, (value) => {
      const source = openSource(peer.toBuffer(value), 0);
      expect(decode(source)).toEqual(value);
      expect(source.at).toBe(source.end);
    }),
    { numRuns: 300 },
  );
});

test("every whole number a double holds exactly comes back, and one beyond is refused", () => {
  const longNode = { kind: "long", logical: null } as const;
  const write = compileEncoder(longNode);
  const read = compileDecoder(longNode, longNode, []);
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const sink: Sink = { bytes: Buffer.alloc(16), start: 0, at: 0 };
      write(value, sink);
      expect(read(openSource(sink.bytes.subarray(0, sink.at), 0))).toBe(value);
    }),
  );
  expect(() => read(openSource(Buffer.from("8080808080808020", "hex"), 0))).toThrow("too large");
  expect(() => write(2 ** 53, { bytes: Buffer.alloc(16), start: 0, at: 0 })).toThrow("below 2^53");
});

test("bytes that were cut or changed are refused or read as some record, and never hang, crash or overrun", () => {
  fc.assert(
    fc.property(record, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), (value, at, byte, cut) => {
      const bytes = Buffer.from(peer.toBuffer(value));
      const place = at % bytes.length;
      if (!cut) bytes[place] = byte;
      const source = openSource(cut ? bytes.subarray(0, place) : bytes, 0);
      try {
        decode(source);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect(error).not.toBeInstanceOf(TypeError);
      }
      expect(source.at).toBeLessThanOrEqual(source.end);
    }),
    { numRuns: 500 },
  );
});
