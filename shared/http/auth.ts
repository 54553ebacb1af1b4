import { errors, jwtVerify, SignJWT, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { utf8Bytes } from "../bytes.ts";
import {
  checked,
  oneOf,
  optional,
  optionalOneOf,
  optionalUrl,
  text,
  type Config,
  type PartialConfig,
  type Setting,
} from "../role/config.ts";
import { deriveId } from "../messages/derive-id.ts";
import { isProduction } from "../role/is-production.ts";
import { Problem } from "../problem.ts";
import { readClaims, sessionOfToken, userOfDevToken, userOfIssuer, userOfSubject } from "./claims.ts";
import { readCredential, type Credential } from "./credential.ts";
import { openKeySet } from "./key-set.ts";
import { isLoopback } from "./loopback.ts";
import { allowPasswordsInClear, isReadOnTheWay } from "../role/password-in-clear.ts";

/**
 * Who asks. `via` tells how they said so to this process: a cookie is sent by a browser unasked, so writes need a check
 * of their origin. `token` is what was verified, absent where nothing can be passed on (a stream's ticket). A session
 * id is one user's.
 */
export type Identity = Readonly<{
  userId: string;
  sessionId: string;
  expiresAt: Date;
  via: Credential["via"];
  token?: string;
}>;

/** `authenticate` throws UNAUTHENTICATED, or UNAVAILABLE when the keys cannot be fetched. */
export type Auth = Readonly<{ authenticate: (request: Request) => Promise<Identity> }>;

const algorithms = ["HS256", "RS256", "PS256", "ES256", "EdDSA"] as const;

const secret: Setting<string | null> = {
  ...optional("AUTH_SECRET"),
  parse: (value) => {
    if (value !== "" && utf8Bytes(value).length < 32) throw new Error("must be at least 32 bytes (RFC 7518 §3.2)");
    return value === "" ? null : value;
  },
};

const devHosts: Setting<readonly string[]> = {
  name: "AUTH_DEV_HOSTS",
  fallback: "",
  parse: (value) =>
    value
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((name) => name !== ""),
};

const authFields = {
  mode: oneOf("AUTH_MODE", ["dev", "jwt"], "jwt"),
  /** At least 32 bytes; signs the tokens of `dev`, verifies HS256 tokens in `jwt`. */
  secret,
  jwksUrl: optionalUrl("AUTH_JWKS_URL", ["http", "https"]),
  /**
   * Who must have issued a token and whom it must be for. A key set signs for other applications too, so it needs both.
   */
  issuer: optional("AUTH_ISSUER"),
  audience: optional("AUTH_AUDIENCE"),
  /** The one algorithm taken; unset: RS256 with a JWKS, HS256 with a secret. */
  algorithm: optionalOneOf("AUTH_ALGORITHM", algorithms),
  inClear: allowPasswordsInClear,
  /** Names besides loopback under which development sign-in is asked for: through a proxy or a tunnel. */
  devHosts,
  nodeEnv: optional("NODE_ENV"),
  host: text("HOST", "127.0.0.1"),
};

const keysInClear =
  "AUTH_JWKS_URL with http:// would fetch keys unencrypted, so who is on the way could replace them and be anyone: " +
  "use https, or set ALLOW_PASSWORDS_IN_CLEAR=true in a network you trust";

/** In place of an issuer or audience: not compared. */
const anyone = "any";

/**
 * Refuses what cannot be safe: `dev` in production or where others can connect, no key, two sources of keys, HS256 with
 * a key set, a key set without issuer and audience, or one that others can replace on its way.
 */
export const authSettings = checked(authFields, complainAboutAuth);
export type AuthConfig = Config<typeof authSettings>;

const devIssuer = "taskwire-dev";
const clockToleranceSeconds = 5;
/**
 * How long an identity once verified is believed without verifying again; bounds how long a withdrawn key still opens.
 */
const rememberMs = 60_000;
const rememberedTokens = 10_000;

/**
 * Verifies the credential of a request (`readCredential`). Claims no standard allows are refused, whoever signed them.
 * The key decides the algorithm, never the token: HS256 signed with a public key does not pass.
 */
export function openAuth(config: AuthConfig, now: () => Date): Auth {
  const verify = makeVerify(config, now);
  const remembered = new Map<string, { identity: VerifiedIdentity; until: number }>();
  const identify = async (token: string): Promise<VerifiedIdentity> => {
    const known = remembered.get(token);
    if (known !== undefined && now().getTime() < known.until) return known.identity;
    remembered.delete(token);
    const identity = identityOf(config, await verify(token), token);
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
      const { token, via } = readCredential(request);
      return { ...(await identify(token)), via, token };
    },
  };
}

