import type { Log } from "../log.ts";
import { backoff, sleep } from "../wait.ts";
import { classify } from "./classify.ts";

/** After this many probes in a row were answered and the message failed again, it is the message. */
const enoughAnswers = 2;

/**
 * Waits out what is down. While it waits no attempt of any message is spent and the member keeps its place in the group.
 * One for all lanes of a consumer, so that one probe asks for all.
 */
export function makeDependency(of: Readonly<{ probe: () => Promise<unknown>; log: Log; stop: AbortSignal }>) {
  let waiting = 0;
  let probing: Promise<boolean> | null = null;
  const probe = () =>
    (probing ??= of
      .probe()
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        probing = null;
      }));

  const paused = async <T>(work: () => Promise<T>): Promise<T> => {
    if (waiting++ === 0) of.log.warn("consumer_paused");
    try {
      return await work();
    } finally {
      if (--waiting === 0) of.log.info("consumer_resumed");
    }
  };

  return {
    /** True while something waits: time that counts for no watchdog. */
    isWaiting: () => waiting > 0,
    /**
     * Tries until it works or fails by itself. Rejects at once with a failure of another class, with `DEPENDENCY_ANSWERS` when what
     * looked down answers its probe and the failure stays, and with the failure itself when the role stops.
     */
    retry: async <T>(attempt: () => Promise<T>): Promise<T> => {
      let answers = 0;
      for (let round = 0; ; round++) {
        try {
          return await attempt();
        } catch (error) {
          if (of.stop.aborted || classify(error) !== "dependency_down") throw error;
          if (answers >= enoughAnswers)
            throw Object.assign(new Error("what it needs answers, and still it fails", { cause: error }), {
              code: "DEPENDENCY_ANSWERS",
            });
          of.log.warn("dependency_down", { round, error });
          await paused(async () => {
            await sleep(backoff(round, { baseMs: 50, maxMs: 2_000 }), of.stop);
            for (let asked = 0; !(await probe()) && !of.stop.aborted; asked++) {
              answers = 0;
              await sleep(backoff(asked, { baseMs: 100, maxMs: 2_000 }), of.stop);
            }
          });
          answers += 1;
        }
      }
    },
    /** The same for what is its own probe, as asking the registry for a schema: as long as it says down, it is. */
    await: async <T>(attempt: () => Promise<T>): Promise<T> => {
      for (let round = 0; ; round++) {
        try {
          return await attempt();
        } catch (error) {
          if (of.stop.aborted || classify(error) !== "dependency_down") throw error;
          of.log.warn("dependency_down", { round, error });
          await paused(() => sleep(backoff(round, { baseMs: 100, maxMs: 5_000 }), of.stop));
        }
      }
    },
  };
}
export type Dependency = ReturnType<typeof makeDependency>;
