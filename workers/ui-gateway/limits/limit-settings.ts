import { checked, integer, optionalUrl, text, type Config } from "../../../shared/role/config.ts";
import { trustedProxies } from "../../../shared/limits/client-address.ts";
import type { Policy } from "../../../shared/limits/limiter.ts";
import { orOff } from "../../../shared/limits/or-off.ts";
import { allowPasswordsInClear } from "../../../shared/role/password-in-clear.ts";
import { redisComplaints } from "../../../shared/limits/redis-complaints.ts";

export const limitSettings = checked(
  {
    /** Without one each instance counts for itself. */
    redisUrl: optionalUrl("REDIS_URL", ["redis", "rediss"]),
    redisPrefix: text("REDIS_PREFIX", "taskwire"),
    allowPasswordsInClear,
    userPerSecond: orOff(integer("RATE_USER_PER_SECOND", 150, { min: 0, max: 1_000_000 })),
    userBurst: integer("RATE_USER_BURST", 600, { min: 1, max: 10_000_000 }),
    addressPerSecond: orOff(integer("RATE_ADDRESS_PER_SECOND", 20, { min: 0, max: 1_000_000 })),
    addressBurst: integer("RATE_ADDRESS_BURST", 1_000, { min: 1, max: 10_000_000 }),
    trustedProxies,
  },
  ({ redisUrl, allowPasswordsInClear: isAllowed }) =>
    typeof redisUrl === "string" && isAllowed === false ? redisComplaints(redisUrl) : [],
);

export type LimitConfig = Config<typeof limitSettings>;

/** Whose bucket is how large; `null` where a limit is off. */
export function policiesOf(config: LimitConfig): Readonly<{ user: Policy | null; address: Policy | null }> {
  const policy = (name: string, burst: number, perSecond: number) =>
    perSecond === 0 ? null : { name, burst, perSecond };
  return {
    user: policy("user", config.userBurst, config.userPerSecond),
    address: policy("address", config.addressBurst, config.addressPerSecond),
  };
}
