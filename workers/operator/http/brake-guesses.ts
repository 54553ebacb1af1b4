import { integer } from "../../../shared/config.ts";
import { clientAddress } from "../../../shared/limits/client-address.ts";
import { makeLimiter, type Limiter } from "../../../shared/limits/limiter.ts";
import { orOff } from "../../../shared/limits/or-off.ts";
import { rateLimited } from "../../../shared/limits/rate-limited.ts";
import type { Metrics } from "../../../shared/metrics.ts";
import { Problem } from "../../../shared/problem.ts";

export const guessesPerMinute = orOff(integer("RATE_GUESSES_PER_MINUTE", 10, { min: 0, max: 100_000 }));

/** Counts wrong tokens by address; `null` where `perMinute` is 0. */
export function openGuesses(perMinute: number): Limiter | null {
  if (perMinute === 0) return null;
  const policy = { name: "guesses", burst: perMinute, perSecond: perMinute / 60 };
  return makeLimiter(policy, { now: () => performance.now() });
}

/**
 * Runs `check`, which throws UNAUTHENTICATED at a wrong token, unless its address has guessed too often: then RATE_LIMITED, whatever token
 * is brought, since a right one would otherwise be found all the same. Nothing waits in it, so guesses sent at once are counted one by one.
 */
export function makeBrake(
  guesses: Limiter | null,
  { trustedProxies, metrics }: Readonly<{ trustedProxies: number; metrics: Metrics }>,
): (request: Request, address: string | null, check: () => void) => void {
  const refused = metrics.counter("rate_limited_total", "Requests refused because too many came", ["policy"]);
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
      if (error instanceof Problem && error.code === "UNAUTHENTICATED") guesses.charge(address, 1);
      throw error;
    }
  };
}
