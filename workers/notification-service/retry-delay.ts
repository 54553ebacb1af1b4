import type { ChannelName } from "./channel.ts";

/** `forMs`: no further attempt once it has been due for so long; `maxAttempts` bounds what is tried and recorded. */
export type RetryPolicy = Readonly<{ baseMs: number; capMs: number; maxAttempts: number; forMs: number }>;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Webhooks for a day, as Standard Webhooks recommends; mail as long as servers usually queue for busy ones; the rest for hours. */
const policies: Readonly<Record<ChannelName, RetryPolicy>> = {
  "in-app": { baseMs: 1_000, capMs: minuteMs, maxAttempts: 12, forMs: hourMs },
  log: { baseMs: 1_000, capMs: minuteMs, maxAttempts: 12, forMs: hourMs },
  webhook: { baseMs: 2_000, capMs: hourMs, maxAttempts: 100, forMs: 24 * hourMs },
  email: { baseMs: 10_000, capMs: hourMs, maxAttempts: 50, forMs: 24 * hourMs },
  "operator-webhook": { baseMs: 1_000, capMs: 10 * minuteMs, maxAttempts: 200, forMs: 24 * hourMs },
};

/** Where another way is left, a reminder is worth more by that one soon than by this one tomorrow. */
const withFallbackForMs = 15 * minuteMs;

export function retryPolicyOf(channel: ChannelName, hasFallback: boolean): RetryPolicy {
  const policy = policies[channel];
  return hasFallback ? { ...policy, forMs: Math.min(policy.forMs, withFallbackForMs) } : policy;
}

/**
 * How long to wait after the `attempt`-th failed attempt (from 1) of what has been due for `dueForMs`: anything between nothing and a
 * bound that doubles, so that many which failed together do not come back together. `null` when that was the last one. Source:
 * M. Brooker, "Exponential Backoff And Jitter" (AWS, 2015), full jitter.
 */
export function retryDelayMs(
  { attempt, dueForMs }: Readonly<{ attempt: number; dueForMs: number }>,
  { baseMs, capMs, maxAttempts, forMs }: RetryPolicy,
  random: () => number,
): number | null {
  if (attempt >= maxAttempts || dueForMs >= forMs) return null;
  return random() * Math.min(capMs, baseMs * 2 ** (attempt - 1));
}
