import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { murmur2, partitionOf } from "../../../shared/kafka/partition.ts";
import { formatStreamCursor, parseStreamCursor } from "../../../workers/ui-gateway/stream/stream-cursor.ts";

describe("a stream cursor", () => {
  test("comes back from its text as it was", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.nat(9999), fc.bigInt(-1n, 10n ** 17n), (epoch, partition, offset) => {
        expect(parseStreamCursor(formatStreamCursor({ epoch, partition, offset }))).toEqual({
          epoch,
          partition,
          offset,
        });
      }),
    );
  });

  test.each(["", "1", "1.2", "1.2.3.4", "e.-1.0", "e.0.-2", "e.0.1e3", "e.0. 1", "e\n.0.1", `${"e".repeat(65)}.0.1`])(
    "is not read from %p",
    (text) => expect(parseStreamCursor(text)).toBeNull(),
  );
});

describe("the partition of a key", () => {
  // The vectors of UtilsTest.testMurmur2 in Apache Kafka.
  test.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ])("murmur2 of %p is %p, as in Java", (key, hash) => expect(murmur2(new TextEncoder().encode(key))).toBe(hash));

  test("lies within the partitions there are", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 64 }), (key, partitions) => {
        const partition = partitionOf(key, partitions);
        expect(partition >= 0 && partition < partitions && Number.isInteger(partition)).toBeTrue();
      }),
    );
  });
});
