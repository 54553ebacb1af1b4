import { Problem } from "../problem.ts";
import type { LimitVerdict } from "./limiter.ts";

/** What is said to whom a limit refuses. */
export function rateLimited({ policy, retryAfterSeconds }: LimitVerdict): Problem {
  const allowed = `${policy.burst} points at once, then ${Number(policy.perSecond.toFixed(2))} a second`;
  const detail = `Too many requests: wait ${retryAfterSeconds} s. The limit "${policy.name}" allows ${allowed}`;
  return new Problem("RATE_LIMITED", detail, { retryAfterSeconds });
}
