import type { Context, MiddlewareHandler } from "hono";
import { problemResponse, type HttpEnv } from "../../../shared/http/http-app.ts";
import { clientAddress } from "../../../shared/limits/client-address.ts";
import type { LimitVerdict } from "../../../shared/limits/limiter.ts";
import { rateHeaders } from "./rate-headers.ts";
import { rateLimited } from "../../../shared/limits/rate-limited.ts";
import type { Metrics } from "../../../shared/role/metrics.ts";
import type { RequestLimits } from "./open-limits.ts";
import { addressCostOf, costOf, eventCost, guessCost } from "./route-costs.ts";

type LimitRequests = Readonly<{
  /** Around everything: what an address asks before anybody is known, and what is known of a limit on every answer. */
  byAddress: MiddlewareHandler<HttpEnv>;
  /** After somebody is known and before the body is read. */
  byUser: MiddlewareHandler<HttpEnv>;
  /** Charges what an answer says was made by it. */
  settle: (c: Context<HttpEnv>, events: number) => void;
}>;

/**
 * A client that asks again at once, without a look at Retry-After, would take as much of this process as one that is
 * granted all.
 */
const holdMs = 100;
const maxHeld = 1_000;

/**
 * Answers 429 with `Retry-After` to users and addresses that have spent what they may, and says on every limited answer
 * what is left. A valid token is looked at before the address is blamed: behind a proxy that nobody told us of, all
 * have one address. What costs an address too much are requests without one.
 */
export function limitRequests(limits: () => RequestLimits, metrics: Metrics): LimitRequests {
  const refused = metrics.counter("rate_limited_total", "Requests refused because too many came", ["policy"]);
  let held = 0;
  const refuse = async (c: Context<HttpEnv>, verdict: LimitVerdict): Promise<Response> => {
    refused.inc({ policy: verdict.policy.name });
    c.set("rate", verdict);
    if (held < maxHeld) {
      held += 1;
      await new Promise((resolve) => setTimeout(resolve, holdMs));
      held -= 1;
    }
    return problemResponse(c, rateLimited(verdict));
  };
  const told = (c: Context<HttpEnv>): void => {
    const verdict = c.get("rate");
    if (verdict === undefined) return;
    for (const [name, value] of Object.entries(rateHeaders(verdict))) c.res.headers.set(name, value);
  };
  return {
    byAddress: async (c, next) => {
      const { path, method } = c.req;
      const cost = addressCostOf({ method, path });
      if (cost === null && !path.startsWith("/v1/") && path !== "/mcp") return next();
      const { address: limiter, trustedProxies } = limits();
      if (limiter === null) {
        await next();
        return told(c);
      }
      const address = clientAddress(c.env?.address, c.req.header("x-forwarded-for") ?? null, trustedProxies);
      // A ticket is looked up in the database, so it is not asked for one more than there may be.
      const isTicket = path === "/v1/stream" && c.req.query("ticket") !== undefined;
      // What costs nothing is not asked for: a bucket that instances share may be in debt.
      const asked = cost !== null ? limiter.take(address, cost) : isTicket ? limiter.look(address, guessCost) : null;
      if (cost !== null && asked !== null) c.set("rate", asked);
      if (asked?.isOver) c.res = await refuse(c, asked);
      else await next();
      if (c.res.status === 401) {
        const guessed = limiter.take(address, guessCost);
        c.set("rate", guessed);
        if (guessed.isOver) {
          c.res = undefined;
          c.res = await refuse(c, guessed);
          c.res.headers.delete("www-authenticate");
        }
      }
      told(c);
    },
    byUser: async (c, next) => {
      const { user: limiter } = limits();
      const identity = c.get("identity");
      if (limiter === null || identity === undefined) return next();
      const { path, method, url } = c.req;
      const verdict = limiter.take(identity.userId, costOf({ method, path, query: new URL(url).searchParams }));
      c.set("rate", verdict);
      return verdict.isOver ? refuse(c, verdict) : next();
    },
    settle: (c, events) => {
      const { user: limiter } = limits();
      if (limiter === null || !(events > 1)) return;
      c.set("rate", limiter.charge(c.var.identity.userId, (events - 1) * eventCost));
    },
  };
}
