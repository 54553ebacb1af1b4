import { makeWake } from "../../../shared/waiting/wake.ts";

/** Wakes a sender, which polls. */
export type SenderWake = Readonly<{
  /** Look at once. */
  now: () => void;
  /** Something is being committed about now: look often for a moment. */
  soon: () => void;
  /**
   * Resolves when it is time to look: woken, after `ms` (a second where it is not given, 5 s at most), or when `signal`
   * is aborted.
   */
  wait: (signal: AbortSignal, ms?: number | null) => Promise<void>;
  /** Resolves when it is woken, after `ms`, or when `signal` is aborted. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}>;

const pollMs = 1_000;
/**
 * Nothing is due sooner by the table, and who changes it wakes: this is for what an instance wrote that was killed
 * before it woke its own.
 */
const seldomMs = 5_000;
/**
 * A handler's commit follows its return within milliseconds; the database's NOTIFY inside it would serialise commits.
 */
const soonMs = 20;
const soonForMs = 200;

export function makeSenderWake(monotonic: () => number = () => performance.now()): SenderWake {
  const { now, rest } = makeWake();
  let oftenUntil = 0;
  return {
    now,
    soon: () => {
      oftenUntil = monotonic() + soonForMs;
      now();
    },
    wait: async (signal, ms = pollMs) =>
      void (await rest(monotonic() < oftenUntil ? soonMs : Math.min(seldomMs, ms ?? seldomMs), signal)),
    sleep: async (ms, signal) => void (await rest(ms, signal)),
  };
}
