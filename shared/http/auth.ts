import { createRemoteJWKSet, errors, jwtVerify, SignJWT, type JWTPayload, type JWTVerifyGetKey } from "jose";
import {
  checked,
  oneOf,
  optional,
  optionalOneOf,
  optionalUrl,
  type Config,
  type Seen,
  type Setting,
} from "../config.ts";
import { deriveId } from "../derive-id.ts";
import { Problem } from "../problem.ts";

/** Who asks. `via` tells how they said so: a cookie is sent by a browser unasked, so writes need a check of their origin. */
export type Identity = Readonly<{ userId: string; sessionId: string; expiresAt: Date; via: "bearer" | "cookie" }>;

/** `authenticate` throws UNAUTHENTICATED, or UNAVAILABLE when the keys cannot be fetched. */
export type Auth = Readonly<{ authenticate: (request: Request) => Promise<Identity> }>;

export const sessionCookie = "taskwire_session";

const algorithms = ["HS256", "RS256", "PS256", "ES256", "EdDSA"] as const;
export type Algorithm = (typeof algorithms)[number];

const secret: Setting<string | null> = {
  ...optional("AUTH_SECRET"),
  parse: (value) => {
    if (value !== "" && Buffer.byteLength(value) < 32) throw new Error("must be at least 32 bytes (RFC 7518 §3.2)");
    return value === "" ? null : value;
  },
};

const authFields = {
  mode: oneOf("AUTH_MODE", ["dev", "jwt"], "jwt"),
  /** At least 32 bytes; signs the tokens of `dev`, verifies HS256 tokens in `jwt`. */
  secret,
  jwksUrl: optionalUrl("AUTH_JWKS_URL", ["http", "https"]),
  issuer: optional("AUTH_ISSUER"),
  audience: optional("AUTH_AUDIENCE"),
  /** The one algorithm taken; unset: RS256 with a JWKS, HS256 with a secret. */
  algorithm: optionalOneOf("AUTH_ALGORITHM", algorithms),
  nodeEnv: optional("NODE_ENV"),
};

/** Refuses what cannot be safe: `dev` in production, no key, two sources of keys, HS256 with a key set. */
export const authSettings = checked(authFields, complainAboutAuth);
export type AuthConfig = Config<typeof authSettings>;

const devIssuer = "taskwire-dev";
const clockToleranceSeconds = 5;
/** How long an identity once verified is believed without verifying again; bounds how long a withdrawn key still opens. */
const rememberMs = 60_000;
const rememberedTokens = 10_000;

/**
 * Verifies tokens from `Authorization: Bearer` or, without that, the cookie `taskwire_session`.
 * The key decides the algorithm, never the token: HS256 signed with a public key does not pass.
 */
export function openAuth(config: AuthConfig, now: () => Date = () => new Date()): Auth {
  const verify = makeVerify(config, now);
  const remembered = new Map<string, { identity: Omit<Identity, "via">; until: number }>();
  const identify = async (token: string): Promise<Omit<Identity, "via">> => {
    const known = remembered.get(token);
    if (known !== undefined && now().getTime() < known.until) return known.identity;
    remembered.delete(token);
    const identity = identityOf(await verify(token), token);
    if (remembered.size >= rememberedTokens)
      for (const oldest of remembered.keys()) if (remembered.delete(oldest)) break;
    remembered.set(token, {
      identity,
      until: Math.min(now().getTime() + rememberMs, identity.expiresAt.getTime()),
    });
    return identity;
  };
  return {
    authenticate: async (request) => {
      const { token, via } = tokenOf(request);
      return { ...(await identify(token)), via };
    },
  };
}

