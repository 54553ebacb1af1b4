import { sleep } from "./wait.ts";

type Patience = Readonly<{
  /** For so long at most. */
  ms: number;
  /** Ends the wait, as a request whose client has gone. */
  signal: AbortSignal;
}>;

const firstPauseMs = 20;
const longestPauseMs = 160;

/**
 * Looks until there is something, and gives that; `null` where the patience has ended. The pauses double from 20 to 160
 * ms: what another role is to write is usually there within 300 ms, and each look is a statement. Throws the signal's
 * reason once it is aborted, and what a look throws.
 */
export async function pollUntil<T>(look: () => Promise<T | null>, { ms, signal }: Patience): Promise<T | null> {
  const end = performance.now() + ms;
  for (let pause = firstPauseMs; ; pause = Math.min(2 * pause, longestPauseMs)) {
    signal.throwIfAborted();
    const found = await look();
    if (found !== null || performance.now() >= end) return found;
    await sleep(pause, signal);
  }
}
