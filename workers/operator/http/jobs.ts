import type { Log } from "../../../shared/role/log.ts";

/** Changes that outlive the request that began them. */
export type Jobs = AsyncDisposable &
  Readonly<{
    /** Aborted when the role stops: a job then ends early and is resumed by its id. */
    signal: AbortSignal;
    start: (id: string, run: () => Promise<unknown>) => void;
    isRunning: (id: string) => boolean;
  }>;

export function openJobs(stop: AbortSignal, log: Log): Jobs {
  const running = new Map<string, Promise<void>>();
  return {
    signal: stop,
    isRunning: (id) => running.has(id),
    start: (id, run) => {
      const job = run()
        .then(
          (result) => log.info("job_ended", { id, result }),
          // Told in the audit row too; nobody waits for the job.
          (error: unknown) => log.error("job_failed", { id, error }),
        )
        .finally(() => running.delete(id));
      running.set(id, job);
    },
    [Symbol.asyncDispose]: async () => void (await Promise.all(running.values())),
  };
}
