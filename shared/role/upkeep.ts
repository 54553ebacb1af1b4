import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { sleep } from "../waiting/wait.ts";

/**
 * Work that is done from time to time and by any number of instances: partitions made and dropped, rows of long ago
 * deleted.
 */
export type UpkeepSteps = Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>>;

/** After a failure all steps run again this soon, if they would not anyway. */
const againMs = 300_000;

/**
 * Runs the steps one after the other, now and every `everyMs` (± 10 %, so that instances drift apart) until `signal` is
 * aborted. A step that fails is told by the log and by `upkeep_failures_total`, and keeps no other from running. Never
 * rejects.
 */
export async function keepUp(
  { everyMs, steps }: Readonly<{ everyMs: number; steps: UpkeepSteps }>,
  { signal, log, metrics }: Readonly<{ signal: AbortSignal; log: Log; metrics: Metrics }>,
): Promise<void> {
  const failures = metrics.counter("upkeep_failures_total", "Failed runs of a step of upkeep, each tried again", [
    "step",
  ]);
  // A series that begins at 1 shows no increase.
  for (const step of Object.keys(steps)) failures.inc({ step }, 0);
  while (!signal.aborted) {
    const failed = await runUpkeep(steps, { log, signal });
    for (const step of failed) failures.inc({ step });
    const nextMs = failed.length === 0 ? everyMs : Math.min(everyMs, againMs);
    await sleep(nextMs * (0.9 + Math.random() * 0.2), signal);
  }
}

/** Runs each step once and resolves with the names of those that failed. What fails because of a stop is not told. */
export async function runUpkeep(
  steps: UpkeepSteps,
  { log, signal = new AbortController().signal }: Readonly<{ log: Log; signal?: AbortSignal }>,
): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const [step, work] of Object.entries(steps)) {
    if (signal.aborted) break;
    try {
      await work(signal);
    } catch (error) {
      if (signal.aborted) break;
      log.warn("upkeep_failed", { step, error });
      failed.push(step);
    }
  }
  return failed;
}

/**
 * Runs a statement that changes at most `rows` rows until it finds fewer, or until `signal` is aborted. One statement
 * for all of them would run into its deadline after a long stop, and then each time.
 */
export async function inBatches(
  { rows, signal }: Readonly<{ rows: number; signal: AbortSignal }>,
  work: () => PromiseLike<Readonly<{ count: number }>>,
): Promise<number> {
  for (let all = 0; ;) {
    const { count } = await work();
    all += count;
    if (count < rows || signal.aborted) return all;
  }
}

/**
 * Does `work` for every item, one after the other, whatever becomes of those before it. Rejects at the end with what
 * went wrong.
 */
export async function forEachAlone<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const errors: unknown[] = [];
  for (const item of items) await work(item).catch((error: unknown) => errors.push(error));
  if (errors.length > 0)
    throw new AggregateError(errors, `${errors.length} of ${items.length} failed`, { cause: errors[0] });
}
