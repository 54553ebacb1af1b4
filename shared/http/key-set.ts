import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";
import { Problem } from "../problem.ts";
import { proxyFor } from "./proxy-for.ts";

/** After a failure the provider is left alone for so long: each request would ask again otherwise. */
const cooldownMs = 5_000;

/**
 * The keys of an identity provider (RFC 7517), read when first needed, again after ten minutes, and, at most every 30
 * s, for a key that is not among them. Rejects with UNAVAILABLE while the provider does not answer with keys: that says
 * nothing about a token.
 */
export function openKeySet(
  url: string,
  { timeoutMs = 5_000, nowMs = () => performance.now() }: { timeoutMs?: number; nowMs?: () => number } = {},
): JWTVerifyGetKey {
  let failure: Readonly<{ until: number; cause: unknown }> | null = null;
  const fetchKeys = async (address: string, init: RequestInit): Promise<Response> => {
    if (failure !== null && nowMs() < failure.until) throw unavailable(failure.cause, failure.until - nowMs());
    try {
      const body = await readKeys(address, init);
      failure = null;
      return Response.json(body);
    } catch (cause) {
      failure = { until: nowMs() + cooldownMs, cause };
      throw unavailable(cause, cooldownMs);
    }
  };
  return createRemoteJWKSet(new URL(url), { [customFetch]: fetchKeys, timeoutDuration: timeoutMs });
}

async function readKeys(address: string, init: RequestInit): Promise<unknown> {
  const answer = await fetch(address, { ...init, ...proxyFor(address) });
  // Redirects are not followed: keys come from where the operator said.
  if (answer.status !== 200) throw new Error(`the key set answered ${answer.status}`);
  const body: unknown = await answer.json();
  const keys: unknown = typeof body === "object" && body !== null && "keys" in body ? body.keys : null;
  if (!Array.isArray(keys) || keys.length === 0) throw new Error("the answer is no key set, or one without keys");
  if (!keys.every((key) => typeof key === "object" && key !== null)) throw new Error("a key of the set is no object");
  return body;
}

function unavailable(cause: unknown, forMs: number): Problem {
  return new Problem("UNAVAILABLE", "The keys to verify tokens cannot be fetched", {
    retryAfterSeconds: Math.max(1, Math.ceil(forMs / 1000)),
    cause,
  });
}
