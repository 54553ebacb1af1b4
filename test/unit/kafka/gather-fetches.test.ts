import { expect, test } from "bun:test";
import type { Consumer } from "@platformatic/kafka";
import { gatherFetches } from "../../../shared/kafka/gather-fetches.ts";

type Done = (error: Error | null, response?: unknown) => void;

/**
 * Fetches as the client's stream does, each answered at once with batches of so many bytes; when each was sent, ms
 * after the first.
 */
async function sentAt(...answers: readonly (readonly number[] | Error)[]): Promise<readonly number[]> {
  const sent: number[] = [];
  const consumer = {
    fetch: (_: unknown, done: Done) => {
      const answer = answers[sent.push(performance.now()) - 1] ?? [];
      if (answer instanceof Error) return done(answer);
      done(null, {
        responses: [{ partitions: [{ records: answer.map((length) => ({ length })) }, { records: null }] }],
      });
    },
  };
  gatherFetches(consumer as unknown as Consumer, 60);
  const fetch = consumer.fetch;
  for (const answer of answers)
    await new Promise<void>((resolve) =>
      fetch({}, (error) => (expect(error === null).toBe(!(answer instanceof Error)), resolve())),
    );
  return sent.map((at) => at - (sent[0] ?? 0));
}

test("after an answer with little, the next fetch waits for company", async () => {
  const [, second = 0, third = 0] = await sentAt([300], [], []);
  expect(second).toBeGreaterThanOrEqual(58);
  expect(third - second).toBeLessThan(40);
});

test.each([
  ["nothing", []],
  ["much", [40_000, 40_000]],
  ["an error", new Error("gone")],
])("after %s, the next fetch goes at once", async (_, answer) => {
  const [, second = Infinity] = await sentAt(answer, []);
  expect(second).toBeLessThan(40);
});
