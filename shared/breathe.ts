import { setImmediate as turn } from "node:timers/promises";

/** Resolves at once, or after others had their turn where this has run for long since they last had it. */
export type Breathe = () => Promise<void>;

/** For loops over what may each take long: await it between two of them. `everyMs`: 10 ms by default. */
export function makeBreathe({ everyMs = 10, now = () => performance.now() } = {}): Breathe {
  let began = now();
  return async () => {
    if (now() - began < everyMs) return;
    await turn();
    began = now();
  };
}
