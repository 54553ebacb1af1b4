import { expect, test } from "bun:test";
import { readConfig } from "../../../shared/role/config.ts";
import { operatorToken } from "../../../workers/operator/http/operator-token.ts";

const read = (OPERATOR_TOKEN: string) => readConfig({ token: operatorToken }, { OPERATOR_TOKEN }).token;

test.each<[string, string]>([
  ["a digit", "1"],
  ["a word", "correct-horse"],
  ["31 characters", "0123456789abcdef0123456789abcde"],
  ["one character again and again", "a".repeat(64)],
  ["one with a space, which no header can carry", "0123456789abcdef 0123456789abcdef"],
  ["one with letters no header can carry", "0123456789abcdef0123456789abcdefé"],
])("a token that is %s is refused, without being told, with the way to make one", (_name, token) => {
  let complaint = "";
  try {
    read(token);
  } catch (error) {
    complaint = String(error);
  }
  expect(complaint).toContain("OPERATOR_TOKEN ");
  expect(complaint).toContain("openssl rand -hex 32");
  if (token.length > 1) expect(complaint).not.toContain(token);
});

test("a drawn token is taken, and none closes the interface", () => {
  const drawn = crypto.randomUUID();
  expect([read(drawn), read("")]).toEqual([drawn, null]);
});
