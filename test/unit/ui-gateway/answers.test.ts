import { describe, expect, test } from "bun:test";
import { readConfig } from "../../../shared/role/config.ts";
import { acceptsGzip } from "../../../shared/http/accepts-gzip.ts";
import { makeHttpApp } from "../../../shared/http/http-app.ts";
import { openPage } from "../../../shared/http/open-page.ts";
import { servePage } from "../../../shared/http/page.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { Problem } from "../../../shared/problem.ts";
import { compressAnswers } from "../../../workers/ui-gateway/http/compress-answers.ts";
import { allowOrigins, corsOrigins } from "../../../workers/ui-gateway/http/cors.ts";

const long = { items: Array.from({ length: 100 }, (_, at) => ({ title: `task ${at}` })) };
const zip = { "accept-encoding": "gzip, br" };

function setup({ origins = [] as readonly string[], answer = () => Response.json(long) as Response } = {}) {
  const app = makeHttpApp({
    title: "test",
    version: "1",
    authenticate: async (request) => {
      if (!request.headers.has("authorization")) throw new Problem("UNAUTHENTICATED");
      return { userId: "u", sessionId: "s", expiresAt: new Date(0), via: "bearer" };
    },
    newId: () => "id",
    log: makeLog({}, "error", () => {}),
    metrics: makeMetrics("ui-gateway", { process: false }),
    around: [allowOrigins(origins), compressAnswers()],
  });
  app.all("/v1/tasks", () => answer());
  app.get("/", () => answer());
  return (method: string, path: string, headers: Record<string, string> = {}) =>
    Promise.resolve(app.request(path, { method, headers }));
}
const bearer = { authorization: "Bearer x" };

describe("answers are compressed for who takes it", () => {
  test("a long list, and the same bytes come out", async () => {
    const call = setup();
    const answer = await call("GET", "/v1/tasks", { ...bearer, ...zip });
    expect([answer.headers.get("content-encoding"), answer.headers.get("vary")]).toEqual(["gzip", "accept-encoding"]);
    const bytes = await answer.bytes();
    expect(bytes.byteLength).toBeLessThan(600);
    expect(JSON.parse(new TextDecoder().decode(Bun.gunzipSync(bytes)))).toEqual(long);
    const plain = await call("GET", "/v1/tasks", bearer);
    expect([plain.headers.get("content-encoding"), plain.headers.get("vary")]).toEqual([null, "accept-encoding"]);
    expect(await plain.json()).toEqual(long);
  });

  test("a large one beside the event loop, a calendar while it is written", async () => {
    const text = "BEGIN:VTODO\r\n".repeat(30_000);
    for (const type of ["application/json", "text/calendar; charset=utf-8"]) {
      const call = setup({ answer: () => new Response(text, { headers: { "content-type": type } }) });
      const answer = await call("GET", "/v1/tasks", { ...bearer, ...zip });
      expect(answer.headers.get("content-encoding")).toBe("gzip");
      expect(new TextDecoder().decode(Bun.gunzipSync(await answer.bytes()))).toBe(text);
    }
  });

  const typed = (type: string, more: Record<string, string> = {}) => ({ headers: { "content-type": type, ...more } });
  test.each<[string, () => Response]>([
    ["a short answer", () => Response.json({ items: [] })],
    ["an event stream", () => new Response(`data: ${"x".repeat(3000)}\n\n`, typed("text/event-stream"))],
    ["what has a strong tag, which If-Match will name", () => Response.json(long, { headers: { etag: '"3"' } })],
    ["what is encoded already", () => new Response("x".repeat(3000), typed("text/html", { "content-encoding": "br" }))],
    [
      "what must not be changed",
      () => new Response("x".repeat(3000), typed("text/html", { "cache-control": "no-transform" })),
    ],
    ["an image", () => new Response("x".repeat(3000), typed("image/png"))],
  ])("not %s", async (_name, answerWith) => {
    const answer = await setup({ answer: answerWith })("GET", "/v1/tasks", { ...bearer, ...zip });
    expect(answer.headers.get("content-encoding")).not.toBe("gzip");
    expect(await answer.bytes()).toEqual(await answerWith().bytes());
  });

  test("the page's files are ready compressed, under tags of their own", async () => {
    const page = await openPage(`${import.meta.dir}/../../../workers/ui-gateway/page`);
    const get = (headers: Record<string, string> = {}) =>
      servePage(page, new Request("http://h/app.css", { headers })) ?? new Response(null, { status: 404 });
    const [plain, zipped] = [get(), get(zip)];
    expect([plain.headers.get("content-encoding"), zipped.headers.get("content-encoding")]).toEqual([null, "gzip"]);
    const [text, packed] = [await plain.bytes(), await zipped.bytes()];
    expect(Bun.gunzipSync(packed)).toEqual(text);
    expect(packed.byteLength).toBeLessThan(text.byteLength / 2);
    const etag = zipped.headers.get("etag") ?? "";
    expect(etag).not.toBe(plain.headers.get("etag") ?? "");
    expect([get({ ...zip, "if-none-match": etag }).status, get({ "if-none-match": etag }).status]).toEqual([304, 200]);
  });

  test.each<[string | null, boolean]>([
    ["gzip", true],
    ["GZIP;q=0.5", true],
    ["br, *", true],
    ["*;q=0.1", true],
    [null, false],
    ["", false],
    ["br", false],
    ["gzip;q=0", false],
    ["gzip; q=0.000, *", false],
    ["*;q=0", false],
    ["notgzip", false],
  ])("accept-encoding %p: %p", (header, isTaken) => {
    expect(acceptsGzip(header)).toBe(isTaken);
  });
});

