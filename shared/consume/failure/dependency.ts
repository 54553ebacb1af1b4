import type { Log } from "../../role/log.ts";
import { backoff, sleep } from "../../waiting/wait.ts";
import { classify, outageOf } from "./classify.ts";

/**
 * After so many answered probes in a row, each followed by the same failure, the message is to blame, unless the
 * failure is certain.
 */
const enoughAnswers = 2;

/**
 * Waits out what is down. While it waits no attempt of any message is spent and the member keeps its place in the
 * group. One for all lanes of a consumer, so that one probe asks for all.
 */
export function makeDependency(
  of: Readonly<{
    /** Does what messages need: it writes. */
    probe: () => Promise<unknown>;
    /** Told what is waited for, and `null` when nothing is any more. */
    tell?: (error: unknown) => void;
    log: Log;
    stop: AbortSignal;
  }>,
) {
  let waiting = 0;
  let probing: Promise<ProbeResult> | null = null;
  const ask = async (): Promise<ProbeResult> => {
    // Not before the promise is kept: a probe that throws at once would be the answer for ever.
    await Promise.resolve();
    try {
      await of.probe();
      return { answers: true };
    } catch (error) {
      return { answers: false, error };
    } finally {
      probing = null;
    }
  };
  const probe = () => (probing ??= ask());

  /**
   * What is down may fail otherwise than the message did: a connection that was cut is replaced by one to a database
   * that is read-only.
   */
  const tellOfProbe = (error: unknown, before: unknown) => {
    if (classify(error) !== "dependency_down") return;
    if (outageOf(error)?.mark !== outageOf(before)?.mark) of.log.warn("dependency_down", { error });
    of.tell?.(error);
  };

  /**
   * From the first failure until the work is done or has failed otherwise: a pause between two tries is not its end.
   */
  const begin = () => {
    if (waiting++ === 0) of.log.warn("consumer_paused");
  };
  const end = () => {
    if (--waiting > 0) return;
    of.log.info("consumer_resumed");
    of.tell?.(null);
  };

  const waits = (waiter: Readonly<{ begin: () => void; end: () => void }>) => ({
    /**
     * Tries until it works or fails by itself. Rejects at once with a failure of another class, with
     * `DEPENDENCY_ANSWERS` when what looked down answers its probe and the failure stays, and with the failure itself
     * when the role stops. A failure that proves itself, as of a full disk or a read-only Postgres, is waited out
     * whatever the probe answers.
     */
    retry: async <T>(attempt: () => Promise<T>): Promise<T> => {
      let answers = 0;
      return waitOut(of, { attempt, ...waiter }, async (error, round) => {
        const { isCertain = false } = outageOf(error) ?? {};
        if (!isCertain && answers >= enoughAnswers)
          throw Object.assign(new Error("the database answers, and the message still fails", { cause: error }), {
            code: "DEPENDENCY_ANSWERS",
          });
        await sleep(backoff(round, { baseMs: 50, maxMs: 2_000 }), of.stop);
        let last: unknown = error;
        for (let asked = 0; ; asked++) {
          const result = await probe();
          if (result.answers || of.stop.aborted) break;
          answers = 0;
          tellOfProbe(result.error, last);
          last = result.error;
          await sleep(backoff(asked, { baseMs: 100, maxMs: 2_000 }), of.stop);
        }
        answers = isCertain ? 0 : answers + 1;
      });
    },
    /** The same without a probe, for work that is one itself, such as asking the registry for a schema. */
    await: <T>(attempt: () => Promise<T>): Promise<T> =>
      waitOut(of, { attempt, ...waiter }, (_error, round) =>
        sleep(backoff(round, { baseMs: 100, maxMs: 5_000 }), of.stop),
      ),
  });

  return {
    ...waits({ begin, end }),
    /** True while anything waits. */
    isWaiting: () => waiting > 0,
    /** The same for one lane, which knows whether it is itself that waits. */
    ofLane: () => {
      let own = 0;
      const mine = {
        begin: () => {
          own += 1;
          begin();
        },
        end: () => {
          own -= 1;
          end();
        },
      };
      return { ...waits(mine), isWaiting: () => own > 0 };
    },
  };
}
type ProbeResult = Readonly<{ answers: true } | { answers: false; error: unknown }>;
export type LaneDependency = ReturnType<ReturnType<typeof makeDependency>["ofLane"]>;

type DependencyWait<T> = Readonly<{ attempt: () => Promise<T>; begin: () => void; end: () => void }>;

async function waitOut<T>(
  of: Readonly<{ log: Log; stop: AbortSignal; tell?: (error: unknown) => void }>,
  { attempt, begin, end }: DependencyWait<T>,
  pause: (error: unknown, round: number) => Promise<void>,
): Promise<T> {
  let isWaiting = false;
  try {
    for (let round = 0; ; round++)
      try {
        return await attempt();
      } catch (error) {
        if (of.stop.aborted || classify(error) !== "dependency_down") throw error;
        of.log.warn("dependency_down", { round, error });
        if (!isWaiting) begin();
        isWaiting = true;
        of.tell?.(error);
        await pause(error, round);
      }
  } finally {
    if (isWaiting) end();
  }
}
