import { afterAll, beforeAll, expect, test } from "bun:test";
import { request as send } from "node:http";
import { SignJWT } from "jose";
import { startSystem, type System } from "../support/system.ts";

const secret = "0123456789abcdef0123456789abcdef";
let system: System;
const viaProxy: string[] = [];
const outbound = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request) => {
    viaProxy.push(`${request.method} ${new URL(request.url).pathname}`);
    return new Response("from the proxy", { status: 502 });
  },
});

beforeAll(async () => {
  system = await startSystem({
    roles: { "ui-gateway": 1, "task-service": 1 },
    env: { AUTH_MODE: "jwt", AUTH_SECRET: secret, HTTP_PROXY: outbound.url.href },
  });
}, 90_000);
afterAll(async () => {
  await system?.[Symbol.asyncDispose]();
  await outbound.stop(true);
}, 30_000);

const tokenOf = (sub: string, claims: Readonly<Record<string, unknown>> = {}) =>
  new SignJWT({ sub, ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime("10m")
    .sign(new TextEncoder().encode(secret));

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** By node's client, which sends `Connection` and repeated headers as they are told. */
function call(method: string, path: string, headers: Headers, body?: unknown) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, one]));
  const outgoing = send(system.url("ui-gateway") + path, {
    method,
    agent: false,
    headers: ["host", "127.0.0.1", ...(body === undefined ? [] : ["content-type", "application/json"]), ...lines],
  });
  outgoing.on("error", reject);
  outgoing.on("response", (answer) => {
    let text = "";
    answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
    answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
  });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const cookie = (token: string) => ({ cookie: `taskwire_session=${token}` });

test("what the gateway verified is what the role sees, whatever Connection names and whoever else is named", async () => {
  const [ada, bob] = [crypto.randomUUID(), crypto.randomUUID()];
  const [a, b] = [await tokenOf(ada, { jti: "one" }), await tokenOf(bob, { jti: "one" })];
  expect((await call("POST", "/v1/tasks", bearer(a), { title: "of ada" })).status).toBe(201);
  expect((await call("DELETE", "/v1/session", bearer(a))).status).toBe(204);
  expect((await call("GET", "/v1/tasks", bearer(a))).status).toBe(401);
  // The same jti, and another user.
  expect((await call("GET", "/v1/tasks", bearer(b))).status).toBe(200);
  for (const connection of ["authorization", "close, authorization", "Authorization, cookie", "keep-alive"]) {
    const both = { ...bearer(b), ...cookie(a), connection };
    const read = await call("GET", "/v1/tasks", both);
    expect([read.status, read.text.includes("of ada")]).toEqual([200, false]);
    const made = await call("POST", "/v1/tasks", both, { title: "of bob" });
    expect([made.status, JSON.parse(made.text)]).toEqual([201, expect.objectContaining({ user_id: bob })]);
  }
  for (const authorization of [
    [`Bearer ${b}`, `Bearer ${a}`],
    [`Bearer ${a}`, `Bearer ${b}`],
  ])
    expect((await call("GET", "/v1/tasks", { authorization })).status).toBe(401);
});

test("a browser's write by cookie reaches the role, from another origin it does not", async () => {
  const token = await tokenOf(crypto.randomUUID());
  const write = (headers: Headers) => call("POST", "/v1/tasks", { ...cookie(token), ...headers }, { title: "x" });
  expect((await write({ origin: "http://127.0.0.1" })).status).toBe(201);
  expect((await write({ "sec-fetch-site": "same-origin", connection: "cookie, origin" })).status).toBe(201);
  expect((await write({ origin: "http://evil.example", connection: "origin" })).status).toBe(403);
  expect((await write({ "sec-fetch-site": "cross-site", connection: "sec-fetch-site" })).status).toBe(403);
});

test("signing out one spelling of a token without jti signs out all of them, by bearer and by cookie", async () => {
  const user = crypto.randomUUID();
  const token = await tokenOf(user);
  const other = await tokenOf(user, { iat: 1 });
  expect((await call("DELETE", "/v1/session", bearer(token))).status).toBe(204);
  const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const group = Math.floor(signs.indexOf(token.slice(-1)) / 4) * 4;
  const spelled = [0, 1, 2, 3].map((at) => token.slice(0, -1) + signs[group + at]);
  for (const text of [...spelled, `${token}=`, ` ${token} `]) {
    for (const headers of [bearer(text), cookie(text)])
      expect([(await call("GET", "/v1/tasks", headers)).status, text]).toEqual([401, text]);
  }
  expect((await call("GET", "/v1/tasks", bearer(other))).status).toBe(200);
});

test("nothing of it went to the outbound proxy of the environment", () => {
  expect(viaProxy).toEqual([]);
});
