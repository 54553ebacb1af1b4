/** Lets one loop rest until there is something to do. */
export type Wake = Readonly<{
  /** Look at once. */
  now: () => void;
  /**
   * Resolves at the next `now`, at once if there was one since the last rest, after `ms`, or when `signal` is aborted;
   * with whether it was woken.
   */
  rest: (ms: number, signal?: AbortSignal) => Promise<boolean>;
}>;

/** One per loop: one that does not rest looks again when it would. */
export function makeWake(): Wake {
  let woken = false;
  let ring = (): void => {};
  return {
    now: () => {
      woken = true;
      ring();
    },
    rest: async (ms, signal) => {
      if (!woken && signal?.aborted !== true)
        await new Promise<void>((resolve) => {
          ring = () => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", ring);
            resolve();
          };
          const timer = setTimeout(ring, ms);
          signal?.addEventListener("abort", ring);
        });
      const wasWoken = woken;
      woken = false;
      ring = () => {};
      return wasWoken;
    },
  };
}
