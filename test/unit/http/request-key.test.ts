import { Hono } from "hono";
import { describe, expect, test } from "bun:test";
import { canonicalJson } from "../../../shared/http/canonical-json.ts";
import { replayOf, requestKey, type RequestKey } from "../../../shared/http/request-key.ts";
import { Problem } from "../../../shared/problem.ts";

type Sent = Readonly<{ method?: string; path?: string; body?: string }>;

async function keyOf({ method = "POST", path = "/v1/tasks/0193B2C8-7d5e/x", body = "" }: Sent): Promise<RequestKey> {
  let found: RequestKey | null = null;
  const app = new Hono().all("*", async (c) => {
    found = await requestKey("k", c.req);
    return c.body(null);
  });
  await app.request(path, { method, ...(body === "" ? {} : { body }) });
  if (found === null) throw new Error("no key");
  return found;
}

async function isReplayed(first: Sent, second: Sent): Promise<boolean> {
  const { fingerprint } = await keyOf(first);
  return await replayOf({ fingerprint }, await keyOf(second)).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Problem && error.code === "IDEMPOTENCY_KEY_REUSED") return false;
      throw error;
    },
  );
}

describe("a request is the same", () => {
  test.each<[string, Sent, Sent]>([
    ["in every byte", { body: '{"a":1}' }, { body: '{"a":1}' }],
    [
      "with its keys in another order, however deep",
      { body: '{"a":1,"b":{"c":2,"d":[{"e":1,"f":2}]}}' },
      { body: '{"b":{"d":[{"f":2,"e":1}],"c":2},"a":1}' },
    ],
    ["with other blanks", { body: '{"a":1}' }, { body: ' {\n\t"a" : 1 }\r\n' }],
    ["with its numbers spelt otherwise", { body: '{"a":100,"b":0.5}' }, { body: '{"a":1e2,"b":5.0e-1}' }],
    ["with its text escaped otherwise", { body: '{"a":"ä/"}' }, { body: '{"\\u0061":"\\u00e4\\/"}' }],
    ["where a key is given twice and the last one is the same", { body: '{"a":2}' }, { body: '{"a":1,"a":2}' }],
    ["with its query in another order or spelling", { path: "/v1/t?a=1&b=x%20y" }, { path: "/v1/t?b=x+y&a=1" }],
    ["with an id in upper case", { path: "/v1/tasks/0193b2c8" }, { path: "/v1/tasks/0193B2C8" }],
    ["with no body", {}, {}],
    ["with a body that is no JSON, in every byte", { body: "x" }, { body: "x" }],
  ])("%s", async (_, first, second) => expect(await isReplayed(first, second)).toBe(true));
});

describe("a request is another", () => {
  test.each<[string, Sent, Sent]>([
    ["with another value", { body: '{"a":1}' }, { body: '{"a":2}' }],
    ["with null instead of nothing", { body: "{}" }, { body: '{"a":null}' }],
    ["with text instead of a number", { body: '{"a":1}' }, { body: '{"a":"1"}' }],
    ["with a list in another order", { body: '{"a":[1,2]}' }, { body: '{"a":[2,1]}' }],
    ["with a list instead of an object", { body: '{"0":1}' }, { body: "[1]" }],
    ["with another method", { method: "POST" }, { method: "PUT" }],
    ["with another path", { path: "/v1/a" }, { path: "/v1/b" }],
    ["with another query", { path: "/v1/a?scope=all" }, { path: "/v1/a?scope=this" }],
    ["with part of the query in the path", { path: "/v1/a?b" }, { path: "/v1/ab" }],
    ["without its body", { body: "{}" }, {}],
  ])("%s", async (_, first, second) => expect(await isReplayed(first, second)).toBe(false));
});

test("what an older build kept is known again by its bytes, and by nothing else", async () => {
  // SHA-256 of `POST /v1/tasks?x=1\n{"a": 1}`, as those builds wrote it.
  const fingerprint = new Bun.CryptoHasher("sha256").update('POST /v1/tasks?x=1\n{"a": 1}').digest("base64");
  const replay = async (body: string) => replayOf({ fingerprint }, await keyOf({ path: "/v1/tasks?x=1", body }));
  expect(await replay('{"a": 1}')).toEqual({ fingerprint });
  expect(replay('{"a":1}')).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
});

test("the one spelling is JSON of the same value", () => {
  const value = { b: [1, -0, 1.5, "\u2028", null, true], a: { "": {} }, __proto__x: 1 };
  expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
});
