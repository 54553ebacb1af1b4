import { classify } from "../consume/failure/classify.ts";
import type { Log } from "./log.ts";
import type { TellOutage } from "./outages.ts";
import { backoff, sleep } from "../waiting/wait.ts";

/**
 * Does `work` as soon as what it needs is there: tried again, up to 5 s apart, for as long as it fails with an outage.
 * For what a role does at its start: ending the process would take the role's other parts along. Rejects with any other
 * failure, and with the reason of `signal`.
 */
export async function untilUp<T>(
  { part, signal, log, tell }: Readonly<{ part: string; signal: AbortSignal; log: Log; tell?: TellOutage | undefined }>,
  work: () => Promise<T>,
): Promise<T> {
  for (let tries = 0; ; tries++)
    try {
      const done = await work();
      if (tries > 0) tell?.(part, null);
      return done;
    } catch (error) {
      if (classify(error) !== "dependency_down") throw error;
      if (tries % 30 === 0) log.warn("waiting_to_start", { part, error });
      tell?.(part, error);
      await sleep(500 + backoff(tries, { baseMs: 500, maxMs: 4_500 }), signal);
      signal.throwIfAborted();
    }
}
