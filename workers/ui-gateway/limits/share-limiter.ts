import { makeLimiter, type Limiter, type Policy } from "../../../shared/limits/limiter.ts";

/** What was taken from one bucket since it was last told. */
type BucketSpend = Readonly<{ key: string; cost: number }>;

/**
 * Where all instances add up what they took: it answers, in the same order, in how many ms each bucket is full again.
 */
export type Ledger = Readonly<{ add: (policy: Policy, taken: readonly BucketSpend[]) => Promise<readonly number[]> }>;

/**
 * Requests within it go to the ledger as one; what instances can take at once without knowing of one another is bounded
 * by it.
 */
const everyMs = 50;
const maxKeysAtOnce = 500;

/**
 * A limiter that instances share. It decides from memory, so no request waits for the ledger, and tells the ledger
 * afterwards: while that is away, frozen or emptied, limits hold for each instance by itself. What could not be told is
 * dropped, not told again: nobody knows whether it was counted. `stop` ends it; what is not told by then is lost.
 */
export function shareLimiter(
  policy: Policy,
  { ledger, now, onFailure }: Readonly<{ ledger: Ledger; now: () => number; onFailure: (error: unknown) => void }>,
): Limiter & Readonly<{ stop: () => void }> {
  let untold = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isStopped = false;
  const tell = async (): Promise<void> => {
    const taken = [...untold].slice(0, maxKeysAtOnce).map(([key, cost]) => ({ key, cost }));
    untold = new Map([...untold].slice(maxKeysAtOnce));
    try {
      const fullIn = await ledger.add(policy, taken);
      const perMs = policy.perSecond / 1000;
      for (const [at, { key }] of taken.entries())
        limiter.merge(key, (fullIn[at] ?? 0) + (untold.get(key) ?? 0) / perMs);
    } catch (error) {
      untold.clear();
      onFailure(error);
    }
    timer = null;
    if (untold.size > 0) schedule();
  };
  const schedule = (): void => {
    if (isStopped) return;
    timer ??= setTimeout(() => void tell(), everyMs);
  };
  const limiter = makeLimiter(policy, {
    now,
    onTaken: (key, cost) => {
      untold.set(key, (untold.get(key) ?? 0) + cost);
      schedule();
    },
  });
  return {
    ...limiter,
    stop: () => {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
