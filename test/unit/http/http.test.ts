import { createRoute, z } from "@hono/zod-openapi";
import { describe, expect, test } from "bun:test";
import { makeBreathe } from "../../../shared/waiting/breathe.ts";
import { makeHttpApp } from "../../../shared/http/http-app.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { Problem } from "../../../shared/problem.ts";

const ada = { userId: "0190a000-0000-7000-8000-000000000001", sessionId: "s", expiresAt: new Date(0) };

function setup(via: "bearer" | "cookie" = "bearer") {
  const lines: Record<string, unknown>[] = [];
  const metrics = makeMetrics("task-service", { process: false });
  const app = makeHttpApp({
    title: "test",
    version: "1",
    authenticate: async (request) => {
      if (request.headers.get("authorization") !== "Bearer good") throw new Problem("UNAUTHENTICATED");
      return { ...ada, via };
    },
    newId: () => "made-here",
    log: makeLog({}, "info", (line) => void lines.push(JSON.parse(line))),
    metrics,
    body: { bytes: 1000 },
    openPaths: ["/v1/open"],
  });
  const body = z.strictObject({ title: z.string().max(5), deep: z.strictObject({ "a/b": z.number() }).optional() });
  const responses = { 200: { description: "ok" } };
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/things/{id}",
      request: {
        params: z.object({ id: z.uuid() }),
        body: { required: true, content: { "application/json": { schema: body } } },
      },
      responses,
    }),
    async (c) => c.json({ saw: c.req.valid("json"), text: await c.req.text(), user: c.var.identity.userId }),
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/things",
      request: { query: z.object({ limit: z.coerce.number().int().max(200).optional() }) },
      responses,
    }),
    (c) => c.json({ requestId: c.var.requestId, correlation: c.var.correlationId, trace: c.var.traceparent }),
  );
  const failures: Record<string, () => unknown> = {
    unknown: () => new TypeError("secret detail"),
    refused: () => Object.assign(new Error("write"), { code: "CONNECTION_CLOSED" }),
    wrapped: () => new Error("query", { cause: Object.assign(new Error("x"), { code: "57P01" }) }),
    stale: () => new Problem("VERSION_MISMATCH", "now 4", { current: { version: 4 } }),
  };
  app.get("/v1/fail/:how", (c) => {
    throw failures[c.req.param("how")]?.();
  });
  app.get("/v1/long", async (c) => {
    const breathe = makeBreathe({ signal: c.req.raw.signal });
    for (let i = 0; i < 10_000; i++) {
      await breathe();
      await Bun.sleep(1);
    }
    return c.text("done");
  });
  app.get("/v1/things/:id", (c) => c.json({ id: c.req.param("id") }));
  app.post("/v1/things/search", (c) => c.json({ found: [] }));
  app.post("/v1/open", (c) => c.json({ open: true }));
  app.get("/v1/raw", () => new Response("raw"));
  const send = (path: string, init: RequestInit & { auth?: boolean } = {}) => {
    const headers = new Headers(init.headers);
    if (init.auth !== false) headers.set("authorization", "Bearer good");
    return Promise.resolve(app.request(path, { ...init, headers }));
  };
  const post = (sent: BodyInit, headers: Record<string, string> = { "content-type": "application/json" }) =>
    send(`/v1/things/${ada.userId}`, { method: "POST", body: sent, headers });
  return { app, send, post, lines, metrics };
}

async function problemOf(answer: Response | Promise<Response>) {
  const response = await answer;
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const document = z
    .object({
      status: z.number(),
      code: z.string(),
      detail: z.string(),
      instance: z.string(),
      errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
      current: z.unknown().optional(),
    })
    .parse(await response.json());
  expect(document.status).toBe(response.status);
  return { ...document, headers: response.headers, paths: document.errors?.map(({ path }) => path) };
}

