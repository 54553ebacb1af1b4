import type { SendOutcome } from "../channels/channel.ts";

/** How an endpoint has done lately: attempts failed in a row, and for how long. */
export type Health = Readonly<{ failures: number; failingForMs: number }>;

/**
 * What follows for an endpoint. `openMs`: nothing is sent there for so long, then one attempt is the probe. `disable`:
 * why nothing is sent at all until its owner enables it again.
 */
export type EndpointVerdict = Readonly<{ failures: number; openMs: number | null; disable: string | null }>;

export type BreakerPolicy = Readonly<{ threshold: number; baseMs: number; capMs: number; disableAfterMs: number }>;

export const breakerPolicy: Omit<BreakerPolicy, "disableAfterMs"> = {
  threshold: 5,
  baseMs: 30_000,
  capMs: 30 * 60 * 1000,
};

/**
 * The breaker of one endpoint. It opens after `threshold` failed attempts in a row, for twice as long after each failed
 * probe, less up to half of that, so that many breakers do not probe at one instant. Any success closes it. An endpoint
 * that says it is gone, or has failed for `disableAfterMs` without a success, is disabled.
 */
export function judgeEndpoint(
  { failures, failingForMs }: Health,
  sent: SendOutcome,
  { threshold, baseMs, capMs, disableAfterMs }: BreakerPolicy,
  random: () => number,
): EndpointVerdict {
  if (sent.outcome === "delivered") return { failures: 0, openMs: null, disable: null };
  const inARow = failures + 1;
  if (sent.outcome === "refused" && sent.gone === true) return { failures: inARow, openMs: null, disable: sent.reason };
  if (inARow < threshold) return { failures: inARow, openMs: null, disable: null };
  if (failingForMs >= disableAfterMs) {
    const hours = Math.floor(failingForMs / 3_600_000);
    return { failures: inARow, openMs: null, disable: `failing for ${hours} h, at last ${sent.reason}` };
  }
  const bound = Math.min(capMs, baseMs * 2 ** (inARow - threshold));
  return { failures: inARow, openMs: bound * (0.5 + random() / 2), disable: null };
}
