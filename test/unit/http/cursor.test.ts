import { expect, test } from "bun:test";
import { assert, integer, property, string } from "../../support/fast-check.ts";
import { z } from "zod";
import { decodeCursor, encodeCursor } from "../../../shared/http/cursor.ts";
import { Problem } from "../../../shared/problem.ts";

const place = z.tuple([z.number(), z.string()]);

test("a cursor names the place it was made of, in characters a URL keeps", () => {
  assert(
    property(string(), integer(), string({ unit: "grapheme" }), (list, number, text) => {
      const cursor = encodeCursor(list, [number, text]);
      expect(cursor).toMatch(/^[\w-]+$/);
      expect(decodeCursor(list, cursor, place)).toEqual([number, text]);
    }),
  );
});

test.each(["", "x", "%", "é", encodeCursor("other", [1, "a"]), encodeCursor("list", ["a", 1]), btoa("{}")])(
  "%p is refused by name",
  (cursor) => {
    let thrown: unknown;
    try {
      decodeCursor("list", cursor, place);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Problem);
    expect(thrown).toMatchObject({ code: "INVALID_REQUEST", extra: { mistakes: [{ path: "query.cursor" }] } });
  },
);
