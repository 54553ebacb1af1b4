import { describe, expect, test } from "bun:test";
import { openAuth, type AuthConfig } from "../../../shared/http/auth.ts";
import { deriveId } from "../../../shared/messages/derive-id.ts";
import { makeLimiter } from "../../../shared/limits/limiter.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { Problem } from "../../../shared/problem.ts";
import { SignJWT } from "jose";
import { buildApp } from "../../../workers/ui-gateway/app.ts";
import type { ApiDocument } from "../../../workers/ui-gateway/document/complete-document.ts";
import { makeAuthenticate } from "../../../workers/ui-gateway/sign-in/authenticate.ts";
import type { Follow, Sink } from "../../../workers/ui-gateway/stream/follow.ts";
import type { RequestLimits } from "../../../workers/ui-gateway/limits/open-limits.ts";
import type { Forward } from "../../../workers/ui-gateway/http/proxy.ts";
import type { StreamUser } from "../../../workers/ui-gateway/stream/streams.ts";

const auth: AuthConfig = {
  mode: "dev",
  secret: "s".repeat(32),
  jwksUrl: null,
  issuer: null,
  audience: null,
  algorithm: null,
  devHosts: ["app.test"],
  nodeEnv: null,
  host: "127.0.0.1",
  inClear: false,
};
const bytes = (text: string) => new TextEncoder().encode(text);

type Over = Readonly<{
  auth?: AuthConfig;
  corsOrigins?: readonly string[];
  answer?: (forward: Forward) => Response;
  follow?: Follow;
  limits?: RequestLimits;
}>;

