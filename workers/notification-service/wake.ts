/** Wakes a loop that polls. */
export type Wake = Readonly<{
  /** Look at once. */
  now: () => void;
  /** Something is being committed about now: look often for a moment. */
  soon: () => void;
  /** Resolves when it is time to look: woken, after the poll interval, or when `signal` is aborted. */
  wait: (signal: AbortSignal) => Promise<void>;
  /** Resolves after `ms` or when `signal` is aborted. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}>;

const pollMs = 1_000;
/** A handler's commit follows its return within milliseconds; the database's NOTIFY inside it would serialise commits. */
const soonMs = 20;
const soonForMs = 200;

/** One per loop: a loop that is not waiting looks again when it next waits. */
export function makeWake(monotonic: () => number = () => performance.now()): Wake {
  let ring: (() => void) | null = null;
  let rung = false;
  let oftenUntil = 0;
  const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        rung = false;
        ring = null;
        resolve();
      };
      const timer = setTimeout(done, signal.aborted || rung ? 0 : ms);
      signal.addEventListener("abort", done, { once: true });
      ring = done;
    });
  const now = () => {
    rung = true;
    ring?.();
  };
  return {
    now,
    soon: () => {
      oftenUntil = monotonic() + soonForMs;
      now();
    },
    wait: (signal) => sleep(monotonic() < oftenUntil ? soonMs : pollMs, signal),
    sleep,
  };
}
