import { integer } from "../../../shared/role/config.ts";
import { clientAddress } from "../../../shared/limits/client-address.ts";
import { makeLimiter, type Limiter } from "../../../shared/limits/limiter.ts";
import { orOff } from "../../../shared/limits/or-off.ts";
import { rateLimited } from "../../../shared/limits/rate-limited.ts";
import type { Metrics } from "../../../shared/role/metrics.ts";
import { Problem } from "../../../shared/problem.ts";
import { base64Text } from "../../../shared/bytes.ts";
import { digestOf } from "../../../shared/digest.ts";

/** Wrong tokens remembered at once, of all addresses. */
const maxTried = 1_000;

export const guessesPerMinute = orOff(integer("RATE_GUESSES_PER_MINUTE", 10, { min: 0, max: 100_000 }));

/** Counts wrong tokens by address; `null` where `perMinute` is 0. */
export function openGuesses(perMinute: number): Limiter | null {
  if (perMinute === 0) return null;
  const policy = { name: "guesses", burst: perMinute, perSecond: perMinute / 60 };
  return makeLimiter(policy, { now: () => performance.now() });
}

/**
 * Runs `check`, which throws UNAUTHENTICATED at a wrong token, unless its address has guessed too often: then
 * RATE_LIMITED, whatever token is brought, since a right one would otherwise be found all the same. The same wrong
 * token again is no new guess: a page asks several times with what was typed. Nothing waits in it, so guesses sent at
 * once are counted one by one.
 */
export function makeBrake(
  guesses: Limiter | null,
  { trustedProxies, metrics }: Readonly<{ trustedProxies: number; metrics: Metrics }>,
): (request: Request, address: string | null, check: () => void) => void {
  const refused = metrics.counter("rate_limited_total", "Requests refused because too many came", ["policy"]);
  const tried = new Set<string>();
  const isNew = (address: string, request: Request): boolean => {
    const digest = base64Text(digestOf("sha256", `${address} ${request.headers.get("authorization")}`));
    if (tried.has(digest)) return false;
    for (const oldest of tried) if (tried.size < maxTried || tried.delete(oldest)) break;
    tried.add(digest);
    return true;
  };
  return (request, peer, check) => {
    if (guesses === null) return check();
    const address = clientAddress(peer, request.headers.get("x-forwarded-for"), trustedProxies);
    const asked = guesses.look(address, 1);
    if (asked.isOver) {
      refused.inc({ policy: guesses.policy.name });
      throw rateLimited(asked);
    }
    try {
      check();
    } catch (error) {
      const isGuess = error instanceof Problem && error.code === "UNAUTHENTICATED";
      if (isGuess && isNew(address, request)) guesses.charge(address, 1);
      throw error;
    }
  };
}
