import { afterEach, expect, test } from "bun:test";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { authSettings, issueDevToken, openAuth, type AuthConfig } from "../../shared/http/auth.ts";
import { readConfig } from "../../shared/config.ts";
import { deriveId } from "../../shared/derive-id.ts";
import { Problem } from "../../shared/problem.ts";

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

/** A key set on a real server: jose fetches it itself. */
async function jwks() {
  const pair = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json({ keys: [jwk] }) });
  servers.push(server);
  return { ...pair, url: new URL("/jwks", server.url).href };
}

test("a good token says who asks, by header or by cookie, the header first", async () => {
  const auth = openAuth(config({ AUTH_SECRET: secret }), () => at);
  const token = await hs256({ jti: "session-1" });
  const identity = { userId: sub, sessionId: "session-1", expiresAt: new Date((nowSeconds + 60) * 1000) };
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

test("a key set verifies its own keys alone: not another kid, not HS256 signed with its public key", async () => {
  const { privateKey, publicKey, url } = await jwks();
  const auth = openAuth(config({ AUTH_JWKS_URL: url }), () => at);
  const good = await sign({}, privateKey, { alg: "RS256", kid: "k1" });
  expect(await auth.authenticate(bearer(good))).toMatchObject({ userId: sub });
  const stranger = await sign({}, privateKey, { alg: "RS256", kid: "k2" });
  expect(await outcome(auth.authenticate(bearer(stranger)))).toBe("UNAUTHENTICATED");
  const confused = await sign({}, new TextEncoder().encode(await exportSPKI(publicKey)), { alg: "HS256", kid: "k1" });
  expect(await outcome(auth.authenticate(bearer(confused)))).toBe("UNAUTHENTICATED");
});

test("a key set that does not answer is unavailable, not a wrong token", async () => {
  const { privateKey, url } = await jwks();
  await servers.pop()?.stop(true);
  const auth = openAuth(config({ AUTH_JWKS_URL: url }), () => at);
  const token = await sign({}, privateKey, { alg: "RS256", kid: "k1" });
  expect(await outcome(auth.authenticate(bearer(token)))).toBe("UNAVAILABLE");
});

test("a token of development is one for the user of that name", async () => {
  const dev = config({ AUTH_MODE: "dev", AUTH_SECRET: secret });
  const issued = await issueDevToken(dev, { name: "ada", sessionId: "s1", now: at, lifetimeSeconds: 60 });
  const identity = await openAuth(dev, () => at).authenticate(bearer(issued.token));
  expect(identity).toMatchObject({ userId: deriveId("user", "ada"), sessionId: "s1", expiresAt: issued.expiresAt });
  expect(issued.userId).toBe(identity.userId);
  expect(await outcome(openAuth(dev, () => at).authenticate(bearer(await hs256())))).toBe("UNAUTHENTICATED");
});

test.each<[string, Record<string, string>]>([
  ["development mode in production", { AUTH_MODE: "dev", AUTH_SECRET: secret, NODE_ENV: "production" }],
  ["development mode without a secret", { AUTH_MODE: "dev" }],
  ["no key at all", {}],
  ["a secret and a key set", { AUTH_SECRET: secret, AUTH_JWKS_URL: "http://127.0.0.1/jwks" }],
  ["a short secret", { AUTH_SECRET: "short" }],
  ["HS256 with a key set", { AUTH_JWKS_URL: "http://127.0.0.1/jwks", AUTH_ALGORITHM: "HS256" }],
  ["RS256 with a secret", { AUTH_SECRET: secret, AUTH_ALGORITHM: "RS256" }],
  ["an algorithm nobody allows", { AUTH_SECRET: secret, AUTH_ALGORITHM: "none" }],
])("%s does not start", (_name, env) => {
  expect(() => config(env)).toThrow(/configuration:\n  AUTH_/);
});
