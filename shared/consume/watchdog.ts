/**
 * Notices that nothing moves. `signature` is any text that changes whenever something does; time that is `excused` (a pause on
 * purpose, a rebalance) does not count. Pure but for its memory: times are in ms and given.
 */
export function makeWatchdog(limitMs: number) {
  let last = { signature: "", since: 0 };
  return {
    /** True when nothing has moved for `limitMs`. The caller then finds out whether there was anything to do. */
    isSuspicious: (at: number, signature: string, excused: boolean): boolean => {
      if (excused || signature !== last.signature) last = { signature, since: at };
      return at - last.since >= limitMs;
    },
    /** There was nothing to do: the time counts anew. */
    reset: (at: number) => {
      last = { ...last, since: at };
    },
  };
}
