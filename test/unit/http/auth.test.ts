import { afterEach, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { authSettings, issueDevToken, openAuth, type AuthConfig } from "../../../shared/http/auth.ts";
import { readConfig } from "../../../shared/role/config.ts";
import { openKeySet } from "../../../shared/http/key-set.ts";
import { deriveId } from "../../../shared/messages/derive-id.ts";
import { Problem } from "../../../shared/problem.ts";

// Long enough for HS512, so that only the list of algorithms stands against it.
const secret = "0123456789abcdef".repeat(4);
const at = new Date("2026-01-01T00:00:00Z");
const nowSeconds = at.getTime() / 1000;
const sub = "0190a000-0000-7000-8000-000000000001";

const servers: { stop: (force: boolean) => Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

function config(env: Record<string, string>): AuthConfig {
  return readConfig(authSettings, env);
}

type Claims = Readonly<Record<string, unknown>>;

function sign(claims: Claims, key: Parameters<SignJWT["sign"]>[0], header: { alg: string; kid?: string }) {
  return new SignJWT({ sub, exp: nowSeconds + 60, ...claims }).setProtectedHeader(header).sign(key);
}

/** Signs anything: jose's own maker of tokens refuses most of what is odd. */
function signRaw(claims: Claims): string {
  const signed = `${base64url({ alg: "HS256" })}.${base64url(claims)}`;
  return `${signed}.${new Bun.CryptoHasher("sha256", secret).update(signed).digest("base64url")}`;
}

const hs256 = (claims: Claims = {}, text = secret) => sign(claims, new TextEncoder().encode(text), { alg: "HS256" });

function bearer(token: string): Request {
  return new Request("http://h/v1/tasks", { headers: { authorization: `Bearer ${token}` } });
}

async function outcome(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    return error instanceof Problem ? error.code : error;
  }
}

/** A key set on a real server, which answers as `answer` says, by itself with one key. `asked` counts its requests. */
async function jwks() {
  const pair = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  const provider = {
    asked: 0,
    answer: (_path: string): Response | Promise<Response> => Response.json({ keys: [jwk] }),
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      provider.asked++;
      return provider.answer(new URL(request.url).pathname);
    },
  });
  servers.push(server);
  const url = new URL("/jwks", server.url).href;
  const env = { AUTH_JWKS_URL: url, AUTH_ISSUER: "https://id", AUTH_AUDIENCE: "taskwire" };
  const claims = { iss: "https://id", aud: "taskwire" };
  return { ...pair, jwk, url, env, claims, provider };
}

test("a good token says who asks, by header or by cookie, the header first", async () => {
  const auth = openAuth(config({ AUTH_SECRET: secret }), () => at);
  const token = await hs256({ jti: "session-1" });
  const identity = { userId: sub, sessionId: "session-1", expiresAt: new Date((nowSeconds + 60) * 1000), token };
  expect(await auth.authenticate(bearer(token))).toEqual({ ...identity, via: "bearer" });
  const cookie = `a=b; taskwire_session=${token}`;
  expect(await auth.authenticate(new Request("http://h/", { headers: { cookie } }))).toEqual({
    ...identity,
    via: "cookie",
  });
  const both = new Request("http://h/", { headers: { cookie, authorization: "Bearer wrong" } });
  expect(await outcome(auth.authenticate(both))).toBe("UNAUTHENTICATED");
});

test("a subject that is no uuid becomes one, and different issuers stay different users", async () => {
  const auth = openAuth(config({ AUTH_SECRET: secret }), () => at);
  const one = await auth.authenticate(bearer(await hs256({ sub: "ada", iss: "a" })));
  const other = await auth.authenticate(bearer(await hs256({ sub: "ada", iss: "b" })));
  expect(one.userId).toBe(deriveId("subject", "a", "ada"));
  expect(other.userId).not.toBe(one.userId);
});

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