function makeVerify(config: AuthConfig, now: () => Date): (token: string) => Promise<JWTPayload> {
  const jwksUrl = config.mode === "jwt" ? config.jwksUrl : null;
  const allowed = config.mode === "dev" ? "HS256" : (config.algorithm ?? (jwksUrl === null ? "HS256" : "RS256"));
  const key = jwksUrl === null ? sharedKey(config.secret) : createRemoteJWKSet(new URL(jwksUrl));
  const issuer = config.mode === "dev" ? devIssuer : config.issuer;
  const { audience } = config;
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [allowed],
        requiredClaims: ["sub", "exp"],
        clockTolerance: clockToleranceSeconds,
        currentDate: now(),
        ...(issuer === null ? {} : { issuer }),
        ...(audience === null || config.mode === "dev" ? {} : { audience }),
      });
      return payload;
    } catch (cause) {
      // A key set that does not answer says nothing about the token.
      if (!(cause instanceof errors.JOSEError) || cause instanceof errors.JWKSTimeout)
        throw new Problem("UNAVAILABLE", "The keys to verify tokens cannot be fetched", {
          retryAfterSeconds: 2,
          cause,
        });
      throw new Problem("UNAUTHENTICATED", undefined, { cause });
    }
  };
}

function sharedKey(secret: string | null): JWTVerifyGetKey {
  const key = secretKey(secret);
  return () => key;
}

function secretKey(secret: string | null): Uint8Array {
  // An empty key would verify what anybody signed; the settings' check does not let it come so far.
  if (secret === null) throw new Error("AUTH_SECRET is not set");
  return new TextEncoder().encode(secret);
}

function complainAboutAuth({ mode, secret, jwksUrl, algorithm, nodeEnv }: Seen<typeof authFields>): readonly string[] {
  switch (mode) {
    case undefined:
      return [];
    case "dev":
      return [
        ...(nodeEnv === "production" ? ["AUTH_MODE=dev lets anyone be anyone: not with NODE_ENV=production"] : []),
        ...(secret === null ? ["AUTH_SECRET is not set: AUTH_MODE=dev signs with it"] : []),
      ];
    case "jwt":
      if (secret === null && jwksUrl === null)
        return ["AUTH_SECRET or AUTH_JWKS_URL must be set: AUTH_MODE=jwt verifies with one of them"];
      if (secret && jwksUrl)
        return ["AUTH_SECRET and AUTH_JWKS_URL are both set: AUTH_MODE=jwt verifies with one of them"];
      if (algorithm === "HS256" && jwksUrl) return ["AUTH_ALGORITHM=HS256 needs AUTH_SECRET, not AUTH_JWKS_URL"];
      if (algorithm && algorithm !== "HS256" && secret)
        return [`AUTH_ALGORITHM=${algorithm} needs AUTH_JWKS_URL, not AUTH_SECRET`];
      return [];
  }
}

function tokenOf(request: Request): { token: string; via: Identity["via"] } {
  const header = request.headers.get("authorization");
  if (header !== null) {
    const token = /^bearer +([\w.~+/-]+=*) *$/i.exec(header)?.[1];
    if (token === undefined) throw new Problem("UNAUTHENTICATED");
    return { token, via: "bearer" };
  }
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === sessionCookie)
      return { token: pair.slice(at + 1).trim(), via: "cookie" };
  }
  throw new Problem("UNAUTHENTICATED");
}

const uuid = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** A user id is a uuid: the subject where it is one, else computed from issuer and subject, the same for ever. */
function identityOf({ sub = "", iss = "", jti, exp = 0 }: JWTPayload, token: string): Omit<Identity, "via"> {
  const subject = sub.toLowerCase();
  return {
    userId: uuid.test(subject) ? subject : deriveId("subject", iss, sub),
    sessionId: jti ?? deriveId("session", token),
    expiresAt: new Date(exp * 1000),
  };
}

export type DevTokenRequest = Readonly<{ name: string; sessionId: string; now: Date; lifetimeSeconds: number }>;

/** A token for anyone who gives a name; the same name is the same user. Throws unless AUTH_MODE is dev. */
export async function issueDevToken(
  config: AuthConfig,
  { name, sessionId, now, lifetimeSeconds }: DevTokenRequest,
): Promise<Readonly<{ token: string; userId: string; expiresAt: Date }>> {
  if (config.mode !== "dev") throw new Problem("NOT_FOUND");
  const userId = deriveId("user", name);
  const expiresAt = new Date((Math.floor(now.getTime() / 1000) + lifetimeSeconds) * 1000);
  const token = await new SignJWT({ name })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(devIssuer)
    .setSubject(userId)
    .setJti(sessionId)
    .setIssuedAt(now)
    .setExpirationTime(expiresAt)
    .sign(secretKey(config.secret));
  return { token, userId, expiresAt };
}
