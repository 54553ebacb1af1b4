/** Lets one loop rest until there is something to do. */
export type Wake = Readonly<{
  wake: () => void;
  /** Resolves at the next `wake`, at once if there was one since the last rest, or after `ms`. */
  rest: (ms: number) => Promise<void>;
}>;

export function makeWake(): Wake {
  let woken = false;
  let resting: (() => void) | null = null;
  return {
    wake: () => {
      woken = true;
      resting?.();
    },
    rest: async (ms) => {
      if (!woken)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          resting = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      woken = false;
      resting = null;
    },
  };
}
