import type { RetryPolicy } from "../channels/channel-definition.ts";
import { channels, type ChannelName } from "../channels/channels.ts";

/** Where another way is left, a reminder is worth more by that one soon than by this one tomorrow. */
const withFallbackForMs = 15 * 60_000;

export function retryPolicyOf(channel: ChannelName, hasFallback: boolean): RetryPolicy {
  const policy = channels[channel].retry;
  return hasFallback ? { ...policy, forMs: Math.min(policy.forMs, withFallbackForMs) } : policy;
}

/**
 * How long to wait after the `attempt`-th failed attempt (from 1) of a delivery that has been due for `dueForMs`: a
 * random time below a bound that doubles, so that many which failed together do not come back together. `null` when
 * that was the last attempt. Source: M. Brooker, "Exponential Backoff And Jitter" (AWS, 2015), full jitter.
 */
export function retryDelayMs(
  { attempt, dueForMs }: Readonly<{ attempt: number; dueForMs: number }>,
  { baseMs, capMs, maxAttempts, forMs }: RetryPolicy,
  random: () => number,
): number | null {
  if (attempt >= maxAttempts || dueForMs >= forMs) return null;
  return random() * Math.min(capMs, baseMs * 2 ** (attempt - 1));
}