test.each<[string, () => string | Promise<string>]>([
  ["nothing", () => ""],
  ["noise", () => "a.b.c"],
  ["alg none", () => `${base64url({ alg: "none" })}.${base64url({ sub, exp: nowSeconds + 60 })}.`],
  ["another secret", () => hs256({}, "another-secret-another-secret-1234")],
  ["another algorithm with the right secret", () => sign({}, new TextEncoder().encode(secret), { alg: "HS512" })],
  ["an expired one", () => hs256({ exp: nowSeconds - 6 })],
  ["one not valid yet", () => hs256({ nbf: nowSeconds + 30 })],
  ["one without end", () => hs256({ exp: undefined })],
  ["one without a subject", () => hs256({ sub: undefined })],
  ["another audience", () => hs256({ iss: "https://id", aud: "other" })],
  ["another issuer", () => hs256({ iss: "https://evil", aud: "taskwire" })],
])("%s is refused", async (_name, make) => {
  const narrow = { AUTH_SECRET: secret, AUTH_ISSUER: "https://id", AUTH_AUDIENCE: "taskwire" };
  // Only the last two rows are about issuer and audience; the others must fail without their help.
  const env = /audience|issuer/.test(_name) ? narrow : { AUTH_SECRET: secret };
  const auth = openAuth(config(env), () => at);
  expect(await outcome(auth.authenticate(bearer(await make())))).toBe("UNAUTHENTICATED");
});

test("a clock some seconds behind does not refuse", async () => {
  const auth = openAuth(config({ AUTH_SECRET: secret }), () => at);
  expect(await auth.authenticate(bearer(await hs256({ nbf: nowSeconds + 3 })))).toMatchObject({ userId: sub });
});

test("a token verified once is not believed after its end", async () => {
  let time = at;
  const auth = openAuth(config({ AUTH_SECRET: secret }), () => time);
  const request = bearer(await hs256());
  expect(await auth.authenticate(request)).toMatchObject({ userId: sub });
  time = new Date(at.getTime() + 66_000);
  expect(await outcome(auth.authenticate(request))).toBe("UNAUTHENTICATED");
});

test.each<[string, Claims]>([
  ["an empty subject", { sub: "" }],
  ["a subject that is a number", { sub: 7 }],
  ["a subject that is a list", { sub: ["ada"] }],
  ["a subject with NUL", { sub: "ada\0" }],
  ["a subject that is no text in UTF-8", { sub: "\ud800" }],
  ["a subject without end", { sub: "x".repeat(1025) }],
  ["an issuer that is a number", { iss: 7 }],
  ["an issuer that is null", { iss: null }],
  ["an empty issuer", { iss: "" }],
  ["a jti with NUL", { jti: "a\0" }],
  ["a jti that is a number", { jti: 7 }],
  ["a jti that is null", { jti: null }],
  ["an empty jti", { jti: "" }],
  ["a jti that is no text in UTF-8", { jti: "\udfff" }],
  ["a jti too long to be a key", { jti: "x".repeat(513) }],
  ["an end in the year 31,690,708", { exp: 1e15 }],
  ["an end no number can hold", { exp: 1e308 }],
  ["an end as text", { exp: "2030" }],
])("%s is refused, however well it is signed", async (_name, claims) => {
  const auth = openAuth(config({ AUTH_SECRET: secret }), () => at);
  expect(await outcome(auth.authenticate(bearer(await hs256(claims))))).toBe("UNAUTHENTICATED");
});

