import { describe, expect, test } from "bun:test";
import { assembleDocument, gatewayWithoutParts } from "../../../dev/api/assemble-document.ts";
import { openDescriptions } from "../../../workers/ui-gateway/document/open-descriptions.ts";

const gateway = gatewayWithoutParts({ page: await openDescriptions() });
const ask = (path: string, init: RequestInit = {}) => gateway.fetch(new Request(`http://taskwire.test${path}`, init));
const api = await assembleDocument();
const llms = await (await ask("/llms.txt")).text();

describe.each([
  ["/asyncapi.json", "application/json"],
  ["/llms.txt", "text/plain; charset=utf-8"],
])("%s", (path, type) => {
  test("needs no token, has a type and an ETag, and is answered 304 by it", async () => {
    const first = await ask(path);
    const { headers } = first;
    expect([first.status, headers.get("content-type"), headers.get("cache-control")]).toEqual([200, type, "no-cache"]);
    const again = await ask(path, { headers: { "if-none-match": headers.get("etag") ?? "" } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  test("is gzip for clients that take it", async () => {
    const zipped = await ask(path, { headers: { "accept-encoding": "gzip" } });
    expect(zipped.headers.get("content-encoding")).toBe("gzip");
    expect(Bun.gunzipSync(await zipped.bytes())).toEqual(await (await ask(path)).bytes());
  });

  test("answers HEAD with its length, and names the methods it has", async () => {
    const head = await ask(path, { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(String((await (await ask(path)).bytes()).byteLength));
    const post = await ask(path, { method: "POST" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });
});

test("/asyncapi.json is an AsyncAPI document", async () => {
  expect(await (await ask("/asyncapi.json")).json()).toMatchObject({ asyncapi: "3.1.0" });
});

/** The routes that a text names and the API has not. */
function unknownRoutes(text: string): readonly string[] {
  const named = [...text.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`\s]*)`/g)];
  return named
    .filter(
      ([, method = "", path = ""]) =>
        (api.paths[path] as object | undefined)?.[method.toLowerCase() as never] === undefined,
    )
    .map(([, method = "", path = ""]) => `${method} ${path}`);
}

describe("what /llms.txt says", () => {
  test("each route it names is one of the API's", () => {
    expect(llms.match(/`(GET|POST|PATCH|DELETE) \/v1\//g)?.length).toBeGreaterThan(20);
    expect(unknownRoutes(llms)).toEqual([]);
    expect(unknownRoutes("`GET /v1/tasks`, `PUT /v1/tasks`, `GET /v1/chores`")).toEqual([
      "PUT /v1/tasks",
      "GET /v1/chores",
    ]);
  });

  test("each link is answered", async () => {
    const links = [...llms.matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);
    expect(links).toEqual(["/openapi.json", "/asyncapi.json", "/docs"]);
    for (const link of links) expect([link, (await ask(link)).status]).toEqual([link, 200]);
  });

  test("is short", () => expect(llms.length).toBeLessThan(4_000));
});

test("the reference and the OpenAPI document lead to both", async () => {
  const docs = await (await ask("/docs")).text();
  for (const path of ["/openapi.json", "/asyncapi.json", "/llms.txt"]) expect(docs).toContain(`href="${path}"`);
  expect(api["externalDocs"]).toMatchObject({ url: "/asyncapi.json" });
});
