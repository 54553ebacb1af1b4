import type { Metrics } from "../role/metrics.ts";

/**
 * How often a loop looks at a table: often while whoever writes to it tells so, seldom while nobody does. The seldom
 * look is the net below, for what a process wrote that was killed before it told.
 */
export type Pace = Readonly<{
  /** Something was written, or is being committed about now: a look is due at once, and for 5 s looks are frequent. */
  told: () => void;
  /**
   * A look has found something. If nobody had told of it, that is counted, and looks are frequent from now on as well.
   */
  found: () => void;
  /** Resolves when the next look is due, or `signal` is aborted. */
  rest: (signal: AbortSignal) => Promise<void>;
}>;

type MakePace = Readonly<{
  /** Label of `poll_found_untold_total`. */
  name: string;
  oftenMs: number;
  seldomMs: number;
  metrics: Metrics;
  monotonic?: () => number;
}>;

const oftenForMs = 5_000;

export function makePace({
  name: loop,
  oftenMs,
  seldomMs,
  metrics,
  monotonic = () => performance.now(),
}: MakePace): Pace {
  const untold = metrics.counter("poll_found_untold_total", "Looks that found what nobody had told of", ["loop"]);
  untold.inc({ loop }, 0);
  // At the start nobody has told of what is there already.
  let oftenUntil = monotonic() + oftenForMs;
  let isTold = false;
  let wake = (): void => {};
  const isOften = () => monotonic() < oftenUntil;
  return {
    told: () => {
      const wasOften = isOften();
      oftenUntil = monotonic() + oftenForMs;
      if (wasOften) return;
      isTold = true;
      wake();
    },
    found: () => {
      if (!isOften()) untold.inc({ loop });
      oftenUntil = monotonic() + oftenForMs;
    },
    rest: async (signal) => {
      if (!isTold)
        await new Promise<void>((resolve) => {
          const done = () => {
            clearTimeout(timer);
            signal.removeEventListener("abort", done);
            wake = () => {};
            resolve();
          };
          // ± 10 %, so that instances drift apart.
          const ms = (isOften() ? oftenMs : seldomMs) * (0.9 + Math.random() * 0.2);
          const timer = setTimeout(done, signal.aborted ? 0 : ms);
          signal.addEventListener("abort", done, { once: true });
          wake = done;
        });
      isTold = false;
    },
  };
}

/** The same function, which tells the pace first each time it is called. */
export function telling<A extends readonly unknown[], R>(
  pace: Pick<Pace, "told">,
  work: (...args: A) => R,
): (...args: A) => R {
  return (...args) => {
    pace.told();
    return work(...args);
  };
}