describe("what a request may be", () => {
  test("a good one reaches its route, with its text as sent", async () => {
    const { post } = setup();
    const answer = await post('{ "title":"milk" }');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ saw: { title: "milk" }, text: '{ "title":"milk" }', user: ada.userId });
  });

  const json = { "content-type": "application/json" };
  test.each<[string, string | Uint8Array<ArrayBuffer>, Record<string, string>, number, string, string[] | undefined]>([
    ["text that is not JSON", "{", json, 400, "MALFORMED_JSON", undefined],
    ["an empty body said to be JSON", "", json, 400, "MALFORMED_JSON", undefined],
    ["bytes that are not UTF-8", new Uint8Array([34, 0xff, 34]), json, 400, "MALFORMED_JSON", undefined],
    ["brackets without end", "[".repeat(900), json, 422, "INVALID_REQUEST", ["/"]],
    ["another content type", "title=x", { "content-type": "text/plain" }, 415, "UNSUPPORTED_MEDIA_TYPE", undefined],
    ["no content type", new TextEncoder().encode("{}"), {}, 415, "UNSUPPORTED_MEDIA_TYPE", undefined],
    ["a body over the limit", JSON.stringify({ title: "x".repeat(1000) }), json, 413, "BODY_TOO_LARGE", undefined],
    ["a wrong type", '{"title":7}', json, 422, "INVALID_REQUEST", ["/title"]],
    [
      "several mistakes",
      '{"title":"toolong","deep":{"a/b":"x"}}',
      json,
      422,
      "INVALID_REQUEST",
      ["/title", "/deep/a~1b"],
    ],
    ["unknown fields", '{"title":"a","x":1,"deep":{"a/b":1,"y":2}}', json, 422, "INVALID_REQUEST", ["/deep/y", "/x"]],
    ["an array", "[]", json, 422, "INVALID_REQUEST", ["/"]],
    ["a NUL", '{"title":"a\\u0000"}', json, 422, "INVALID_REQUEST", ["/title"]],
    ["half a surrogate pair", '{"title":"\\ud83d"}', json, 422, "INVALID_REQUEST", ["/title"]],
    ["half a pair in a key", '{"deep":{"\\udc00":1}}', json, 422, "INVALID_REQUEST", ["/deep"]],
  ])("%s is refused", async (_name, sent, headers, status, code, paths) => {
    const problem = await problemOf(setup().post(sent, headers));
    expect({ status: problem.status, code: problem.code, paths: problem.paths }).toEqual({ status, code, paths });
  });

  test("an escaped whole surrogate pair is a character like any other", async () => {
    expect((await setup().post('{"title":"\\ud83d\\ude00"}')).status).toBe(200);
  });

  test("a chunked body over the limit is refused before its end", async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(400).fill(32));
      },
    });
    expect((await problemOf(setup().post(endless))).code).toBe("BODY_TOO_LARGE");
    expect(pulled).toBeLessThan(10);
  });

  test("a declared length over the limit is refused unread", async () => {
    const problem = await problemOf(setup().post("{}", { ...json, "content-length": "5000" }));
    expect(problem.code).toBe("BODY_TOO_LARGE");
  });

  test("ids and queries that are wrong are named", async () => {
    const { send } = setup();
    const id = await problemOf(send("/v1/things/7", { method: "POST", body: '{"title":"a"}', headers: json }));
    expect([id.status, id.paths]).toEqual([422, ["path.id"]]);
    const query = await problemOf(send("/v1/things?limit=9999"));
    expect([query.status, query.paths]).toEqual([422, ["query.limit"]]);
    expect(id.detail).toStartWith("path.id ");
  });

  test("unknown addresses are 404, wrong methods 405 with what is allowed", async () => {
    const { send } = setup();
    expect((await problemOf(send("/nothing"))).code).toBe("NOT_FOUND");
    expect((await problemOf(send("/v1/nothing"))).code).toBe("NOT_FOUND");
    const wrong = await problemOf(send("/v1/things", { method: "DELETE" }));
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    // A path of its own is not an id, whatever the method.
    const named = await problemOf(send("/v1/things/search", { method: "GET" }));
    expect([named.status, named.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  });
});

