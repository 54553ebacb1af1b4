import type { Policy, LimitVerdict } from "../../../shared/limits/limiter.ts";

/**
 * `RateLimit-Policy` and `RateLimit` as structured fields (draft-ietf-httpapi-ratelimit-headers): `q` points that can
 * be saved up, `w` seconds in which they fill up again; `r` points left, `t` seconds until all are back.
 */
export function rateHeaders({ policy, left, fullInSeconds }: LimitVerdict): Readonly<Record<string, string>> {
  return {
    "ratelimit-policy": `"${policy.name}";q=${policy.burst};w=${windowSeconds(policy)}`,
    ratelimit: `"${policy.name}";r=${left};t=${fullInSeconds}`,
  };
}

function windowSeconds({ burst, perSecond }: Policy): number {
  return Math.ceil(burst / perSecond);
}
