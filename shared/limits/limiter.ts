/**
 * A token bucket: who has done nothing for a while may spend `burst` points at once, and gets `perSecond` of them
 * again. `name` stands in headers and metrics.
 */
export type Policy = Readonly<{ name: string; burst: number; perSecond: number }>;

export type LimitVerdict = Readonly<{
  policy: Policy;
  isOver: boolean;
  /** Points that can be spent at once, never below 0. */
  left: number;
  /** Until all of `burst` is there again. */
  fullInSeconds: number;
  /** Until what was asked for can be asked again; 0 where it was granted. */
  retryAfterSeconds: number;
}>;

export type Limiter = Readonly<{
  policy: Policy;
  /**
   * Takes the points if they are there; one that costs more than `burst` is granted on a full bucket. What is refused
   * costs nothing.
   */
  take: (key: string, cost: number) => LimitVerdict;
  /** Takes them in any case, into a debt of at most `burst`: for what is known only when it is done. */
  charge: (key: string, cost: number) => LimitVerdict;
  /** As `take` would say, and takes nothing. */
  look: (key: string, cost: number) => LimitVerdict;
  /** Another's view of the bucket, by which this one can only become emptier. */
  merge: (key: string, fullInMs: number) => void;
}>;

/** Buckets remembered at once, some 100 bytes each. Above it the one used longest ago counts as full again. */
const maxKeys = 100_000;

/**
 * Buckets in the memory of one process. A bucket is one number, the instant at which it is full again, so it costs no
 * timer, and one that is full is not kept. `now` in ms, from a clock that does not jump. `onTaken` hears of everything
 * that was taken.
 */
export function makeLimiter(
  policy: Policy,
  { now, onTaken = () => {} }: Readonly<{ now: () => number; onTaken?: (key: string, cost: number) => void }>,
): Limiter {
  const perMs = policy.perSecond / 1000;
  /** When a bucket is full again; the one used longest ago first. */
  const fullAt = new Map<string, number>();
  const set = (key: string, at: number): void => {
    fullAt.delete(key);
    fullAt.set(key, at);
    let looked = 0;
    for (const [oldest, full] of fullAt) {
      if (looked++ >= 2 || (full > now() && fullAt.size <= maxKeys)) return;
      fullAt.delete(oldest);
    }
  };
  const missing = (key: string, at: number): number => Math.max(0, (fullAt.get(key) ?? at) - at) * perMs;
  const verdict = (key: string, at: number, cost: number): LimitVerdict => {
    const left = policy.burst - missing(key, at);
    const lacking = Math.min(cost, policy.burst) - left;
    // A sum of fractions may miss a whole point by less than anybody can spend.
    const isOver = lacking > 1e-6;
    return {
      policy,
      isOver,
      left: Math.max(0, Math.floor(left + 1e-6)),
      fullInSeconds: Math.ceil(missing(key, at) / policy.perSecond),
      retryAfterSeconds: isOver ? Math.max(1, Math.ceil(lacking / policy.perSecond)) : 0,
    };
  };
  const charge = (key: string, cost: number): LimitVerdict => {
    const at = now();
    set(key, at + Math.min(2 * policy.burst, missing(key, at) + cost) / perMs);
    onTaken(key, cost);
    return { ...verdict(key, at, 0), isOver: false, retryAfterSeconds: 0 };
  };
  const look = (key: string, cost: number) => verdict(key, now(), cost);
  return {
    policy,
    look,
    charge,
    take: (key, cost) => {
      const asked = look(key, cost);
      return asked.isOver ? asked : charge(key, cost);
    },
    merge: (key, fullInMs) => {
      const at = now();
      if (fullInMs > 0 && at + fullInMs > (fullAt.get(key) ?? at)) set(key, at + fullInMs);
    },
  };
}
