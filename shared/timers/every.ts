import type { Role } from "../role/role.ts";
import type { Pace } from "../waiting/pace.ts";
import { sleep } from "../waiting/wait.ts";

export type EveryOptions = Readonly<{ ms: number; name: string; pace?: Pace }> &
  Pick<Role, "signal" | "log" | "tellOutage">;

/**
 * Runs `work` until `signal` is aborted, and settles when the last run has. The next run begins `ms` after the last one
 * settled (± 10 %, so that instances drift apart), or after as many ms as that returned, or when the `pace` says, if
 * there is one. A series of failures is logged once, and its end once. An outage is told under the name of the loop.
 */
export async function every(
  { ms, signal, log, name, tellOutage, pace }: EveryOptions,
  work: () => Promise<number | undefined | void>,
): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    let nextMs: number | undefined;
    try {
      nextMs = (await work()) ?? undefined;
      if (failing) log.info("loop_recovered", { loop: name });
      if (failing) tellOutage(name, null);
      failing = false;
    } catch (error) {
      tellOutage(name, error);
      if (!failing) log.warn("loop_failing", { loop: name, error });
      failing = true;
    }
    if (pace !== undefined && nextMs === undefined && !failing) await pace.rest(signal);
    else await sleep((nextMs ?? ms) * (0.9 + Math.random() * 0.2), signal);
  }
}
