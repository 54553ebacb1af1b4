/** Full jitter: anything from 0 to a ceiling that doubles each round, so that many who wait for one thing do not come back together. */
export function backoff(round: number, { baseMs, maxMs }: Readonly<{ baseMs: number; maxMs: number }>): number {
  return Math.random() * Math.min(maxMs, baseMs * 2 ** Math.min(round, 30));
}

/** Settles after `ms`, or at once when `signal` is aborted. Never rejects: look at the signal. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

/** Whether `work` settles, however, within `ms`. */
export async function settlesWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const patience = new AbortController();
  const settled = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, sleep(ms, patience.signal).then(() => false)]);
  } finally {
    patience.abort();
  }
}
