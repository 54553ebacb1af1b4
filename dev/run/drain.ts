import { setTimeout as sleep } from "node:timers/promises";
import type { SupervisedProcess } from "../stack/supervise.ts";

/**
 * Stops processes in reverse order: each is asked, and the next once it has ended or soon after, so that a slow one
 * does not use up the time of the others: all are asked within the first third. What has not ended by the deadline is
 * killed. Says every second what it waits for.
 */
export async function drain(
  processes: readonly SupervisedProcess[],
  { withinMs, say }: Readonly<{ withinMs: number; say: (line: string) => void }>,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  const nextAfterMs = withinMs / 3 / Math.max(processes.length, 1);
  const waiting = new Set<string>();
  const ticker = setInterval(() => say(`waiting for ${[...waiting].join(", ")}`), 1_000);
  const stops: Promise<void>[] = [];
  for (const supervised of processes.toReversed()) {
    waiting.add(supervised.name);
    const stop = supervised.stop(Math.max(0, deadline - performance.now())).then((how) => {
      waiting.delete(supervised.name);
      if (how === "killed") say(`${supervised.name} did not end in time and was killed`);
    });
    stops.push(stop);
    await Promise.race([stop, sleep(nextAfterMs)]);
  }
  await Promise.all(stops);
  clearInterval(ticker);
}