describe("who may ask", () => {
  test("nobody without an identity, except where it is said", async () => {
    const { send } = setup();
    const problem = await problemOf(send("/v1/things", { auth: false }));
    expect([problem.status, problem.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect((await send("/v1/open", { method: "POST", auth: false })).status).toBe(200);
    expect((await send("/openapi.json", { auth: false })).status).toBe(200);
  });

  test("a cookie does not carry a write of another origin", async () => {
    const { send } = setup("cookie");
    const write = (headers: Record<string, string>) =>
      send(`/v1/things/${ada.userId}`, {
        method: "POST",
        body: '{"title":"a"}',
        headers: { "content-type": "application/json", ...headers },
      });
    expect((await problemOf(write({ origin: "https://evil.example" }))).code).toBe("FORBIDDEN_ORIGIN");
    expect((await problemOf(write({ "sec-fetch-site": "same-site" }))).code).toBe("FORBIDDEN_ORIGIN");
    expect((await problemOf(write({ origin: "null" }))).code).toBe("FORBIDDEN_ORIGIN");
    expect((await write({ "sec-fetch-site": "same-origin", origin: "https://evil.example" })).status).toBe(200);
    expect((await write({ origin: "https://app.example", "x-forwarded-host": "app.example" })).status).toBe(200);
    expect((await write({})).status).toBe(200);
    expect((await send("/v1/things", { headers: { origin: "https://evil.example" } })).status).toBe(200);
  });
});

describe("what is told", () => {
  test("an unknown failure says nothing but the request id, and the log has the rest", async () => {
    const { send, lines } = setup();
    const problem = await problemOf(send("/v1/fail/unknown", { headers: { "x-request-id": "r-1" } }));
    expect([problem.status, problem.code, problem.instance]).toEqual([500, "INTERNAL", "r-1"]);
    expect(JSON.stringify(problem)).not.toContain("secret");
    expect(lines.map(({ event }) => event)).toEqual(["request_failed", "request"]);
    expect(JSON.stringify(lines[0])).toContain("secret detail");
  });

  test.each(["refused", "wrapped"])("an unreachable database (%s) is 503 with a time to come back", async (how) => {
    const problem = await problemOf(setup().send(`/v1/fail/${how}`));
    expect([problem.status, problem.headers.get("retry-after")]).toEqual([503, "1"]);
  });

  test("a client that has left is no failure: the work for it ends, and the log says 499", async () => {
    const { send, lines, metrics } = setup();
    const client = new AbortController();
    setTimeout(() => client.abort(), 20);
    expect((await send("/v1/long", { signal: client.signal })).status).toBe(499);
    expect(lines.map(({ level, event, status }) => ({ level, event, status }))).toEqual([
      { level: "info", event: "request", status: 499 },
    ]);
    expect(await metrics.text()).toMatch(/http_requests_total\{.*route="\/v1\/long",status="499".*\} 1/);
    // What fails for another reason meanwhile is told as ever.
    expect((await send("/v1/fail/unknown", { signal: AbortSignal.abort() })).status).toBe(500);
  });

  test("a stale version is answered with the current representation", async () => {
    const problem = await problemOf(setup().send("/v1/fail/stale"));
    expect([problem.status, problem.current]).toEqual([412, { version: 4 }]);
  });

  test("ids are taken when they are safe and made when not", async () => {
    const { send } = setup();
    const trace = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const taken = await send("/v1/things", {
      headers: { "x-request-id": "r1", "x-correlation-id": "c1", traceparent: trace },
    });
    expect(await taken.json()).toEqual({ requestId: "r1", correlation: "c1", trace });
    const made = await send("/v1/things", { headers: { "x-request-id": "a b", traceparent: "00-0-0-0" } });
    expect(made.headers.get("x-request-id")).toBe("made-here");
    expect(await made.json()).toEqual({
      requestId: "made-here",
      correlation: "made-here",
      trace: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
    expect((await send("/v1/raw")).headers.get("x-request-id")).toBe("made-here");
  });

  test("one line and one count per request, by pattern, without what was sent", async () => {
    const { post, send, lines, metrics } = setup();
    await post('{"title":"milk"}');
    await send("/v1/whatever");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ method: "POST", route: "/v1/things/:id", status: 200, userId: ada.userId });
    expect(JSON.stringify(lines)).not.toMatch(/milk|Bearer/);
    const text = await metrics.text();
    expect(text).toContain(
      'http_requests_total{method="POST",route="/v1/things/:id",status="200",role="task-service"} 1',
    );
    expect(text).toContain('route="unmatched",status="404"');
  });
});
