/**
 * Settles when `work` does or after `ms`, whatever came of it. For closing: the client's close can wait for a rejoin or for a
 * broker that is gone, and what it would say no longer matters.
 */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  await deadline(ms, "closing", work).catch(() => {});
}

/** The same answer as `work`, or a rejection after `ms`. A late answer is dropped. */
export async function deadline<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(Object.assign(new Error(`${what}: no answer in ${ms} ms`), { code: "TIMEOUT" })),
      ms,
    );
  });
  work.catch(() => {});
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
