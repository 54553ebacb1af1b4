export type RetryPolicy = Readonly<{ baseMs: number; capMs: number; maxAttempts: number }>;

export const retryPolicy: RetryPolicy = { baseMs: 1_000, capMs: 10 * 60 * 1000, maxAttempts: 12 };

/**
 * How long to wait after the `attempt`-th failed attempt (from 1): anything between nothing and a bound that doubles, so
 * that many which failed together do not come back together. `null` when that was the last one. Source: M. Brooker,
 * "Exponential Backoff And Jitter" (AWS, 2015), full jitter.
 */
export function retryDelayMs(
  attempt: number,
  { baseMs, capMs, maxAttempts }: RetryPolicy,
  random: () => number,
): number | null {
  if (attempt >= maxAttempts) return null;
  return random() * Math.min(capMs, baseMs * 2 ** (attempt - 1));
}
