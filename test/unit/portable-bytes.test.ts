import { describe, expect, test } from "bun:test";
import * as fc from "../support/fast-check.ts";
import {
  base64Bytes,
  base64Text,
  base64UrlText,
  hexText,
  latin1Text,
  sameBytes,
  utf8Bytes,
  utf8Text,
} from "../../shared/bytes.ts";
import { deriveId } from "../../shared/messages/derive-id.ts";
import { portableDigests, useDigests } from "../../shared/digest.ts";
import { nativeDigests } from "../../shared/native-digests.ts";
import { sameContent } from "../../shared/same-content.ts";
import { uuidBytes, uuidV5, uuidV7 } from "../../shared/uuid.ts";

// What Bun has built in is the oracle: other runtimes must make the same of the same bytes.
const anyBytes = fc.uint8Array({ maxLength: 300 });
const anyText = fc.string({
  unit: fc.oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), fc.constant("\ud800")),
});

describe("bytes and texts turn into each other as Buffer has it", () => {
  test("bytes to text", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const buffer = Buffer.from(bytes);
        expect([hexText(bytes), base64Text(bytes), base64UrlText(bytes), latin1Text(bytes), utf8Text(bytes)]).toEqual([
          buffer.toString("hex"),
          buffer.toString("base64"),
          buffer.toString("base64url"),
          buffer.toString("latin1"),
          buffer.toString("utf8"),
        ]);
        expect(base64Bytes(base64Text(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
  });
  test("text to bytes, with what is no text", () => {
    fc.assert(fc.property(anyText, (text) => expect(utf8Bytes(text)).toEqual(new Uint8Array(Buffer.from(text)))));
  });
  test("a mark at the beginning stays, and a megabyte is one call", () => {
    expect(utf8Text(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\u{feff}a");
    expect(base64Text(new Uint8Array(1_000_000))).toBe(Buffer.alloc(1_000_000).toString("base64"));
  });
  test("the same bytes are the same, others and longer ones are not", () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => sameBytes(a, b) === Buffer.from(a).equals(b) && sameBytes(a, a)),
    );
    expect(sameBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
  });
});

describe("digests and ids are what Bun made of the same", () => {
  const namespace = "6f1f4f0e-5d0a-5b7e-9f0e-3c1f3c9f7a11";

  test("SHA-1 and SHA-256, in JavaScript and by the runtime", () => {
    fc.assert(
      fc.property(anyBytes, fc.constantFrom("sha1", "sha256"), (bytes, algorithm) => {
        const expected = new Bun.CryptoHasher(algorithm).update(bytes).digest("hex");
        expect(hexText(portableDigests[algorithm](bytes))).toBe(expected);
        expect(hexText(nativeDigests[algorithm](bytes))).toBe(expected);
      }),
    );
  });
  test("ids that are computed, whichever digest is in use", () => {
    const ids = () => [uuidV5("a name", uuidBytes(namespace)), deriveId("ab", "c", "ü")];
    const expected = [Bun.randomUUIDv5("a name", namespace), Bun.randomUUIDv5("2:ab1:c1:ü", namespace)];
    expect(ids()).toEqual(expected);
    const counted: string[] = [];
    try {
      useDigests({ ...nativeDigests, sha1: (bytes) => (counted.push("sha1"), nativeDigests.sha1(bytes)) });
      expect(ids()).toEqual(expected);
    } finally {
      useDigests(portableDigests);
    }
    expect(counted).toEqual(["sha1", "sha1"]);
  });
  test("a UUIDv7 has its instant, and those of one millisecond rise, 10,000 of them too", () => {
    const at = new Date("2026-03-01T10:00:00.123Z");
    const ids = Array.from({ length: 10_000 }, () => uuidV7(at));
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    const msOf = (id = "") => Number.parseInt(id.slice(0, 13).replace("-", ""), 16) - at.getTime();
    expect(msOf(ids[0])).toBe(0);
    expect(msOf(ids.at(-1))).toBeLessThanOrEqual(3);
    expect(msOf(uuidV7(new Date(at.getTime() - 1000)))).toBe(-1000);
  });
});

test("two values say the same where Bun's comparison says so", () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, undefined, true, false, 0, -0, 1, "", "a", Number.NaN),
      fc.date({ min: new Date(0), max: new Date(3), noInvalidDate: true }),
      // An item that is undefined is nothing JSON has, and Bun takes it for none.
      fc.array(
        tie("any").filter((item) => item !== undefined),
        { maxLength: 3 },
      ),
      fc.dictionary(fc.constantFrom("a", "b", "c"), tie("any"), { maxKeys: 3 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, value, (a, b) => {
      expect(sameContent(a, b)).toBe(Bun.deepEquals(a, b));
      expect(sameContent(a, structuredClone(a))).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect(sameContent({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(sameContent({ a: 1 }, { a: 1, b: null })).toBe(false);
});
