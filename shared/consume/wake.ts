/** Wakes whoever waits for news; news between two waits is not lost if `next` was asked before looking. */
export type Wake = Readonly<{ next: () => Promise<void>; now: () => void }>;

export function makeWake(): Wake {
  let { promise, resolve } = Promise.withResolvers<void>();
  return {
    next: () => promise,
    now: () => {
      resolve();
      ({ promise, resolve } = Promise.withResolvers<void>());
    },
  };
}