function makeVerify(config: AuthConfig, now: () => Date): (token: string) => Promise<JWTPayload> {
  const jwksUrl = config.mode === "jwt" ? config.jwksUrl : null;
  const allowed = config.mode === "dev" ? "HS256" : (config.algorithm ?? (jwksUrl === null ? "HS256" : "RS256"));
  const key = jwksUrl === null ? sharedKey(config.secret) : openKeySet(jwksUrl);
  const issuer = config.mode === "dev" ? devIssuer : wanted(config.issuer);
  const audience = config.mode === "dev" ? null : wanted(config.audience);
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [allowed],
        requiredClaims: ["sub", "exp"],
        clockTolerance: clockToleranceSeconds,
        currentDate: now(),
        ...(issuer === null ? {} : { issuer }),
        ...(audience === null ? {} : { audience }),
      });
      return payload;
    } catch (cause) {
      if (cause instanceof Problem) throw cause;
      // A key that cannot be used says nothing about the token.
      if (!(cause instanceof errors.JOSEError) || cause instanceof errors.JWKSInvalid)
        throw new Problem("UNAVAILABLE", "The keys to verify tokens cannot be fetched", {
          retryAfterSeconds: 2,
          cause,
        });
      throw new Problem("UNAUTHENTICATED", undefined, { cause });
    }
  };
}

/** What tokens are compared with; `null`: with nothing. */
function wanted(said: string | null): string | null {
  return said === anyone ? null : said;
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

function complainAboutAuth(seen: PartialConfig<typeof authFields>): readonly string[] {
  const { mode, secret, jwksUrl, algorithm } = seen;
  switch (mode) {
    case undefined:
      return [];
    case "dev":
      return complainAboutDev(seen);
    case "jwt":
      if (secret === null && jwksUrl === null)
        return ["AUTH_SECRET or AUTH_JWKS_URL must be set: AUTH_MODE=jwt verifies with one of them"];
      if (secret && jwksUrl)
        return ["AUTH_SECRET and AUTH_JWKS_URL are both set: AUTH_MODE=jwt verifies with one of them"];
      return [
        ...(algorithm === "HS256" && jwksUrl ? ["AUTH_ALGORITHM=HS256 needs AUTH_SECRET, not AUTH_JWKS_URL"] : []),
        ...(algorithm && algorithm !== "HS256" && secret
          ? [`AUTH_ALGORITHM=${algorithm} needs AUTH_JWKS_URL, not AUTH_SECRET`]
          : []),
        ...(jwksUrl ? complainAboutTokensOfOthers(seen) : []),
        ...(jwksUrl && isReadOnTheWay(jwksUrl) && seen.inClear === false ? [keysInClear] : []),
      ];
  }
}

function complainAboutDev({ secret, nodeEnv, host }: PartialConfig<typeof authFields>): readonly string[] {
  return [
    ...(isProduction(nodeEnv) ? [`AUTH_MODE=dev lets anyone be anyone: not with NODE_ENV=${nodeEnv}`] : []),
    ...(host !== undefined && !isLoopback(host)
      ? [`AUTH_MODE=dev lets anyone be anyone: HOST must be 127.0.0.1, ::1 or localhost with it, not ${host}`]
      : []),
    ...(secret === null ? ["AUTH_SECRET is not set: AUTH_MODE=dev signs with it"] : []),
  ];
}

function complainAboutTokensOfOthers({ issuer, audience }: PartialConfig<typeof authFields>): readonly string[] {
  return [
    ...(issuer === null
      ? [
          `AUTH_ISSUER is not set: with AUTH_JWKS_URL it says whose tokens are taken (${anyone}: of all who sign with its keys)`,
        ]
      : []),
    ...(audience === null
      ? [
          `AUTH_AUDIENCE is not set: with AUTH_JWKS_URL, tokens made for other applications would sign in (${anyone}: let them)`,
        ]
      : []),
  ];
}

type VerifiedIdentity = Omit<Identity, "via" | "token">;

function identityOf({ mode, issuer }: AuthConfig, payload: JWTPayload, token: string): VerifiedIdentity {
  const claims = readClaims(payload);
  const userOf = mode === "dev" ? userOfDevToken : issuer === anyone ? userOfIssuer : userOfSubject;
  return {
    userId: userOf(claims),
    sessionId: sessionOfToken(claims, token),
    expiresAt: new Date(claims.exp * 1000),
  };
}

type DevTokenRequest = Readonly<{ name: string; sessionId: string; now: Date; lifetimeSeconds: number }>;

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
