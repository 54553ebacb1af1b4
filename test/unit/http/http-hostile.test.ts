import { createRoute, z } from "@hono/zod-openapi";
import { describe, expect, test } from "bun:test";
import { makeHttpApp, type HttpOptions } from "../../../shared/http/http-app.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { Problem } from "../../../shared/problem.ts";
import { newTask } from "../../../shared/tasks/task-input.ts";
import { preferencesInput } from "../../../shared/preferences/preferences.ts";

const responses = { 200: { description: "ok" } };
const bodyOf = (schema: z.ZodType) => ({ required: true, content: { "application/json": { schema } } });

function setup(over: Partial<HttpOptions> = {}) {
  const app = makeHttpApp({
    title: "test",
    version: "1",
    authenticate: async (request) => {
      if (!request.headers.has("authorization")) throw new Problem("UNAUTHENTICATED");
      return { userId: "u", sessionId: "s", expiresAt: new Date(0), via: "bearer" };
    },
    newId: () => "id",
    log: makeLog({}, "error", () => {}),
    metrics: makeMetrics("task-service", { process: false }),
    openPaths: ["/v1/session"],
    ...over,
  });
  for (const [path, schema] of [
    ["/v1/tasks", newTask],
    ["/v1/preferences", preferencesInput],
    ["/v1/session", z.strictObject({ user: z.string().trim().min(1).max(64) })],
  ] as const)
    app.openapi(createRoute({ method: "post", path, request: { body: bodyOf(schema) }, responses }), (c) => c.json({}));
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/things",
      request: { query: z.object({ limit: z.string().optional() }) },
      responses,
    }),
    (c) => c.json({}),
  );
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: "Bearer x", "content-type": "application/json", ...init.headers };
    const answer = await app.request(path, { ...init, headers });
    const text = await answer.text();
    return { status: answer.status, text, headers: answer.headers };
  };
  return { app, send, post: (path: string, body: BodyInit) => send(path, { method: "POST", body }) };
}

type Said = Readonly<{ code: string; detail: string; errors?: readonly { path: string; message: string }[] }>;
const read = (text: string) => JSON.parse(text) as Said;

const nested = (depth: number, inside: string) => `{"title":${"[".repeat(depth)}${inside}${"]".repeat(depth)}}`;
const nuls = (count: number) => Array.from({ length: count }, () => String.raw`"\u0000"`).join(",");
const many = (count: number, entry: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => entry(at)).join();
const longKey = "k".repeat(30_000);

const hostile: readonly (readonly [string, string])[] = [
  ["NULs far down", nested(600_000, nuls(50))],
  ["brackets without end", "[".repeat(1_200_000)],
  ["objects far down", `${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}`],
  ["more NULs than can be named", `{"title":[${nuls(5_000)}]}`],
  ["NULs below long keys", `{"${longKey}":{"${longKey}x":{"${longKey}y":[${nuls(50)}]}}}`],
  ["more values than anybody needs", `{"title":[${many(400_000, () => "1")}]}`],
  ["more unknown fields than can be named", `{${many(9_000, (at) => `"k${at}":1`)}}`],
  ["unknown fields with long names", `{${many(30, (at) => `"${longKey}${at}":1`)}}`],
  ["wrong entries of a list", `{"title":"a","tags":[${many(9_000, () => "1")}]}`],
  ["a field of a megabyte", JSON.stringify({ title: "a".repeat(1_000_000) })],
  ["a wrong word of a megabyte", JSON.stringify({ title: "a", priority: "x".repeat(1_000_000) })],
  ["a zone of a megabyte", JSON.stringify({ title: "a", due_tz: "A".repeat(1_000_000) })],
  ["a rule of a megabyte", JSON.stringify({ title: "a", recurrence_pattern: { rrule: "F".repeat(1_000_000) } })],
  ["a field of a field", JSON.stringify({ title: "a", recurrence_pattern: { [longKey]: 1, rrule: "FREQ=DAILY" } })],
];

