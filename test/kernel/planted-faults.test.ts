import { expect, test } from "bun:test";
import { faults } from "../support/plant.ts";

const root = `${import.meta.dirname}/../..`;
const isLong = process.env.LONG_TESTS === "1";

/** Moments so short that chance seldom meets them have a test of their own, which is quick. */
const exact = new Set([
  "a queue read before its lock",
  "parked keys asked for before the inbox insert",
  "no lock of parked keys",
]);

/**
 * Runs the kernel's tests with a fault in the kernel, in a process of their own. Resolves with whether one failed, and
 * what was said.
 */
async function runWith(fault: string): Promise<Readonly<{ caught: boolean; output: string }>> {
  const file = exact.has(fault) ? "parking-races" : "consume-misbehaving";
  const tests = Bun.spawn(
    [process.execPath, "test", "--bail", "--preload", "./test/support/plant.ts", `./test/kernel/${file}.test.ts`],
    {
      cwd: root,
      env: { ...process.env, PLANTED_FAULT: fault, KERNEL_SEEDS: "1-40", KERNEL_PATIENCE_MS: "20000" },
      stdout: "ignore",
      stderr: "pipe",
    },
  );
  const output = await new Response(tests.stderr).text();
  return { caught: (await tests.exited) !== 0 && output.includes("(fail)"), output };
}

test.each(Object.keys(faults).filter((fault) => isLong || exact.has(fault)))(
  "the tests of the kernel catch: %s",
  async (fault) => {
    const { caught, output } = await runWith(fault);
    expect(caught ? "caught" : output).toBe("caught");
  },
  600_000,
);
