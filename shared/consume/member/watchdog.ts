/**
 * Notices that something, such as a partition, does not move. `signature` is a text that changes with every progress.
 * Time that is `excused` (a pause on purpose, a rebalance) does not count. Reads no clock: times are given, in ms.
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