describe("no answer is larger than its question is worth", () => {
  test.each(hostile)("%s", async (_name, body) => {
    const answer = await setup().post("/v1/tasks", body);
    expect(answer.status).toBe(422);
    expect(answer.text.length).toBeLessThan(16_000);
    const { errors = [], detail } = read(answer.text);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(50);
    expect(Math.max(...errors.flatMap(({ path, message }) => [path.length, message.length]))).toBeLessThanOrEqual(200);
    expect(detail.length).toBeLessThanOrEqual(1_000);
  });

  test("a problem of a route's own is bounded like one that is found for it", async () => {
    const { app, send } = setup();
    app.get("/v1/mine", () => {
      const mistake = { path: `/${"p".repeat(5_000)}`, message: "\u{1f600}".repeat(5_000) };
      throw new Problem("INVALID_REQUEST", undefined, { mistakes: Array.from({ length: 400 }, () => mistake) });
    });
    const { text } = await send("/v1/mine");
    expect(text.length).toBeLessThan(16_000);
    expect(text.isWellFormed() && !text.includes(String.raw`\ud83d`)).toBe(true);
    expect(read(text).detail).toEndWith("…");
  });

  test("an address of a megabyte is tried on no pattern: its length is looked at first", async () => {
    const to = `a@${"a.".repeat(600_000)}!`;
    const { text } = await setup().post("/v1/preferences", JSON.stringify({ channels: [{ type: "email", to }] }));
    expect(read(text).errors).toEqual([{ path: "/channels/0/to", message: "has more than 32768 characters" }]);
  });

  test("what is deep, long and many, and yet in bounds, is taken", async () => {
    const body = {
      title: "a",
      description: "é\u{1f600}".repeat(5_000),
      tags: Array.from({ length: 50 }, (_, n) => `t${n}`),
    };
    expect((await setup().post("/v1/tasks", JSON.stringify(body))).status).toBe(200);
    // Escapes make the text six times as long as what it stands for.
    const escaped = `{"title":"a","description":"${String.raw`\u00e9`.repeat(20_000)}"}`;
    expect((await setup().post("/v1/tasks", escaped)).status).toBe(200);
  });
});

describe("a stranger", () => {
  test("may send little where the door is open", async () => {
    const { app } = setup();
    const headers = { "content-type": "application/json" };
    const ask = (user: string) =>
      app.request("/v1/session", { method: "POST", headers, body: JSON.stringify({ user }) });
    expect((await ask("ada")).status).toBe(200);
    expect((await ask("a".repeat(20_000))).status).toBe(413);
  });

  test("is turned away before the body is read", async () => {
    let isRead = false;
    const body = () =>
      new ReadableStream<Uint8Array>(
        {
          pull: (out) => {
            isRead = true;
            out.enqueue(new Uint8Array(1_000));
          },
        },
        { highWaterMark: 0 },
      );
    const admit = () => {
      throw new Problem("UNAUTHENTICATED");
    };
    for (const [over, path] of [
      [{}, "/v1/tasks"],
      [{ admit }, "/api/anything"],
    ] as const) {
      const answer = await setup(over).app.request(path, { method: "POST", body: body() });
      expect([answer.status, isRead]).toEqual([401, false]);
    }
  });
});

describe("what no part below can hold or tell apart", () => {
  test.each([
    ["/v1/things/%00", 404, undefined],
    ["/v1/%00", 404, undefined],
    ["/v1/things?limit=%00", 422, ["query.limit"]],
    ["/v1/things?%00=1", 422, ["query."]],
    ["/v1/things?limit=1&limit=2", 422, ["query.limit"]],
    ["/v1/things?limt=1", 422, ["query.limt"]],
    ["/v1/things?__proto__=1", 422, ["query.__proto__"]],
    ["/v1/things?constructor=1&toString", 422, ["query.constructor", "query.toString"]],
    ["/v1/things?lim%69t=1&limit=2", 422, ["query.limit"]],
    ["/v1/things?=1", 422, ["query."]],
    ["/v1/things?&&", 200, undefined],
    ["/v1/things?limit=1", 200, undefined],
  ])("%s answers %p", async (path, status, paths) => {
    const answer = await setup().send(path);
    expect([answer.status, read(answer.text).errors?.map((error) => error.path)]).toEqual([status, paths]);
  });

  test("a body that is encoded is refused, and told how it would be taken", async () => {
    const { send } = setup();
    const zipped = Bun.gzipSync(new TextEncoder().encode('{"title":"a"}'));
    const answer = await send("/v1/tasks", { method: "POST", body: zipped, headers: { "content-encoding": "gzip" } });
    expect([answer.status, answer.headers.get("accept-encoding")]).toEqual([415, "identity"]);
    const plain = { method: "POST", body: '{"title":"a"}', headers: { "content-encoding": "identity" } };
    expect((await send("/v1/tasks", plain)).status).toBe(200);
  });
});

describe("methods", () => {
  test("a path that stands by itself is not another's id", async () => {
    const { app, send } = setup();
    app.get("/v1/letters/:id", (c) => c.json({}));
    app.post("/v1/letters/read-all", (c) => c.json({}));
    const answer = await send("/v1/letters/read-all");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
    expect((await send("/v1/letters/7")).status).toBe(200);
    const asked = await send("/v1/letters/7", { method: "OPTIONS" });
    expect([asked.status, asked.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    expect((await send("/v1/nothing", { method: "OPTIONS" })).status).toBe(404);
  });

  test("HEAD has the length that GET would have, and no body", async () => {
    const { app, send } = setup();
    app.get("/v1/long", (c) => c.json({ text: "é".repeat(700) }));
    const length = new TextEncoder().encode((await send("/v1/long")).text).byteLength;
    const answer = await send("/v1/long", { method: "HEAD" });
    expect([answer.status, answer.headers.get("content-length"), answer.text]).toEqual([200, String(length), ""]);
  });
});
