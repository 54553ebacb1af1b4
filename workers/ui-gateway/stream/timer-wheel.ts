/**
 * Many timers on one: heartbeats and ends of thousands of connections, to a second. A timer each would wake the process
 * as often as there are connections.
 */
export type TimerWheel = Disposable &
  Readonly<{
    /** Calls back after about `seconds`, once. Returns the way to call it off. A callback must not throw. */
    after: (seconds: number, callback: () => void) => () => void;
  }>;

export function startTimerWheel(tickMs = 1000, nowMs: () => number = () => performance.now()): TimerWheel {
  const started = nowMs();
  const slots = new Map<number, Set<() => void>>();
  let done = 0;
  const timer = setInterval(() => {
    const now = Math.floor((nowMs() - started) / tickMs);
    for (; done < now; done++) {
      const due = slots.get(done + 1);
      slots.delete(done + 1);
      for (const callback of due ?? []) callback();
    }
  }, tickMs);
  return {
    after: (seconds, callback) => {
      const at = Math.max(done + 1, Math.ceil((nowMs() - started + seconds * 1000) / tickMs));
      const slot = slots.get(at) ?? new Set();
      slots.set(at, slot.add(callback));
      return () => void slot.delete(callback);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
