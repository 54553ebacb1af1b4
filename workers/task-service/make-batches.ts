import { isUnreachable } from "../../shared/http/problem-response.ts";
import { Problem } from "../../shared/problem.ts";

type BatchLimits = Readonly<{
  maxItems: number;
  inFlight: number;
  /** More than so many waiting are refused as UNAVAILABLE: the database does not keep up, and memory must not fill. */
  maxWaiting: number;
}>;

/**
 * Turns many small writes into few: what arrives while `inFlight` batches run waits and goes together with the next.
 * Nothing lingers, so a lone item runs at once; nobody is answered before the batch they are in has settled. When a
 * batch fails for what is in it, its items run one by one, so that only the culprit fails. When the database could not
 * be reached, nobody knows whether the batch was committed: all of it fails and nothing is repeated here.
 */
export function makeBatches<In, Out>(
  run: (items: readonly In[]) => Promise<readonly Out[]>,
  { maxItems, inFlight, maxWaiting }: BatchLimits,
): (item: In) => Promise<Out> {
  type Waiting = Readonly<{ item: In; resolve: (out: Out) => void; reject: (error: unknown) => void }>;
  let waiting: Waiting[] = [];
  let running = 0;

  const settle = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const answers = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, at) => {
        const answer = answers[at];
        if (answer === undefined) reject(new Error("a batch answered fewer items than it was given"));
        else resolve(answer);
      });
    } catch (error) {
      if (batch.length === 1 || isUnreachable(error)) for (const { reject } of batch) reject(error);
      else for (const one of batch) await settle([one]);
    }
  };

  const start = (): void => {
    while (running < inFlight && waiting.length > 0) {
      const batch = waiting.slice(0, maxItems);
      waiting = waiting.slice(maxItems);
      running += 1;
      void settle(batch).finally(() => {
        running -= 1;
        start();
      });
    }
  };

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= maxWaiting)
        return reject(new Problem("UNAVAILABLE", "Too many writes are waiting", { retryAfterSeconds: 1 }));
      waiting.push({ item, resolve, reject });
      start();
    });
}
