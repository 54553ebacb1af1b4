/**
 * Runs the works of one key one after another, in the order asked; other keys run meanwhile. It saves changes of one
 * task within this process from racing for a version that only one can have. Nothing relies on it: other processes race
 * all the same.
 */
export function makeOneAtATime(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = tails.get(key) ?? Promise.resolve();
    // The one before has its own caller to tell of its failure.
    const mine = before.then(work, work);
    tails.set(key, mine);
    try {
      return await mine;
    } finally {
      if (tails.get(key) === mine) tails.delete(key);
    }
  };
}
