/**
 * Full jitter: anything from 0 to a ceiling that doubles each round, so that many who wait for one thing do not come
 * back together.
 */
export function backoff(round: number, { baseMs, maxMs }: Readonly<{ baseMs: number; maxMs: number }>): number {
  return Math.random() * Math.min(maxMs, baseMs * 2 ** Math.min(round, 30));
}

/** Settles after `ms`, whatever happens meanwhile. */
export async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms));
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

/** The same answer as `work`, or a rejection with what `late` makes after `ms`. A late answer is dropped. */
export async function inTime<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same with an error that has code TIMEOUT and says `what` did not answer. */
export async function deadline<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  return inTime(ms, work, () => Object.assign(new Error(`${what}: no answer in ${ms} ms`), { code: "TIMEOUT" }));
}

/** Whether `deadline` gave up. The Kafka client's own timeouts have another code. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "TIMEOUT";
}

/**
 * What `work` settles as, or null once `signal` is aborted. Not a race with a promise of the signal, which would keep
 * what every `work` has brought for as long as the signal lives.
 */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const { promise, resolve, reject } = Promise.withResolvers<T | null>();
  const giveUp = () => resolve(null);
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  work.then(resolve, reject);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
