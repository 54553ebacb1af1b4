import { expect, test } from "bun:test";
import { nameInToken } from "../../../../workers/ui-gateway/page/people.ts";

const tokenOf = (claims: unknown) =>
  ["{}", JSON.stringify(claims), "signature"].map((part) => Buffer.from(part).toString("base64url")).join(".");

test.each([
  [{ name: "Ada Lovelace", email: "ada@example.org", sub: "1" }, "Ada Lovelace"],
  [{ preferred_username: "ada", sub: "1" }, "ada"],
  [{ name: "", email: "ada@example.org" }, "ada@example.org"],
  [{ sub: "Ädä ↻" }, "Ädä ↻"],
  [{ name: { first: "Ada" }, sub: 7 }, null],
  [null, null],
])("a token that says %j names its person %j", (claims, name) => {
  expect(nameInToken(tokenOf(claims))).toBe(name);
});

test("what is no token names nobody, and a long name is cut", () => {
  expect([nameInToken(""), nameInToken("a.b.c"), nameInToken("half")]).toEqual([null, null, null]);
  expect(nameInToken(tokenOf({ name: "x".repeat(200) }))?.length).toBe(64);
});