function setup(over: Over = {}) {
  const lines: string[] = [];
  const log = makeLog({}, "debug", (line) => void lines.push(line));
  const forwarded: Forward[] = [];
  const opened: { who: StreamUser; cursor: string | null }[] = [];
  const endedSessions = new Set<string>();
  const tickets = new Map<string, StreamUser>();
  let position = 7;
  const config = over.auth ?? auth;
  const app = buildApp({
    http: {
      version: "1",
      authenticate: makeAuthenticate({
        authenticate: openAuth(config, () => new Date()).authenticate,
        isOver: ({ userId, sessionId }) => endedSessions.has(`${userId} ${sessionId}`),
        redeemTicket: (ticket) => {
          const who = tickets.get(ticket) ?? null;
          tickets.delete(ticket);
          return Promise.resolve(who);
        },
      }),
      newId: () => Bun.randomUUIDv7(),
      log,
      metrics: makeMetrics("ui-gateway", { process: false }),
    },
    session: {
      auth: config,
      sessions: {
        begin: () => Promise.resolve(),
        end: ({ id, userId }) => {
          endedSessions.add(`${userId} ${id}`);
          return Promise.resolve();
        },
      },
      sessionSeconds: 60,
      now: () => new Date(),
    },
    signInUrl: "https://id.example.org/",
    stream: {
      streams: {
        open: (who, cursor) => {
          opened.push({ who, cursor });
          return Promise.resolve(new Response("stream"));
        },
        admit: () => () => {},
        endSessions: () => {},
        drain: () => Promise.resolve(),
      },
      freshness: { state: () => "live", watch: () => () => {} },
      stopping: new AbortController().signal,
      follow: over.follow ?? (() => Promise.reject(new Problem("UNAVAILABLE"))),
      issueTicket: (who) => {
        tickets.set("t1", who);
        return Promise.resolve({ ticket: "t1", expiresAt: new Date(0) });
      },
    },
    proxy: (forward) => {
      forwarded.push(forward);
      const answer = over.answer?.(forward) ?? Response.json({ items: [] });
      position++;
      return Promise.resolve(answer);
    },
    cursorOf: (userId) => `e.${userId.slice(0, 2)}.${position}`,
    page: new Map([
      ["/", { type: "text/html; charset=utf-8", plain: { bytes: bytes("<!doctype html>"), etag: '"x"' }, gzip: null }],
    ]),
    corsOrigins: over.corsOrigins ?? [],
    limits: over.limits ?? { user: null, address: null, trustedProxies: 0 },
    mcp: () => Promise.reject(new Error("no assistant comes here")),
    readDocument: () => Promise.reject(new Error("down")),
  });
  const call = (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) =>
    app.fetch(
      new Request(`http://app.test${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  const signIn = async (user = "ada", headers: Record<string, string> = {}) => {
    const answer = await call("POST", "/v1/session", headers, { user });
    expect(answer.status).toBe(201);
    const session = (await answer.json()) as { token: string; user_id: string; expires_at: string };
    const cookie = answer.headers.get("set-cookie") ?? "";
    return { ...session, cookie, bearer: { authorization: `Bearer ${session.token}` } };
  };
  return { app, call, signIn, forwarded, opened, lines, tickets };
}

test("a request that was passed on is told by the route that passed it on, a stranger's path by none", async () => {
  const { call, signIn, lines } = setup();
  const { bearer } = await signIn();
  await call("GET", "/v1/tasks?status=all", bearer);
  await call("GET", "/nowhere", bearer);
  const routes = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === "request");
  expect(routes.slice(-2).map(({ route, status }) => ({ route, status }))).toEqual([
    { route: "/v1/*", status: 200 },
    { route: "unmatched", status: 404 },
  ]);
});

test("what a query may hold is for the role to say that answers it", async () => {
  const { call, signIn, forwarded } = setup();
  const { bearer } = await signIn();
  expect((await call("GET", "/v1/tasks?tag=home&tag=garden", bearer)).status).toBe(200);
  expect(forwarded.at(-1)?.request.url).toBe("http://app.test/v1/tasks?tag=home&tag=garden");
  expect((await call("GET", "/v1/sync?wait=0&wait=1", bearer)).status).toBe(422);
});

describe("sessions", () => {
  test("where they are made elsewhere, that is said before a body is read", async () => {
    let isRead = false;
    const pull = (out: ReadableStreamDefaultController<Uint8Array>) => {
      isRead = true;
      out.enqueue(new Uint8Array(1_000));
    };
    const body = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
    const { app } = setup({ auth: { ...auth, mode: "jwt" } });
    const answer = await app.fetch(new Request("http://app.test/v1/session", { method: "POST", body }));
    expect([answer.status, isRead]).toEqual([404, false]);
  });

  test("a name gets a token and a cookie scripts cannot read; the same name is the same user", async () => {
    const { call, signIn } = setup();
    const { token, user_id, cookie, bearer } = await signIn();
    expect(user_id).toBe(deriveId("user", "ada"));
    expect(cookie).toBe(`taskwire_session=${token}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict`);
    for (const headers of [bearer, { cookie: `a=b; taskwire_session=${token}` }]) {
      const answer = await call("GET", "/v1/session", headers);
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ user_id })]);
    }
    expect((await signIn()).user_id).toBe(user_id);
    expect((await signIn("bob")).user_id).not.toBe(user_id);
  });

  test("where the browser came by https the cookie is Secure and bound to this host, and no other is read", async () => {
    const { call, signIn } = setup();
    const https = { "x-forwarded-proto": "https" };
    const { cookie, token } = await signIn("ada", https);
    expect(cookie).toBe(`__Host-taskwire_session=${token}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure`);
    const status = async (sent: string, headers = {}) =>
      (await call("GET", "/v1/session", { cookie: sent, ...headers })).status;
    expect(await status(`__Host-taskwire_session=${token}`, https)).toBe(200);
    // Another host of the domain may have set that one.
    expect(await status(`taskwire_session=${token}`, https)).toBe(401);
    const bob = (await signIn("bob", https)).token;
    expect(await status(`taskwire_session=${bob}; __Host-taskwire_session=${token}`, https)).toBe(200);
    expect(await status(`__Host-taskwire_session=${bob}; __Host-taskwire_session=${token}`, https)).toBe(401);
    expect(await status(`taskwire_session=${bob}; taskwire_session=${token}`)).toBe(401);
  });

  test.each<[string, Record<string, string>, number]>([
    ["by a name of its own", { host: "localhost:8080" }, 201],
    ["by its address", { host: "127.0.0.1:8080" }, 201],
    ["by its address of version 6", { host: "[::1]:8080" }, 201],
    ["by a name that was allowed", { host: "app.test" }, 201],
    ["through a proxy by such a name", { host: "127.0.0.1:8080", "x-forwarded-host": "localhost" }, 201],
    ["by a stranger's name that leads here", { host: "evil.example:8080", origin: "http://evil.example:8080" }, 403],
    ["by one that only looks like it", { host: "localhost.evil.example" }, 403],
    ["by a stranger's name that claims a proxy", { host: "evil.example", "x-forwarded-host": "localhost" }, 403],
    ["through a proxy by a stranger's name", { host: "127.0.0.1:8080", "x-forwarded-host": "evil.example" }, 403],
    ["by nonsense", { host: "a b" }, 403],
  ])("development sign-in %s", async (_how, headers, status) => {
    expect((await setup().call("POST", "/v1/session", headers, { user: "ada" })).status).toBe(status);
  });

  test("after signing out the token is refused everywhere and the cookie cleared", async () => {
    const { call, signIn, forwarded } = setup();
    const { bearer } = await signIn();
    const out = await call("DELETE", "/v1/session", bearer);
    expect([out.status, out.headers.get("set-cookie")]).toEqual([204, expect.stringContaining("Max-Age=0")]);
    for (const path of ["/v1/session", "/v1/tasks", "/v1/stream"])
      expect((await call("GET", path, bearer)).status).toBe(401);
    expect(forwarded).toEqual([]);
  });

  test("with an identity provider nobody signs in by name, and the answer says what to do", async () => {
    const { call } = setup({ auth: { ...auth, mode: "jwt" } });
    const answer = await call("POST", "/v1/session", {}, { user: "ada" });
    expect([answer.status, await answer.json()]).toEqual([
      404,
      expect.objectContaining({ detail: expect.stringContaining("identity provider") }),
    ]);
  });

  test("a name is one user however its letters are composed", async () => {
    const { call } = setup();
    const idOf = async (user: string) => (await (await call("POST", "/v1/session", {}, { user })).json()).user_id;
    expect(await idOf("Jos\u00e9")).toBe(await idOf(" Jose\u0301 "));
  });

  test.each([
    [{ user: "" }, "/user"],
    [{ user: " \u200b" }, "/user"],
    [{ user: "a\u0007" }, "/user"],
    [{ user: "x".repeat(65) }, "/user"],
    [{}, "/user"],
    [{ user: "ada", admin: true }, "/admin"],
  ])("%j is refused naming the field", async (body, path) => {
    const answer = await setup().call("POST", "/v1/session", {}, body);
    expect([answer.status, await answer.json()]).toEqual([
      422,
      expect.objectContaining({ errors: [expect.objectContaining({ path })] }),
    ]);
  });
});

describe("what is passed on", () => {
  test("goes to its role with who asks, where from and which request, and nothing without a valid token", async () => {
    const { call, signIn, forwarded } = setup();
    const { bearer } = await signIn();
    expect((await call("GET", "/v1/tasks")).status).toBe(401);
    expect((await call("GET", "/v1/tasks", { authorization: "Bearer nonsense" })).status).toBe(401);
    expect(forwarded).toEqual([]);
    await call("POST", "/v1/tasks/1/reminders?x=1", { ...bearer, "x-request-id": "r-1" }, { remind_at: "soon" });
    expect(forwarded).toMatchObject([
      { upstream: "reminder-service", body: '{"remind_at":"soon"}', headers: { "x-request-id": "r-1" } },
    ]);
    expect(forwarded[0]?.headers["traceparent"]).toMatch(/^00-/);
    expect(forwarded[0]?.headers["x-forwarded-host"]).toBe("app.test");
  });

  test("reads carry the position from before they were asked, writes and failures none", async () => {
    const { call, signIn } = setup({
      answer: ({ request }) => new Response(null, { status: request.url.endsWith("/9") ? 404 : 200 }),
    });
    const { bearer, user_id } = await signIn();
    const positionOf = async (method: string, path: string) =>
      (await call(method, path, bearer)).headers.get("x-stream-cursor");
    expect(await positionOf("GET", "/v1/tasks")).toBe(`e.${user_id.slice(0, 2)}.7`);
    expect(await positionOf("GET", "/v1/tasks/1")).toBe(`e.${user_id.slice(0, 2)}.8`);
    expect(await positionOf("HEAD", "/v1/tasks")).toBe(`e.${user_id.slice(0, 2)}.9`);
    expect(await positionOf("GET", "/v1/tasks/9")).toBeNull();
    expect(await positionOf("DELETE", "/v1/tasks/1")).toBeNull();
  });

  test("goes there with the one credential that was verified", async () => {
    const { call, signIn, forwarded } = setup();
    const [ada, bob] = [await signIn("ada"), await signIn("bob")];
    const byBob = { cookie: `taskwire_session=${bob.token}` };
    await call("GET", "/v1/tasks", { ...ada.bearer, ...byBob, connection: "authorization" });
    await call("POST", "/v1/tasks", { ...byBob, origin: "http://app.test" }, { title: "x" });
    expect(forwarded.map(({ token }) => token)).toEqual([ada.token, bob.token]);
    await call("DELETE", "/v1/session", bob.bearer);
    expect((await call("GET", "/v1/tasks", byBob)).status).toBe(401);
    const two = { authorization: `${ada.bearer.authorization}, ${bob.bearer.authorization}`, ...byBob };
    expect((await call("GET", "/v1/tasks", two)).status).toBe(401);
    expect(forwarded).toHaveLength(2);
  });

  test("a write by cookie from another origin goes nowhere", async () => {
    const { call, signIn, forwarded } = setup();
    const { token } = await signIn();
    const cookie = { cookie: `taskwire_session=${token}` };
    for (const headers of [{ origin: "https://evil.test" }, { "sec-fetch-site": "cross-site" }, { origin: "null" }]) {
      const answer = await call("POST", "/v1/tasks", { ...cookie, ...headers }, { title: "x" });
      expect(answer.status).toBe(403);
    }
    expect((await call("DELETE", "/v1/session", { ...cookie, origin: "https://evil.test" })).status).toBe(403);
    expect(forwarded).toEqual([]);
    expect((await call("POST", "/v1/tasks", { ...cookie, origin: "http://app.test" }, { title: "x" })).status).toBe(
      200,
    );
  });

  test("unknown paths and large bodies are answered here, as problems with the request's id", async () => {
    const { call, signIn, forwarded } = setup();
    const { bearer } = await signIn();
    const unknown = await call("GET", "/v1/nothing", bearer);
    expect([unknown.status, unknown.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    const large = await call("POST", "/v1/tasks", bearer, { title: "x".repeat(1_400_000) });
    expect(large.status).toBe(413);
    expect(forwarded).toEqual([]);
  });
});

describe("a method that is not for this address", () => {
  test.each([
    ["POST", "/v1/stream", "GET, HEAD, OPTIONS"],
    ["PUT", "/v1/sync", "GET, HEAD, OPTIONS"],
    ["GET", "/v1/stream/ticket", "POST, OPTIONS"],
    ["PATCH", "/v1/session", "GET, HEAD, POST, DELETE, OPTIONS"],
    ["POST", "/docs", "GET, HEAD, OPTIONS"],
    ["DELETE", "/openapi.json", "GET, HEAD, OPTIONS"],
    ["POST", "/", "GET, HEAD, OPTIONS"],
  ])("%s %s answers 405 and says which are", async (method, path, allow) => {
    const { call, signIn, forwarded } = setup();
    const { bearer } = await signIn();
    const answer = await call(method, path, bearer);
    expect([answer.status, answer.headers.get("allow"), forwarded]).toEqual([405, allow, []]);
    expect(await answer.json()).toMatchObject({ code: "METHOD_NOT_ALLOWED", instance: expect.any(String) });
  });

  test.each([
    ["/v1/stream", "GET, HEAD, OPTIONS"],
    ["/v1/session", "GET, HEAD, POST, DELETE, OPTIONS"],
    ["/", "GET, HEAD, OPTIONS"],
  ])("OPTIONS %s says which methods there are", async (path, allow) => {
    const { call, signIn } = setup();
    const answer = await call("OPTIONS", path, (await signIn()).bearer);
    expect([answer.status, answer.headers.get("allow"), await answer.text()]).toEqual([204, allow, ""]);
  });

  test.each([
    ["GET", "/v1/nothing"],
    ["POST", "/v1/nothing"],
    ["GET", "/nothing"],
    ["POST", "/nothing"],
  ])("%s %s answers 404: there is nothing at all", async (method, path) => {
    const { call, signIn } = setup();
    const { bearer } = await signIn();
    const answer = await call(method, path, bearer);
    expect([answer.status, answer.headers.get("allow")]).toEqual([404, null]);
  });
});

describe("what stands around every answer", () => {
  const long = { items: Array.from({ length: 100 }, (_, at) => ({ title: `task ${at}` })) };

  test("what a role answered is compressed, and HEAD has the length of what GET would send", async () => {
    const { call, signIn } = setup({ answer: () => Response.json(long) });
    const { bearer } = await signIn();
    const zipped = await call("GET", "/v1/tasks", { ...bearer, "accept-encoding": "gzip" });
    const bytes = await zipped.bytes();
    expect(JSON.parse(new TextDecoder().decode(Bun.gunzipSync(bytes)))).toEqual(long);
    const head = await call("HEAD", "/v1/tasks", { ...bearer, "accept-encoding": "gzip" });
    expect([head.headers.get("content-encoding"), head.headers.get("content-length"), await head.text()]).toEqual([
      "gzip",
      String(bytes.byteLength),
      "",
    ]);
    const plain = await call("HEAD", "/v1/tasks", bearer);
    expect(plain.headers.get("content-length")).toBe(String(JSON.stringify(long).length));
  });

  test("a preflight is answered before anybody is asked who they are, and a cookie opens nothing", async () => {
    const { call, signIn, forwarded } = setup({ corsOrigins: ["*"] });
    const origin = "https://app.example";
    const asked = await call("OPTIONS", "/v1/tasks", { origin, "access-control-request-method": "PATCH" });
    expect([asked.status, asked.headers.get("access-control-allow-origin"), forwarded]).toEqual([204, origin, []]);
    const { token } = await signIn();
    const cookie = { origin, cookie: `taskwire_session=${token}`, "sec-fetch-site": "cross-site" };
    expect((await call("POST", "/v1/tasks", cookie, { title: "x" })).status).toBe(403);
  });
});

describe("limits", () => {
  const limiter = (name: string, burst: number) => makeLimiter({ name, burst, perSecond: 1 }, { now: () => 0 });
  const limits = ({ user = 1_000, address = 1_000, trustedProxies = 0 }) => ({
    limits: { user: limiter("user", user), address: limiter("address", address), trustedProxies },
  });
  const rates = ({ headers }: Response) => [headers.get("ratelimit-policy"), headers.get("ratelimit")];

  test("every answer says what is left; one too many is refused with the time to come again, its body unread", async () => {
    const { call, signIn, forwarded, app } = setup(limits({ user: 8 }));
    const { bearer } = await signIn();
    expect(rates(await call("POST", "/v1/tasks", bearer, { title: "x" }))).toEqual([
      '"user";q=8;w=8',
      '"user";r=3;t=5',
    ]);
    expect(rates(await call("GET", "/v1/nothing", bearer))).toEqual(['"user";q=8;w=8', '"user";r=2;t=6']);
    let isRead = false;
    const pull = (out: ReadableStreamDefaultController<Uint8Array>) => {
      isRead = true;
      out.enqueue(new Uint8Array(1_000));
    };
    const body = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
    const refused = await app.fetch(new Request("http://app.test/v1/tasks", { method: "POST", body, headers: bearer }));
    expect([refused.status, refused.headers.get("retry-after"), isRead]).toEqual([429, "3", false]);
    expect(rates(refused)).toEqual(['"user";q=8;w=8', '"user";r=2;t=6']);
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    expect(await refused.json()).toMatchObject({ code: "RATE_LIMITED", retryable: true, status: 429 });
    expect(forwarded).toHaveLength(1);
    // Another's bucket is another.
    expect((await call("POST", "/v1/tasks", (await signIn("bob")).bearer, { title: "x" })).status).toBe(200);
  });

  test("what an answer made is paid after it, and nobody is told how that is said", async () => {
    const answer = () => Response.json({}, { headers: { "x-events-made": "11" } });
    const { call, signIn } = setup({ ...limits({ user: 100 }), answer });
    const { bearer } = await signIn();
    const changed = await call("PATCH", "/v1/tasks/1?scope=all", bearer, { title: "x" });
    expect([rates(changed)[1], changed.headers.get("x-events-made")]).toEqual(['"user";r=30;t=70', null]);
    await call("PATCH", "/v1/tasks/1?scope=all", bearer, { title: "x" });
    expect((await call("GET", "/v1/tasks", bearer)).status).toBe(429);
  });

  test("wrong tokens and tickets are paid by their address, which is then told to wait; a good token goes on", async () => {
    const { call, signIn, tickets, opened } = setup(limits({ address: 20 }));
    const { bearer, ...who } = await signIn();
    const wrong = () => call("GET", "/v1/tasks", { authorization: "Bearer nonsense" });
    const answers = [await wrong(), await wrong(), await wrong()];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(rates(answers[2] ?? new Response())).toEqual(['"address";q=20;w=20', '"address";r=0;t=20']);
    const refused = await wrong();
    expect([refused.status, refused.headers.get("retry-after"), refused.headers.get("www-authenticate")]).toEqual([
      429,
      "5",
      null,
    ]);
    expect((await call("GET", "/v1/tasks", bearer)).status).toBe(200);
    expect((await call("POST", "/v1/session", {}, { user: "eve" })).status).toBe(429);
    tickets.set("t9", { userId: who.user_id, sessionId: "s", expiresAt: new Date(0) });
    expect((await call("GET", "/v1/stream?ticket=t9")).status).toBe(429);
    // Refused without being looked up.
    expect([tickets.has("t9"), opened.length]).toEqual([true, 0]);
  });

  test("no guesses of others keep a good token from its session, also where instances together granted too much", async () => {
    const { limits: buckets } = limits({ address: 20 });
    const { call, signIn } = setup({ limits: buckets });
    const { bearer } = await signIn();
    // A debt: each instance granted a bucket before it heard of the other.
    buckets.address.charge("unknown", 40);
    expect((await call("GET", "/v1/tasks", { authorization: "Bearer nonsense" })).status).toBe(429);
    for (const [method, path] of [
      ["GET", "/v1/session"],
      ["GET", "/v1/tasks"],
      ["GET", "/v1/stream"],
      ["DELETE", "/v1/session"],
    ] as const) {
      const { status } = await call(method, path, bearer);
      expect([path, status]).toEqual([path, method === "DELETE" ? 204 : 200]);
    }
  });

  test("who has spent all that a user may can still sign out", async () => {
    const { call, signIn } = setup(limits({ user: 5 }));
    const { bearer } = await signIn();
    await call("POST", "/v1/tasks", bearer, { title: "x" });
    expect((await call("GET", "/v1/session", bearer)).status).toBe(429);
    expect((await call("DELETE", "/v1/session", bearer)).status).toBe(204);
  });

  test("a refusal comes after what was asked later and granted, so that a loop of them takes little", async () => {
    const { call, signIn } = setup(limits({ user: 5 }));
    const [ada, bob] = [await signIn(), await signIn("bob")];
    await call("POST", "/v1/tasks", ada.bearer, { title: "x" });
    const order: number[] = [];
    const ask = async (bearer: Record<string, string>) =>
      void order.push((await call("GET", "/v1/tasks", bearer)).status);
    await Promise.all([ask(ada.bearer), ask(bob.bearer)]);
    expect(order).toEqual([200, 429]);
  });

  test("an address is what the trusted proxies say", async () => {
    const { call } = setup(limits({ address: 5, trustedProxies: 1 }));
    const from = (address: string) =>
      call("POST", "/v1/session", { "x-forwarded-for": `6.6.6.6, ${address}` }, { user: "ada" });
    const statuses = [await from("1.1.1.1"), await from("1.1.1.1"), await from("2.2.2.2")].map(({ status }) => status);
    expect(statuses).toEqual([201, 429, 201]);
  });

  test("where they are off, nothing is said of them", async () => {
    const { call, signIn } = setup();
    const { bearer } = await signIn();
    for (const answer of [await call("GET", "/v1/tasks", bearer), await call("GET", "/v1/tasks")])
      expect(rates(answer)).toEqual([null, null]);
  });

  test("the document says of every answer what is left, and of every route that there may be too many", async () => {
    const { call } = setup();
    const document = (await (await call("GET", "/openapi.json")).json()) as ApiDocument;
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path as Record<string, unknown>));
    expect(operations.length).toBeGreaterThan(4);
    for (const operation of operations) {
      const { responses } = operation as { responses: Record<string, { headers?: object; $ref?: string }> };
      expect(Object.keys(responses)).toContain("429");
      for (const { headers, $ref } of Object.values(responses))
        if ($ref === undefined) expect(Object.keys(headers ?? {})).toContain("RateLimit");
    }
  });
});

describe("streams", () => {
  test("go on after the header, which a browser keeps current, before the address", async () => {
    const { call, signIn, opened } = setup();
    const { bearer } = await signIn();
    await call("GET", "/v1/stream", bearer);
    await call("GET", "/v1/stream?cursor=e.0.1", bearer);
    await call("GET", "/v1/stream?cursor=e.0.1", { ...bearer, "last-event-id": "e.0.2" });
    await call("GET", "/v1/stream", { ...bearer, "last-event-id": "x".repeat(500) });
    expect(opened.map(({ cursor }) => cursor)).toEqual([null, "e.0.1", "e.0.2", "x".repeat(500)]);
  });

  test.each([
    ["/v1/stream?cursor=", "query.cursor"],
    ["/v1/stream?since=e.1.1", "query.since"],
    ["/v1/stream?cursor=e.1.1&typo=1", "query.typo"],
    ["/v1/sync?since=", "query.since"],
    ["/v1/sync?cursor=e.1.1", "query.cursor"],
    ["/v1/sync?wait=56", "query.wait"],
  ])("%s is refused naming the field", async (path, field) => {
    const { call, signIn, opened } = setup();
    const { bearer } = await signIn();
    const answer = await call("GET", path, bearer);
    expect([answer.status, opened]).toEqual([422, []]);
    const { errors } = (await answer.json()) as { errors: readonly { path: string }[] };
    expect(errors.map(({ path: at }) => at)).toEqual([field]);
  });

  test("asking for the headers alone opens none", async () => {
    const { call, signIn, opened } = setup();
    const { bearer } = await signIn();
    const answer = await call("HEAD", "/v1/stream", bearer);
    expect([answer.status, answer.headers.get("x-accel-buffering"), opened]).toEqual([200, "no", []]);
  });

  test("a ticket opens one, as its user, and never appears in the log", async () => {
    const { call, signIn, opened, lines } = setup();
    const { bearer, user_id } = await signIn();
    const issued = await call("POST", "/v1/stream/ticket", bearer);
    expect(issued.status).toBe(201);
    expect((await call("GET", "/v1/tasks?ticket=t1")).status).toBe(401);
    expect((await call("GET", "/v1/stream?ticket=t1")).status).toBe(200);
    expect((await call("GET", "/v1/stream?ticket=t1")).status).toBe(401);
    expect(opened.map(({ who }) => who.userId)).toEqual([user_id]);
    await call("POST", "/v1/stream/ticket", bearer);
    await call("DELETE", "/v1/session", bearer);
    expect((await call("GET", "/v1/stream?ticket=t1")).status).toBe(401);
    expect(lines.join("\n")).not.toContain("ticket=");
  });
});

test("a poll that waits while its session ends is answered 401, not with what has changed", async () => {
  let waiting = Promise.withResolvers<Sink>();
  const { call, signIn } = setup({
    follow: (_userId, _cursor, sink) => {
      waiting.resolve(sink);
      return Promise.resolve({ cursor: () => "e.0.1", stop: () => {} });
    },
  });
  const [ada, bob] = [await signIn(), await signIn("bob")];
  for (const [who, status] of [
    [ada, 401],
    [bob, 200],
  ] as const) {
    waiting = Promise.withResolvers();
    const polled = call("GET", "/v1/sync?since=e.0.0&wait=30", who.bearer);
    const sink = await waiting.promise;
    await call("DELETE", "/v1/session", ada.bearer);
    sink.reset("gap", "e.0.2");
    expect((await polled).status).toBe(status);
  }
});

describe("signing in by a token", () => {
  const jwt: AuthConfig = { ...auth, mode: "jwt" };
  const tokenOf = (claims: Record<string, unknown> = {}) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256" })
      .setSubject("ada@example.org")
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode("s".repeat(32)));

  test("everybody may ask how people sign in here", async () => {
    const ways = await Promise.all(
      [auth, jwt].map(async (one) => (await setup({ auth: one }).call("GET", "/v1/sign-in")).json()),
    );
    expect(ways).toEqual([
      { by: "name", url: "https://id.example.org/" },
      { by: "token", url: "https://id.example.org/" },
    ]);
  });

  test("a token is kept as a cookie scripts cannot read, until it expires, and opens what the token opens", async () => {
    const { call } = setup({ auth: jwt });
    const token = await tokenOf();
    const kept = await call("POST", "/v1/session/cookie", { authorization: `Bearer ${token}` });
    const cookie = kept.headers.get("set-cookie") ?? "";
    expect([kept.status, cookie]).toEqual([
      200,
      expect.stringMatching(/^taskwire_session=[^;]+; Path=\/; Max-Age=3[56]\d\d; HttpOnly; SameSite=Strict$/),
    ]);
    const session = await call("GET", "/v1/session", { cookie: cookie.split(";")[0] ?? "" });
    expect(await session.json()).toEqual(await kept.json());
    expect((await call("GET", "/v1/stream", { cookie: cookie.split(";")[0] ?? "" })).status).toBe(200);
  });

  test("a token that is not taken, a cookie in its place, and one that fits into no cookie set nothing", async () => {
    const { call } = setup({ auth: jwt });
    const [good, long] = [await tokenOf(), await tokenOf({ groups: "g".repeat(4_000) })];
    const answers = await Promise.all([
      call("POST", "/v1/session/cookie", { authorization: "Bearer a.b.c" }),
      call("POST", "/v1/session/cookie", { cookie: `taskwire_session=${good}`, origin: "http://app.test" }),
      call("POST", "/v1/session/cookie", { authorization: `Bearer ${long}` }),
    ]);
    expect(answers.map(({ status, headers }) => [status, headers.get("set-cookie")])).toEqual([
      [401, null],
      [401, null],
      [422, null],
    ]);
  });
});

describe("the page", () => {
  test("is served with a strict policy, revalidated by its tag, and does not hide what is missing", async () => {
    const { call } = setup();
    const page = await call("GET", "/");
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect((await call("GET", "/", { "if-none-match": '"x"' })).status).toBe(304);
    for (const path of ["/main.ts", "/../main.ts", "/%2e%2e/main.ts", "/nothing"])
      expect((await call("GET", path)).status).toBe(404);
  });

  test("the reference and the document name what is served here and who does not answer", async () => {
    const { call } = setup();
    const document = (await (await call("GET", "/openapi.json")).json()) as {
      paths: Record<string, Record<string, { responses: object }>>;
      "x-unavailable": readonly string[];
    };
    const answers = Object.entries(document.paths).flatMap(([path, routes]) =>
      Object.entries(routes).map(([method, { responses }]) => [`${method} ${path}`, Object.keys(responses).join(" ")]),
    );
    expect(Object.fromEntries(answers)).toEqual({
      "get /v1/session": "200 401 422 429 500 503",
      "post /v1/session": "201 400 401 403 404 413 415 422 429 500 503",
      "delete /v1/session": "204 401 403 413 422 429 500 503",
      "post /v1/session/cookie": "200 401 403 413 422 429 500 503",
      "get /v1/sign-in": "200 401 422 429 500 503",
      "get /v1/stream": "200 401 422 429 500 503",
      "get /v1/sync": "200 401 422 429 500 503",
      "post /v1/stream/ticket": "201 401 403 413 422 429 500 503",
    });
    // A function in a template is its source.
    expect(JSON.stringify(document).match(/.{20}(?:=>|function |\[object ).{20}/g)).toBeNull();
    expect(document["x-unavailable"]).toContain("task-service");
    expect(await (await call("GET", "/docs")).text()).toContain("/v1/stream/ticket");
  });
});