test("whatever is signed is an identity that can be stored, or refused", async () => {
  const auth = openAuth(config({ AUTH_SECRET: secret }), () => at);
  // All of Unicode takes three seconds to set up.
  const sign = fc.constantFrom("a", "0", "\0", "\u0085", "\ud800", "\udc00", "é");
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.string({ unit: sign, maxLength: 3 }),
    fc.double(),
    fc.constantFrom(undefined, null, "", 1e15, 0),
  );
  const name = fc.constantFrom("sub", "iss", "jti", "exp", "nbf", "aud");
  const one = async (wrong: string, value: unknown) => {
    const some: Claims = { sub: "ada", jti: "s", exp: nowSeconds + 60, [wrong]: value };
    const token = signRaw(some);
    const said = await outcome(auth.authenticate(bearer(token)));
    if (said === "UNAUTHENTICATED") return;
    const { userId, sessionId, expiresAt } = said as Awaited<ReturnType<typeof auth.authenticate>>;
    expect(userId).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect([sessionId.isWellFormed(), sessionId.includes("\0")]).toEqual([true, false]);
    expect(expiresAt.toISOString()).toMatch(/^\d{4}-/);
  };
  await fc.assert(fc.asyncProperty(name, odd, one), { numRuns: 300 });
});

test("a subject cannot name a user whose id was computed, or is spelled otherwise", async () => {
  const auth = openAuth(config({ AUTH_SECRET: secret }), () => at);
  const userOf = async (claims: Claims) => (await auth.authenticate(bearer(await hs256(claims)))).userId;
  const ada = await userOf({ sub: "ada", iss: "a" });
  const taken = [ada, deriveId("user", "ada"), sub];
  for (const claimed of [ada, ada.toUpperCase(), deriveId("user", "ada"), sub.toUpperCase(), ` ${sub}`])
    expect(taken).not.toContain(await userOf({ sub: claimed, iss: "a" }));
  expect(await userOf({ sub, iss: "a" })).toBe(sub);
});

/** Other texts of one signature: the last sign has bits nobody reads. */
function spellings(token: string): readonly string[] {
  const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = signs.indexOf(token.slice(-1));
  const group = last - (last % 4);
  return [0, 1, 2, 3].map((at) => token.slice(0, -1) + signs[group + at]);
}

test.each<[string, Claims]>([
  ["with a jti", { jti: "s-1" }],
  ["without one", {}],
])("every spelling of a token %s is one session or none, and another token another", async (_name, claims) => {
  const auth = openAuth(config({ AUTH_SECRET: secret }), () => at);
  const token = await hs256(claims);
  const { sessionId } = await auth.authenticate(bearer(token));
  const sessions = [];
  for (const spelled of spellings(token)) sessions.push((await auth.authenticate(bearer(spelled))).sessionId);
  expect(sessions).toEqual([sessionId, sessionId, sessionId, sessionId]);
  for (const wrong of [`${token}=`, `${token}==`, `${token}.`, `${token}\t`, `${token},`, token.replace("_", "/")])
    if (wrong !== token)
      expect([undefined, sessionId]).toContain(
        await auth.authenticate(bearer(wrong)).then(
          (identity) => identity.sessionId,
          () => undefined,
        ),
      );
  const later = await auth.authenticate(
    bearer(await hs256({ iat: 1, ...claims, ...("jti" in claims ? { jti: "s-2" } : {}) })),
  );
  expect(later.sessionId).not.toBe(sessionId);
});

test("a key set verifies its own keys alone: not another kid, not HS256 signed with its public key", async () => {
  const { privateKey, publicKey, env, claims } = await jwks();
  const auth = openAuth(config(env), () => at);
  const good = await sign(claims, privateKey, { alg: "RS256", kid: "k1" });
  expect(await auth.authenticate(bearer(good))).toMatchObject({ userId: sub });
  const stranger = await sign(claims, privateKey, { alg: "RS256", kid: "k2" });
  expect(await outcome(auth.authenticate(bearer(stranger)))).toBe("UNAUTHENTICATED");
  const key = new TextEncoder().encode(await exportSPKI(publicKey));
  const confused = await sign(claims, key, { alg: "HS256", kid: "k1" });
  expect(await outcome(auth.authenticate(bearer(confused)))).toBe("UNAUTHENTICATED");
});

