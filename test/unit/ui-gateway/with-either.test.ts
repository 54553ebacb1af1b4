import { expect, test } from "bun:test";
import { withEither } from "../../../workers/ui-gateway/stream/with-either.ts";

const settles = (signal: AbortSignal) =>
  new Promise<string>((resolve) => {
    if (signal.aborted) resolve("aborted");
    signal.addEventListener("abort", () => resolve("aborted"), { once: true });
  });

test.each([0, 1] as const)("work is told when signal %d is aborted, before or meanwhile", async (which) => {
  for (const isBefore of [true, false]) {
    const controllers = [new AbortController(), new AbortController()] as const;
    const signals = [controllers[0].signal, controllers[1].signal] as const;
    if (isBefore) controllers[which].abort();
    const worked = withEither(signals, settles);
    if (!isBefore) controllers[which].abort();
    expect(await worked).toBe("aborted");
  }
});

test("nothing is left on a signal that outlives the work, however that ends", async () => {
  let listening = 0;
  const long = new AbortController().signal;
  const [add, remove] = [long.addEventListener.bind(long), long.removeEventListener.bind(long)];
  long.addEventListener = (...args: Parameters<typeof add>) => (listening++, add(...args));
  long.removeEventListener = (...args: Parameters<typeof remove>) => (listening--, remove(...args));
  const own = new AbortController().signal;
  expect(await withEither([own, long], () => Promise.resolve(7))).toBe(7);
  await expect(withEither([own, long], () => Promise.reject(new Error("x")))).rejects.toThrow("x");
  expect(listening).toBe(0);
});
