import { expect, test } from "bun:test";
import { formatOrigin, originHeader, readOrigin, type RowOrigin } from "../../../shared/outbox/origin.ts";

const origin: RowOrigin = { life: "1764421000123456", day: "2026-11-29", id: "1234567", created: "1764421111222333" };
const headers = (...values: readonly string[]) => values.map((value) => [originHeader, Buffer.from(value)] as const);

test("what is written is read again, the last of several", () => {
  expect(formatOrigin(origin)).toBe("1764421000123456.20261129.1234567.1764421111222333");
  expect(readOrigin(headers("1.20200101.1.1", formatOrigin(origin)))).toEqual(origin);
});

test.each([
  [],
  [""],
  ["1.2026-11-29.1.1"],
  ["1.20261129.1"],
  ["a.20261129.1.1"],
  ["1.20261129.1.1.1"],
  ["-1.20261129.1.1"],
  ["1.20269999.1.1"],
  ["1.20260230.1.1"],
  ["1.00000101.1.1"],
])("%p is no origin", (...values) => {
  expect(readOrigin(headers(...values))).toBeNull();
});
