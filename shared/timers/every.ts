import type { Log } from "../log.ts";
import { sleep } from "../wait.ts";

/**
 * Runs `work` again and again, `ms` (± 10 %, so that instances drift apart) after it settled, or as many as it returns, until
 * `signal` is aborted; settles when the last run has. A failing run is told once, and its recovery once: what it does is retried anyway.
 */
export async function every(
  { ms, signal, log, name }: Readonly<{ ms: number; signal: AbortSignal; log: Log; name: string }>,
  work: () => Promise<number | undefined | void>,
): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    let nextMs: number | undefined;
    try {
      nextMs = (await work()) ?? undefined;
      if (failing) log.info("loop_recovered", { loop: name });
      failing = false;
    } catch (error) {
      if (!failing) log.warn("loop_failing", { loop: name, error });
      failing = true;
    }
    await sleep((nextMs ?? ms) * (0.9 + Math.random() * 0.2), signal);
  }
}
