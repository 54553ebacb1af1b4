/**
 * Resolves at once, or after others had their turn where this has run for long since they last had it. Rejects with the
 * signal's reason once nobody waits for the result any more.
 */
export type Breathe = () => Promise<void>;

type BreatheOptions = Readonly<{ signal?: AbortSignal; everyMs?: number; now?: () => number }>;

/**
 * For loops over what may each take long: await it between two of them. `signal`: that of the request the work is for,
 * aborted when its client has left. `everyMs`: 10 ms by default.
 */
export function makeBreathe({ signal, everyMs = 10, now = () => performance.now() }: BreatheOptions = {}): Breathe {
  let began = now();
  return async () => {
    signal?.throwIfAborted();
    if (now() - began < everyMs) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
    began = now();
  };
}
