import type { Limiter } from "../../../shared/limits/limiter.ts";
import { openRedisLedger } from "./redis-ledger.ts";
import { shareLimiter } from "./share-limiter.ts";
import { makeLimiter } from "../../../shared/limits/limiter.ts";
import type { Role } from "../../../shared/role/role.ts";
import { policiesOf, type LimitConfig } from "./limit-settings.ts";

/** The buckets of users and of addresses; `null` where a limit is off. */
export type RequestLimits = Readonly<{ user: Limiter | null; address: Limiter | null; trustedProxies: number }>;

/**
 * Shared with the other instances by Redis, where REDIS_URL says which; else, and while it is away, for this instance
 * alone.
 */
export function openLimits(
  config: LimitConfig,
  { log, metrics }: Pick<Role, "log" | "metrics">,
): Disposable & RequestLimits {
  using stack = new DisposableStack();
  const policies = policiesOf(config);
  const now = () => performance.now();
  const isAny = policies.user !== null || policies.address !== null;
  const ledger =
    config.redisUrl === null || !isAny
      ? null
      : stack.use(openRedisLedger({ url: config.redisUrl, prefix: config.redisPrefix }, { log, metrics }));
  const open = (policy: (typeof policies)["user"]): Limiter | null => {
    if (policy === null) return null;
    if (ledger === null) return makeLimiter(policy, { now });
    const shared = shareLimiter(policy, { ledger, now, onFailure: ledger.onFailure });
    stack.defer(shared.stop);
    return shared;
  };
  const limits = { user: open(policies.user), address: open(policies.address), trustedProxies: config.trustedProxies };
  const opened = stack.move();
  return { ...limits, [Symbol.dispose]: () => opened.dispose() };
}