test("what a key set signed for others is taken only where `any` says so", async () => {
  const { privateKey, env, claims } = await jwks();
  const auth = openAuth(config(env), () => at);
  const open = openAuth(config({ ...env, AUTH_ISSUER: "any", AUTH_AUDIENCE: "any" }), () => at);
  for (const wrong of [{ aud: "another" }, { aud: undefined }, { iss: "https://else" }, { iss: undefined }]) {
    const request = bearer(await sign({ ...claims, ...wrong }, privateKey, { alg: "RS256", kid: "k1" }));
    expect(await outcome(auth.authenticate(request))).toBe("UNAUTHENTICATED");
    // Of several issuers none may name the other's users.
    const iss = "iss" in wrong ? (wrong.iss ?? "") : claims.iss;
    expect(await open.authenticate(request)).toMatchObject({ userId: deriveId("subject", iss, sub) });
  }
});

test.each<[string, (path: string) => Response]>([
  ["fails", () => new Response("no", { status: 500 })],
  ["answers a page", () => new Response("<html>")],
  ["leads elsewhere", (path) => (path === "/jwks" ? Response.redirect("/else", 302) : new Response("{}"))],
  ["answers other JSON", () => Response.json({ error: "x" })],
  ["answers null", () => Response.json(null)],
  ["answers keys that are none", () => Response.json({ keys: ["x"] })],
  ["answers no keys", () => Response.json({ keys: [] })],
])("a provider that %s is unavailable, not a wrong token, and is left alone for some seconds", async (_how, ill) => {
  const { privateKey, url, env, claims, provider } = await jwks();
  const { answer: well } = provider;
  provider.answer = ill;
  const auth = openAuth(config(env), () => at);
  const request = bearer(await sign(claims, privateKey, { alg: "RS256", kid: "k1" }));
  for (let i = 0; i < 4; i++)
    await expect(auth.authenticate(request)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      extra: { retryAfterSeconds: 5 },
    });
  expect(provider.asked).toBe(1);
  let nowMs = 0;
  const key = openKeySet(url, { nowMs: () => nowMs });
  const header = { alg: "RS256", kid: "k1" };
  const token = { payload: "", signature: "" };
  expect(await outcome(Promise.resolve(key(header, token)))).toBe("UNAVAILABLE");
  provider.answer = well;
  expect(await outcome(Promise.resolve(key(header, token)))).toBe("UNAVAILABLE");
  nowMs = 5_001;
  expect(await key(header, token)).toMatchObject({ type: "public" });
});

test.each<[string, () => Response | Promise<Response>]>([
  ["answers nothing", () => new Promise<Response>(() => {})],
  ["begins an answer and stops", () => new Response(new ReadableStream({ start: (body) => body.enqueue("{") }))],
])("a provider that %s is waited for once, not by each request anew", async (_how, silent) => {
  const { url, provider } = await jwks();
  provider.answer = silent;
  const key = openKeySet(url, { timeoutMs: 100 });
  const ask = () => outcome(Promise.resolve(key({ alg: "RS256", kid: "k1" }, { payload: "", signature: "" })));
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(["UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE"]);
  expect(await ask()).toBe("UNAVAILABLE");
  expect(provider.asked).toBe(1);
});

test("a key set that nobody serves is unavailable, not a wrong token", async () => {
  const { privateKey, env, claims } = await jwks();
  await servers.pop()?.stop(true);
  const auth = openAuth(config(env), () => at);
  const token = await sign(claims, privateKey, { alg: "RS256", kid: "k1" });
  expect(await outcome(auth.authenticate(bearer(token)))).toBe("UNAVAILABLE");
});

test("keys once read verify on while the provider is ill; only an unknown key is unavailable then, or wrong", async () => {
  const { privateKey, env, claims, provider } = await jwks();
  const auth = openAuth(config(env), () => at);
  const signed = (jti: string, kid: string) => sign({ ...claims, jti }, privateKey, { alg: "RS256", kid });
  expect(await auth.authenticate(bearer(await signed("a", "k1")))).toMatchObject({ sessionId: "a" });
  provider.answer = () => new Response("no", { status: 500 });
  expect(await auth.authenticate(bearer(await signed("b", "k1")))).toMatchObject({ sessionId: "b" });
  // Read a moment ago: a key that is not among them is no reason to ask again.
  for (const kid of ["k2", "k3"])
    expect(await outcome(auth.authenticate(bearer(await signed("c", kid))))).toBe("UNAUTHENTICATED");
  expect(provider.asked).toBe(1);
});

