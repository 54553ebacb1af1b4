import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs `work` at a fixed rate without waiting for it; how long each took from when it was due, ms, without the first
 * fifth.
 */
export async function paced(rate: number, seconds: number, work: () => Promise<void>): Promise<number[]> {
  const began = performance.now();
  const count = Math.ceil(rate * seconds);
  const times: Promise<number>[] = [];
  for (let n = 0; n < count; n++) {
    const due = began + (n * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    // Timers may fire up to a millisecond early: nothing is measured from before it was begun.
    const from = Math.min(due, performance.now());
    times.push(work().then(() => performance.now() - from));
  }
  return (await Promise.all(times)).slice(Math.floor(count / 5));
}