describe("pages of other origins", () => {
  const origin = "https://app.example";
  const preflight = { origin, "access-control-request-method": "PATCH" };
  const ours = (answer: Response) => [...answer.headers.keys()].filter((name) => name.startsWith("access-control"));

  test("may not call the API unless it is said", async () => {
    const call = setup();
    expect(ours(await call("OPTIONS", "/v1/tasks", preflight))).toEqual([]);
    expect(ours(await call("GET", "/v1/tasks", { ...bearer, origin }))).toEqual([]);
  });

  test("that are named may, with a bearer token, and read the headers they need", async () => {
    const call = setup({ origins: [origin] });
    const asked = await call("OPTIONS", "/v1/tasks", preflight);
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, origin]);
    expect(asked.headers.get("access-control-allow-methods")).toContain("PATCH");
    for (const header of ["authorization", "idempotency-key", "if-match", "content-type"])
      expect(asked.headers.get("access-control-allow-headers")).toContain(header);
    const answer = await call("GET", "/v1/tasks", { ...bearer, origin });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
    for (const header of ["etag", "x-stream-cursor", "location", "retry-after"])
      expect(answer.headers.get("access-control-expose-headers")).toContain(header);
    const refused = await call("GET", "/v1/tasks", { origin });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, origin]);
    for (const each of [asked, answer, refused]) {
      expect(each.headers.get("vary")).toContain("origin");
      expect(each.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  test.each([
    "https://evil.example",
    "http://app.example",
    "https://app.example:444",
    "https://app.example.evil",
    "https://sub.app.example",
    "null",
  ])("%s is not %s", async (other) => {
    const answer = await setup({ origins: [origin] })("OPTIONS", "/v1/tasks", { ...preflight, origin: other });
    expect([answer.status, ours(answer)]).toEqual([401, []]);
    expect(answer.headers.get("vary")).toContain("origin");
  });

  test("the page itself is nobody's API", async () => {
    expect(ours(await setup({ origins: ["*"] })("GET", "/", { origin }))).toEqual([]);
  });

  test.each([
    ["https://app.example, http://127.0.0.1:3000", ["https://app.example", "http://127.0.0.1:3000"]],
    ["*", ["*"]],
    ["", []],
  ])("the setting %p", (value, origins) => {
    expect(readConfig({ corsOrigins }, { CORS_ORIGINS: value }).corsOrigins).toEqual(origins);
  });
  test.each(["app.example", "https://app.example/", "https://App.example", "https://app.example:443", "null"])(
    "the setting %p is refused",
    (value) => {
      expect(() => readConfig({ corsOrigins }, { CORS_ORIGINS: value })).toThrow("CORS_ORIGINS must be origins");
    },
  );
});