test("a token of development is one for the user of that name", async () => {
  const dev = config({ AUTH_MODE: "dev", AUTH_SECRET: secret });
  const issued = await issueDevToken(dev, { name: "ada", sessionId: "s1", now: at, lifetimeSeconds: 60 });
  const identity = await openAuth(dev, () => at).authenticate(bearer(issued.token));
  expect(identity).toMatchObject({ userId: deriveId("user", "ada"), sessionId: "s1", expiresAt: issued.expiresAt });
  expect(issued.userId).toBe(identity.userId);
  expect(await outcome(openAuth(dev, () => at).authenticate(bearer(await hs256())))).toBe("UNAUTHENTICATED");
});

const dev = { AUTH_MODE: "dev", AUTH_SECRET: secret };
const keySet = { AUTH_JWKS_URL: "http://127.0.0.1/jwks", AUTH_ISSUER: "https://id", AUTH_AUDIENCE: "taskwire" };

test.each<[string, Record<string, string>]>([
  ["development mode in production", { ...dev, NODE_ENV: "production" }],
  ["development mode in Production", { ...dev, NODE_ENV: "Production" }],
  ["development mode in prod", { ...dev, NODE_ENV: "prod" }],
  ["development mode on every address", { ...dev, HOST: "0.0.0.0" }],
  ["development mode on every address of version 6", { ...dev, HOST: "::" }],
  ["development mode on an address of a network", { ...dev, HOST: "10.0.0.5" }],
  ["development mode on a name that begins like loopback", { ...dev, HOST: "127.0.0.1.evil.example" }],
  ["development mode without a secret", { AUTH_MODE: "dev" }],
  ["no key at all", {}],
  ["a secret and a key set", { ...keySet, AUTH_SECRET: secret }],
  ["a short secret", { AUTH_SECRET: "short" }],
  ["HS256 with a key set", { ...keySet, AUTH_ALGORITHM: "HS256" }],
  ["RS256 with a secret", { AUTH_SECRET: secret, AUTH_ALGORITHM: "RS256" }],
  ["an algorithm nobody allows", { AUTH_SECRET: secret, AUTH_ALGORITHM: "none" }],
  ["a key set for any issuer", { ...keySet, AUTH_ISSUER: "" }],
  ["a key set for any audience", { ...keySet, AUTH_AUDIENCE: "" }],
  ["a key set that others can replace on its way", { ...keySet, AUTH_JWKS_URL: "http://id.test/jwks" }],
])("%s does not start", (_name, env) => {
  expect(() => config(env)).toThrow(/configuration:\n  AUTH_/);
});

test("a key set is read over https, or unencrypted in a network that is trusted by name", () => {
  const plain = "http://id.test/jwks";
  expect(config({ ...keySet, AUTH_JWKS_URL: "https://id.test/jwks" }).jwksUrl).toBe("https://id.test/jwks");
  expect(config({ ...keySet, AUTH_JWKS_URL: plain, ALLOW_PASSWORDS_IN_CLEAR: "true" }).jwksUrl).toBe(plain);
});

test("what a key set lacks is told together", () => {
  expect(() => config({ AUTH_JWKS_URL: keySet.AUTH_JWKS_URL })).toThrow(
    /AUTH_ISSUER is not set.*\n  AUTH_AUDIENCE is not set/,
  );
});

test.each(["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "::1"])("development mode starts on %s", (host) => {
  expect(config({ ...dev, HOST: host }).mode).toBe("dev");
});

test("names under which development sign-in is asked for are separated by commas, in any case", () => {
  expect(config({ ...dev, AUTH_DEV_HOSTS: "App.test, tunnel.example" }).devHosts).toEqual([
    "app.test",
    "tunnel.example",
  ]);
});
