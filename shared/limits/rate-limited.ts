import { Problem } from "../problem.ts";
import type { Verdict } from "./limiter.ts";

/** What is said to whom a limit refuses. */
export function rateLimited({ policy, retryAfterSeconds }: Verdict): Problem {
  const of = `a burst of ${policy.burst} points, then ${policy.perSecond} a second`;
  return new Problem(
    "RATE_LIMITED",
    `Too many requests of this ${policy.name}: ${of}; come again in ${retryAfterSeconds} s`,
    {
      retryAfterSeconds,
    },
  );
}
