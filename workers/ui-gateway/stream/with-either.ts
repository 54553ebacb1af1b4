/**
 * Runs `work` with a signal that is aborted when one of the two is. Its listeners are taken away afterwards:
 * `AbortSignal.any` would leave something of every request on a signal that lives as long as the process.
 */
export async function withEither<T>(
  [one, other]: readonly [AbortSignal, AbortSignal],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const either = new AbortController();
  const abort = () => either.abort();
  if (one.aborted || other.aborted) abort();
  for (const signal of [one, other]) signal.addEventListener("abort", abort);
  try {
    return await work(either.signal);
  } finally {
    for (const signal of [one, other]) signal.removeEventListener("abort", abort);
  }
}
